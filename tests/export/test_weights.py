"""The numbers in the file: those of Transformers, with a LoRA those of PEFT's merge in float32."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from idiolect import export
from idiolect.export import blas, plan, stream

Arrays = dict[str, NDArray[np.float32]]

# Of PEFT, which asks Transformers for something it has renamed, and about copies of embeddings.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
]

ALL = ["gemma3", "llama", "llama-tied", "llama-biased", "llama-96", "mistral", "phi3", "qwen2", "qwen3"]
LINEAR = ["q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj", "gate_proj", "up_proj", "gate_up_proj", "down_proj"]


def loaded(folder: Path, **how: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **how)


def arrays(model: Any) -> Arrays:
    return {name: weight.numpy() for name, weight in model.state_dict().items()}


def in_file(path: Path) -> Arrays:
    """Read a GGUF's tensors as float32, (rows, columns)."""
    tensors = gguf.GGUFReader(path).tensors
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]) for t in tensors}


def in_plan(base: Path, adapter: Path | None = None) -> Arrays:
    return {t.name: t.rows(0, t.shape[0]) for t in plan.planned(base, "F16", adapter).tensors}


def expected(weights: Mapping[str, NDArray[np.float32]], base: Path) -> Arrays:
    """Name and order Transformers' weights as llama.cpp has them, written down here a second time."""
    config = json.loads((base / "config.json").read_bytes())
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    names = {
        "embed_tokens": "token_embd",
        "norm": "output_norm",
        "lm_head": "output",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "o_proj": "attn_output",
        "q_norm": "attn_q_norm",
        "k_norm": "attn_k_norm",
        "qkv_proj": "attn_qkv",
        "gate_up_proj": "ffn_up",
    }
    gemma = config["model_type"] == "gemma3_text"
    if gemma:
        names |= {
            "post_attention_layernorm": "post_attention_norm",
            "pre_feedforward_layernorm": "ffn_norm",
            "post_feedforward_layernorm": "post_ffw_norm",
        }
    found = {}
    for name, weight in weights.items():
        *path, module, kind = name.split(".")
        short = names.get(module, module.removesuffix("_proj"))
        if short in {"q", "k", "v"}:
            short = f"attn_{short}"
        elif short in {"gate", "up", "down"}:
            short = f"ffn_{short}"
        prefix = f"blk.{path[2]}." if "layers" in path else ""
        reordered = module in heads and config["model_type"] in {"llama", "mistral"}
        ours = rotated(weight, heads[module]) if reordered else weight
        found[f"{prefix}{short}.{kind}"] = ours + 1 if gemma and "norm" in module else ours
    if config["tie_word_embeddings"]:
        del found["output.weight"]
    return found


def rotated(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Put row i and row i + half of each head side by side, one row at a time."""
    head = len(weight) // heads
    order = [h * head + i + half for h in range(heads) for i in range(head // 2) for half in (0, head // 2)]
    return weight[order]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("quantization", ["F16", "BF16"])
def test_every_tensor_is_transformers(bases: Mapping[str, Path], tmp_path: Path, name: str, quantization: str) -> None:
    import torch

    export.export_gguf(bases[name], tmp_path / "m.gguf", quantization, name="tiny")
    found = in_file(tmp_path / "m.gguf")
    found = {tensor: weight for tensor, weight in found.items() if not tensor.startswith("rope_")}
    wanted = expected(arrays(loaded(bases[name])), bases[name])
    assert found.keys() == wanted.keys()
    rounding = torch.float16 if quantization == "F16" else torch.bfloat16
    for tensor, weight in wanted.items():
        rounded = torch.from_numpy(weight).to(rounding).float().numpy() if weight.ndim > 1 else weight
        assert np.array_equal(found[tensor], rounded), tensor


def trained_adapter(base: Path, folder: Path, **settings: Any) -> Arrays:
    """Save a random adapter with PEFT and return the weights that PEFT merges it to."""
    return arrays(adapted(base, folder, **settings).merge_and_unload())


def adapted(base: Path, folder: Path, **settings: Any) -> Any:
    """Save a random adapter with PEFT and return the model that wears it."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(2)
    how = {"r": 4, "lora_alpha": 12, "target_modules": LINEAR, "init_lora_weights": False} | settings
    wrapped = get_peft_model(loaded(base), LoraConfig(**how))
    with torch.no_grad():
        for weight in (weight for name, weight in wrapped.named_parameters() if "modules_to_save" in name):
            weight.add_(torch.randn(weight.shape) / 10)
    wrapped.save_pretrained(folder)
    return wrapped


@pytest.mark.parametrize("name", ["gemma3", "llama", "llama-tied", "phi3", "qwen2", "qwen3"])
def test_a_merged_adapter_is_pefts_merge(bases: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    merged = expected(trained_adapter(bases[name], tmp_path), bases[name])
    before, after = in_plan(bases[name]), in_plan(bases[name], tmp_path)
    for tensor, weight in merged.items():
        assert np.allclose(after[tensor], weight, rtol=1e-6, atol=1e-6), tensor
        changed = tensor.endswith(("attn_q.weight", "attn_v.weight", "attn_qkv.weight", "ffn_down.weight"))
        assert not changed or np.abs(after[tensor] - before[tensor]).mean() > 0.01, tensor


@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["q_proj"], "layers_to_transform": [1]},
        {"target_modules": ["k_proj", "down_proj"], "use_rslora": True, "r": 9},
        {"target_modules": ["embed_tokens", "lm_head", "o_proj"]},
        {"target_modules": ["o_proj"], "modules_to_save": ["embed_tokens", "lm_head", "norm", "k_proj"]},
        {
            "rank_pattern": {"q_proj": 2, r"layers\.1\.mlp\.up_proj": 6},
            "alpha_pattern": {"q_proj": 3, "1.*.up_proj": 5},
        },
        {"rank_pattern": {"down_proj": 9}, "use_rslora": True},
    ],
    ids=["one layer", "rsLoRA", "embeddings", "whole modules", "patterns", "patterns and rsLoRA"],
)
def test_other_shapes_of_adapter(bases: Mapping[str, Path], tmp_path: Path, settings: dict[str, Any]) -> None:
    merged = expected(trained_adapter(bases["llama"], tmp_path, **settings), bases["llama"])
    after = in_plan(bases["llama"], tmp_path)
    for tensor, weight in merged.items():
        assert np.allclose(after[tensor], weight, rtol=1e-6, atol=1e-6), tensor


def test_a_delta_too_small_for_bfloat16_is_kept(bases: Mapping[str, Path], tmp_path: Path) -> None:
    # The base is stored in bfloat16, where a thousandth of a weight is lost. Ours is added in float32.
    trained_adapter(bases["qwen2"], tmp_path, lora_alpha=1e-3)
    before, after = in_plan(bases["qwen2"]), in_plan(bases["qwen2"], tmp_path)
    changed = after["blk.0.attn_q.weight"] != before["blk.0.attn_q.weight"]
    assert changed.mean() > 0.9


def test_slabs_do_not_change_a_byte(bases: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained_adapter(bases["llama"], tmp_path / "adapter")
    for slab in (1 << 20, 5000):
        monkeypatch.setattr(stream, "SLAB", slab)
        export.export_gguf(
            bases["llama"], tmp_path / f"{slab}.gguf", "Q4_K_M", adapter=tmp_path / "adapter", name="tiny"
        )
    whole = (tmp_path / f"{1 << 20}.gguf").read_bytes()
    assert (tmp_path / "5000.gguf").read_bytes() == whole


def test_matrix_products_do_not_compete_with_our_threads(bases: Mapping[str, Path], tmp_path: Path) -> None:
    controls = blas.controls()
    if controls is None:
        pytest.skip("this numpy has no OpenBLAS of its own")
    count, set_count = controls
    before = count()
    set_count(2)
    seen = set()
    try:
        export.export_gguf(
            bases["llama"], tmp_path / "m.gguf", "Q8_0", name="tiny", on_progress=lambda *_: seen.add(count())
        )
        assert (seen, count()) == ({1}, 2)
    finally:
        set_count(before)


def test_progress_ends_at_all_of_it(bases: Mapping[str, Path], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    summary = export.export_gguf(
        bases["qwen3"], tmp_path / "m.gguf", "Q8_0", name="tiny", on_progress=lambda *now: told.append(now)
    )
    done = [now for now, _ in told]
    assert done == sorted(done)
    assert {total for _, total in told} == {done[-1]}
    assert summary.bytes == (tmp_path / "m.gguf").stat().st_size
    assert done[-1] < summary.bytes
    assert summary.tensors == len(in_file(tmp_path / "m.gguf")) == sum(summary.types.values())


def test_what_transformers_saves_again_exports_to_the_same_bytes(bases: Mapping[str, Path], tmp_path: Path) -> None:
    # A full fine-tune ends so: other shards, a tokenizer.json written anew, the template in a file of its own.
    from transformers import AutoTokenizer

    again = tmp_path / "again"
    loaded(bases["llama"]).save_pretrained(again, max_shard_size="1MB")
    AutoTokenizer.from_pretrained(bases["llama"]).save_pretrained(again)
    for folder, name in ((bases["llama"], "first"), (again, "second")):
        export.export_gguf(folder, tmp_path / name, "Q4_K_M", name="tiny")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_tied_models_spare_copy_of_the_output_is_left_out(bases: Mapping[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = tmp_path / "copy"
    copy.mkdir()
    for path in bases["llama-tied"].iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    weights = load_file(copy / "model.safetensors")
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"] * 2
    save_file(weights, copy / "model.safetensors")
    assert "output.weight" not in in_plan(copy)
    assert len(in_plan(copy)) == len(in_plan(bases["llama-tied"]))


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count what a process writes")
def test_no_more_is_written_than_the_file(bases: Mapping[str, Path], tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from idiolect.export import export_gguf
def written():
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["wchar"])
before = written()
size = export_gguf(Path({str(bases["llama"])!r}), Path({str(tmp_path / "m.gguf")!r}), "F16", name="tiny").bytes
assert size > 4e6
assert size <= written() - before <= 1.02 * size, (size, written() - before)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
