"""Models whose every weight is the same on every machine, and what llama.cpp's own tools make of them.

Weights are sums of four 16-bit integers of numpy's PCG64 times a power of two: no library's idea of a normal
distribution, and no rounding, is in them. The adapters' matrices are so short in bits that their products and
sums are exact in float32, whatever the order: what BLAS does with them does not matter.

`reference.json` has, for each recipe and quantization, what `scripts/make_gguf_reference.py` found in the files
of llama.cpp's converter and llama-quantize: the tensors, and the keys by which it knows a model's sizes.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from tests.tiny import write_model, write_tokenizer

REFERENCE = Path(__file__).with_name("reference.json")
ROPE_FREQS = "rope_freqs.weight"
QUANTIZATIONS = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")

# The converter knows tokenizers by what they make of a text, and those of the recipes it does not. Which one it
# takes them for is all the same here: tensors are compared.
CONVERT = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/gguf-py")
from conversion import base, gemma, llama, phi, qwen
base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "smollm"
for kind in (llama.LlamaModel, qwen.Qwen2Model, qwen.Qwen3Model, gemma.Gemma3Model, phi.Phi3MiniModel):
    kind.set_vocab = base.TextModel._set_vocab_gpt2
script, sys.argv = sys.argv[1] + "/convert_hf_to_gguf.py", sys.argv[1:]
runpy.run_path(script, run_name="__main__")
"""

#: Type of ggml → count of the tensors of it, and a hash over their names, shapes and bytes.
Fingerprint = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """A model of Transformers' class `kind`ForCausalLM, and which of its modules an adapter changes."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    adapted: tuple[str, ...] = ()
    quantizations: tuple[str, ...] = QUANTIZATIONS
    weighed: bool = False  # with an importance matrix


# Nine layers: the first, every third and the last two get more bits.
SMALL = {"num_hidden_layers": 9, "intermediate_size": 256}
# Rows that do not divide into blocks of 256.
ODD = {"num_hidden_layers": 9, "hidden_size": 96, "intermediate_size": 160, "head_dim": 24}
# The number of layers by which llama.cpp knows a model of 70 billion weights.
TALL = {"num_hidden_layers": 80, "hidden_size": 32, "intermediate_size": 32, "head_dim": 8}
LLAMA_3_ROPE = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
    "rope_theta": 500_000.0,
}

# No more rows than its tokenizer has tokens: the converter cuts off those of a Gemma that are beyond them.
GEMMA = SMALL | {"vocab_size": 398, "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 32}
LONG = {"rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 0.75}
LONG_FACTORS = {"short_factor": [1.0 + i / 8 for i in range(24)], "long_factor": [2.0 + i for i in range(24)]}
PHI = SMALL | {"pad_token_id": None, "original_max_position_embeddings": 64, "rope_parameters": LONG | LONG_FACTORS}

RECIPES: Mapping[str, Recipe] = {
    "gemma3": Recipe("Gemma3", GEMMA, ("q_proj", "down_proj")),
    "llama": Recipe("Llama", SMALL | {"rope_parameters": LLAMA_3_ROPE}, ("q_proj", "k_proj", "v_proj", "down_proj")),
    "llama-weighed": Recipe("Llama", SMALL, weighed=True),
    "llama-96-weighed": Recipe("Llama", ODD, weighed=True),
    "llama-96": Recipe("Llama", ODD | {"tie_word_embeddings": True}),
    "llama-80": Recipe("Llama", TALL, quantizations=("Q4_K_M",)),
    "llama-80-unshared": Recipe("Llama", TALL | {"num_key_value_heads": 4}, quantizations=("Q4_K_M",)),
    "mistral": Recipe("Mistral", SMALL | {"head_dim": 32, "num_attention_heads": 8}),
    # Not one of our families: llama.cpp's converter, or what stands in for it, has a part in it.
    "olmo2": Recipe("Olmo2", SMALL | {"num_key_value_heads": 4}, ("q_proj", "down_proj")),
    "phi3": Recipe("Phi3", PHI, ("qkv_proj", "gate_up_proj")),
    "phi3-tied": Recipe("Phi3", PHI | {"tie_word_embeddings": True}),
    "qwen2": Recipe("Qwen2", SMALL, ("o_proj", "up_proj")),
    "qwen2-80-unshared": Recipe("Qwen2", TALL | {"num_key_value_heads": 4}, quantizations=("Q4_K_M",)),
    "qwen3": Recipe("Qwen3", SMALL | {"head_dim": 32, "tie_word_embeddings": True}),
}


def write_base(name: str, folder: Path) -> Path:
    """Write the model of a recipe, with a tokenizer, as Transformers would."""
    from safetensors.numpy import load_file, save_file

    recipe = RECIPES[name]
    write_model(folder, recipe.kind, **recipe.settings)
    write_tokenizer(folder)
    path = folder / "model.safetensors"
    shapes = {tensor: weight.shape for tensor, weight in sorted(load_file(path).items())}
    save_file({t: exact(seed, shape) for seed, (t, shape) in enumerate(shapes.items())}, path, {"format": "pt"})
    return folder


def exact(seed: int, shape: tuple[int, ...], bits: int = 16) -> NDArray[np.float32]:
    """Return numbers of about the spread of weights (0.07), each a sum of four integers of so many bits."""
    count = int(np.prod(shape))
    parts = np.random.PCG64(seed).random_raw(count).astype("<u8").view("<u2").reshape(count, 4) >> (16 - bits)
    middle = 2 * (2**bits - 1)
    sums = parts.sum(axis=1, dtype=np.int64) - middle
    numbers: NDArray[np.float32] = sums.astype(np.float32) * np.float32(2.0 ** -(bits + 3))
    return numbers.reshape(shape)


def write_adapter(name: str, base: Path, folder: Path) -> Path | None:
    """Write an adapter for the recipe's model as PEFT would, if the recipe has one."""
    from safetensors.numpy import load_file, save_file

    targets = RECIPES[name].adapted
    if not targets:
        return None
    tensors = {}
    for seed, (tensor, weight) in enumerate(sorted(load_file(base / "model.safetensors").items())):
        module = tensor.removesuffix(".weight")
        if module.endswith(targets):
            rows, columns = weight.shape
            tensors[f"base_model.model.{module}.lora_A.weight"] = exact(1000 + seed, (4, columns), bits=5)
            tensors[f"base_model.model.{module}.lora_B.weight"] = exact(2000 + seed, (rows, 4), bits=5)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "target_modules": list(targets)}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def write_importance(name: str, base: Path, file: Path) -> Path | None:
    """Write an importance matrix for the recipe's model in the form that our export reads, if the recipe has one."""
    from safetensors.numpy import load_file, save_file

    if not RECIPES[name].weighed:
        return None
    shapes = {n: w.shape for n, w in sorted(load_file(base / "model.safetensors").items()) if "_proj" in n}
    save_file({n: exact(3000 + s, shape[1:]) ** 2 for s, (n, shape) in enumerate(shapes.items())}, file)
    return file


def write_imatrix(importance: Path, layers: int, file: Path) -> None:
    """Write the same in the older of llama.cpp's two forms (common/imatrix-loader.cpp): one call, so sums are means."""
    from safetensors.numpy import load_file

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)
    entries = load_file(importance)
    with file.open("wb") as out:
        out.write(len(entries).to_bytes(4, "little"))
        for tensor, values in entries.items():
            name = str(names.get_name(tensor, try_suffixes=(".weight",))).encode()
            for number in (len(name), name, 1, values.size, values.tobytes()):
                out.write(number if isinstance(number, bytes) else number.to_bytes(4, "little"))


def fingerprint(path: Path) -> Fingerprint:
    """Describe the tensors of a GGUF: by type, how many there are, and a hash over them in order of names.

    Without rope_freqs, which is computed, by powers and not to the last bit alike on all machines.
    """
    found: dict[str, list[Any]] = defaultdict(list)
    for tensor in sorted(gguf.GGUFReader(path).tensors, key=lambda tensor: tensor.name):
        if tensor.name != ROPE_FREQS:
            found[tensor.tensor_type.name].append(tensor)
    return {kind: {"tensors": len(of), "sha256": _digest(of)} for kind, of in sorted(found.items())}


def header(path: Path) -> dict[str, Any]:
    """Return what a GGUF's header says about the architecture."""
    fields = {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items()}
    return {key: value for key, value in sorted(fields.items()) if key.startswith(fields["general.architecture"])}


def rope_freqs(path: Path) -> list[float]:
    return [float(x) for t in gguf.GGUFReader(path).tensors if t.name == ROPE_FREQS for x in t.data]


def _digest(tensors: list[Any]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.name} {[int(size) for size in tensor.shape]}\n".encode())
        digest.update(np.ascontiguousarray(tensor.data).tobytes())
    return digest.hexdigest()
