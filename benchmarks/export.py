"""How fast the export is, and how little memory and disk it takes.

    python -m benchmarks.export [--layers N] [--vocabulary N] [--llama-cpp FOLDER --llama-quantize PROGRAM]

A random model of Qwen3's shape (14 layers: 1.0 billion weights in bfloat16) with an adapter becomes a Q4_K_M, each
way in a process of its own: ours; the floor, which reads the base once, quantizes as many numbers with ggml alone
on all cores, and writes as many bytes; and, where llama.cpp is at hand (see scripts/make_gguf_reference.py), the
usual way: merge with PEFT, save, convert to F16, llama-quantize. Needs 3 GB of disk, with the usual way 8.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray

HIDDEN, FEED_FORWARD, HEADS, KEY_HEADS, HEAD, RANK = 2048, 6144, 16, 8, 128, 8
LINEAR = {
    "self_attn.q_proj": (HEADS * HEAD, HIDDEN),
    "self_attn.k_proj": (KEY_HEADS * HEAD, HIDDEN),
    "self_attn.v_proj": (KEY_HEADS * HEAD, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HEADS * HEAD),
    "mlp.gate_proj": (FEED_FORWARD, HIDDEN),
    "mlp.up_proj": (FEED_FORWARD, HIDDEN),
    "mlp.down_proj": (HIDDEN, FEED_FORWARD),
}
NORMS = {"input_layernorm": HIDDEN, "post_attention_layernorm": HIDDEN, "self_attn.q_norm": HEAD}
NORMS |= {"self_attn.k_norm": HEAD}
WAYS = ("ours", "floor", "usual")


def write_model(folder: Path, layers: int, vocabulary: int) -> None:
    """Write base/, one shard a layer, and adapter/."""
    from tests.tiny import write_tokenizer

    base, adapter = folder / "base", folder / "adapter"
    base.mkdir()
    adapter.mkdir()
    write_tokenizer(base)
    random = np.random.default_rng(1)
    shapes: list[dict[str, tuple[int, ...]]] = [
        {f"model.layers.{layer}.{name}.weight": shape for name, shape in LINEAR.items()}
        | {f"model.layers.{layer}.{name}.weight": (size,) for name, size in NORMS.items()}
        for layer in range(layers)
    ]
    shapes.append({"model.embed_tokens.weight": (vocabulary, HIDDEN), "model.norm.weight": (HIDDEN,)})
    places: dict[str, str] = {}
    for number, of_shard in enumerate(shapes):
        shard = f"model-{number:05}.safetensors"
        save(base / shard, {name: bfloat16(random, shape) for name, shape in of_shard.items()}, "bfloat16")
        places |= dict.fromkeys(of_shard, shard)
    (base / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (base / "config.json").write_text(json.dumps(config(layers, vocabulary)))
    matrices = {}
    for name, (rows, columns) in ((n, s) for of in shapes for n, s in of.items() if "_proj" in n):
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        matrices[f"{stem}.lora_A.weight"] = random.standard_normal((RANK, columns), np.float32) / 50
        matrices[f"{stem}.lora_B.weight"] = random.standard_normal((rows, RANK), np.float32) / 50
    save(adapter / "adapter_model.safetensors", matrices, "float32")
    targets = sorted(name.rpartition(".")[2] for name in LINEAR)
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 16, "target_modules": targets}
    (adapter / "adapter_config.json").write_text(json.dumps(settings | {"bias": "none"}))


def config(layers: int, vocabulary: int) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "dtype": "bfloat16",
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "intermediate_size": FEED_FORWARD,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS,
        "head_dim": HEAD,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
        "hidden_act": "silu",
        "tie_word_embeddings": True,
    }


def bfloat16(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return random numbers of the spread of weights: the upper halves of float32, as numpy has no bfloat16."""
    rows = [random.standard_normal(shape[1:], np.float32) for _ in range(shape[0])] if len(shape) > 1 else None
    values = np.ones(shape, np.float32) if rows is None else np.array(rows) * np.float32(0.02)
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def save(path: Path, arrays: dict[str, Any], dtype: str) -> None:
    specs = {
        name: safetensors.TensorSpec(dtype=dtype, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
        for name, a in arrays.items()
    }
    safetensors.serialize_file(specs, path, metadata={"format": "pt"})


def ours(folder: Path) -> None:
    from idiolect.export import export_gguf

    export_gguf(folder / "base", folder / "ours.gguf", "Q4_K_M", adapter=folder / "adapter", name="benchmark")


def floor(folder: Path) -> None:
    """Read, quantize and write as many bytes and numbers as ours, with none of its arithmetic."""
    from idiolect.export import ggml, plan, stream

    numbers = np.random.default_rng(1).standard_normal(stream.SLAB, np.float32) * np.float32(0.02)
    planned = plan.planned(folder / "base", "Q4_K_M").tensors

    def quantized(slab: stream.Slab) -> NDArray[np.uint8]:
        columns = slab.tensor.shape[-1]
        rows = slab.stop - slab.start if len(slab.tensor.shape) == 2 else 1
        return ggml.encoded(numbers[: rows * columns].reshape(rows, columns), slab.tensor.type)

    waiting: deque[Future[NDArray[np.uint8]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool, (folder / "floor.gguf").open("wb") as out:
        pool.submit(read_all, folder / "base")
        for slab in stream.slabs(planned):
            waiting.append(pool.submit(quantized, slab))
            if len(waiting) > 2 * (os.cpu_count() or 1):
                out.write(waiting.popleft().result().data)
        for future in waiting:
            out.write(future.result().data)
        os.fsync(out.fileno())


def read_all(base: Path) -> None:
    buffer = bytearray(1 << 22)
    for path in sorted(base.glob("*.safetensors")):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass


def usual(folder: Path, llama_cpp: Path, llama_quantize: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tests.export.reference import CONVERT

    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.bfloat16)
    PeftModel.from_pretrained(model, folder / "adapter").merge_and_unload().save_pretrained(folder / "merged")
    AutoTokenizer.from_pretrained(folder / "base").save_pretrained(folder / "merged")
    del model
    how = ["--outtype", "f16", "--outfile", str(folder / "f16.gguf")]
    subprocess.run(
        [sys.executable, "-c", CONVERT, str(llama_cpp), str(folder / "merged"), *how], check=True, capture_output=True
    )
    command = [str(llama_quantize), str(folder / "f16.gguf"), str(folder / "usual.gguf"), "Q4_K_M", str(os.cpu_count())]
    subprocess.run(command, check=True, capture_output=True)


def anonymous() -> int:
    """Return this process's anonymous memory in bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


def written() -> int:
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["write_bytes"])


def measured(way: str, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Go one way in this process; memory is over what the interpreter had when its imports were done."""
    import idiolect.export.write  # noqa: F401

    before, peak, done = anonymous(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, wrote = time.perf_counter(), written()
    if way == "usual":
        usual(folder, arguments.llama_cpp, arguments.llama_quantize)
    else:
        (ours if way == "ours" else floor)(folder)
    wall = time.perf_counter() - began
    done.set()
    watcher.join()
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return {"wall": wall, "cpu": cpu, "anonymous": max(peak[0] - before, 0), "written": written() - wrote}


def in_a_process(way: str, folder: Path, options: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.export", "--way", way, "--folder", str(folder), *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=14)
    parser.add_argument("--vocabulary", type=int, default=151_936)
    parser.add_argument("--rounds", type=int, default=2, help="times to go each way; the fastest counts")
    parser.add_argument("--llama-cpp", type=Path)
    parser.add_argument("--llama-quantize", type=Path)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measured(arguments.way, arguments.folder, arguments)))
        return
    options = []
    if arguments.llama_cpp and arguments.llama_quantize:
        options = ["--llama-cpp", str(arguments.llama_cpp), "--llama-quantize", str(arguments.llama_quantize)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(folder, arguments.layers, arguments.vocabulary)
        os.sync()  # else the first way would wait for the disk to take the model
        found: dict[str, dict[str, float]] = {}
        for _ in range(arguments.rounds):
            for way in WAYS if options else WAYS[:2]:
                once = in_a_process(way, folder, options)
                found[way] = min(found.get(way, once), once, key=lambda figures: figures["wall"])
                print(f"{way:<6}", {key: round(value, 1) for key, value in once.items()}, flush=True)
        report(found, (folder / "ours.gguf").stat().st_size)


def report(found: dict[str, dict[str, float]], size: int) -> None:
    print(f"file {size / 1e6:.0f} MB, {os.cpu_count()} cores")
    for way, figures in found.items():
        print(
            f"{way:<6} {figures['wall']:6.1f} s  {figures['cpu']:6.1f} s of processor  "
            f"{figures['anonymous'] / 1e6:6.0f} MB anonymous  written {figures['written'] / size:5.2f} x the file  "
            f"ours takes {found['ours']['wall'] / figures['wall']:4.2f} x"
        )


if __name__ == "__main__":
    main()
