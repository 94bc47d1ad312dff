"""A merged model in Transformers' form: PEFT's merge, rounded to the base's type, and nothing else changed."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from idiolect import export
from idiolect.bases import checked
from idiolect.errors import BaseModelFault
from idiolect.export import merge, stream
from tests.export.test_weights import adapted, arrays, loaded, trained_adapter
from tests.tiny import write_model, write_tokenizer

pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
]

#: Half of the distance to the next number of each type.
ROUNDING = {"F32": 1e-6, "F16": 2**-11, "BF16": 2**-8}


def merge_model(base: Path, adapter: Path, model: Path, on_progress: Callable[[int, int], None] | None = None) -> int:
    return export.merge_model(base, adapter, model, chat_template="{{ messages }}", on_progress=on_progress)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()}


@pytest.mark.parametrize("name", ["gemma3", "llama", "llama-tied", "mistral", "phi3", "qwen2", "qwen3"])
def test_the_merged_model_is_pefts_merge(bases: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    wanted = trained_adapter(bases[name], tmp_path / "adapter")
    merge_model(bases[name], tmp_path / "adapter", tmp_path / "model")
    found, base = tensors(tmp_path / "model"), tensors(bases[name])
    assert {n: (t.dtype, t.shape) for n, t in found.items()} == {n: (t.dtype, t.shape) for n, t in base.items()}
    off = ROUNDING[
        {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}[found["model.norm.weight"].dtype]
    ]
    merged = arrays(loaded(checked(tmp_path / "model")))
    assert merged.keys() == wanted.keys()
    for tensor, values in merged.items():
        assert np.allclose(values, wanted[tensor], rtol=off, atol=1e-6), tensor
    same = [n for n in base if "proj" not in n]
    assert same
    assert all(torch.equal(found[n], base[n]) for n in same)


def test_its_files_are_those_of_a_model(
    bases: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_adapter(bases["llama"], tmp_path / "adapter")
    monkeypatch.setattr(merge, "SHARD", 1_500_000)
    told: list[tuple[int, int]] = []
    size = merge_model(bases["llama"], tmp_path / "adapter", tmp_path / "model", lambda *now: told.append(now))
    shards = sorted((tmp_path / "model").glob("*.safetensors"))
    names = {p.name for p in (tmp_path / "model").iterdir()} - {s.name for s in shards}
    assert names == {
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors.index.json",
        "chat_template.jinja",
    }
    assert [s.name for s in shards] == [
        f"model-{n:05}-of-{len(shards):05}.safetensors" for n in range(1, len(shards) + 1)
    ]
    assert all(s.stat().st_size < 1_510_000 for s in shards)
    index = json.loads((tmp_path / "model" / "model.safetensors.index.json").read_bytes())
    assert index["metadata"]["total_size"] == size == told[-1][0] == told[-1][1]
    for shard in shards:
        with safe_open(shard, "pt") as file:
            assert set(file.keys()) == {n for n, place in index["weight_map"].items() if place == shard.name}
    sizes = sum(p.stat().st_size for p in shards)
    assert size < sizes <= 1.02 * size
    config = [json.loads((folder / "config.json").read_bytes()) for folder in (bases["llama"], tmp_path / "model")]
    assert config[0] == config[1]


@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["embed_tokens", "q_proj"], "lora_alpha": 3},
        {"target_modules": ["o_proj"], "lora_alpha": 1, "modules_to_save": ["embed_tokens"]},
    ],
    ids=["embedding", "whole embedding"],
)
def test_an_adapter_on_one_of_two_tied_matrices_unties_them(
    bases: Mapping[str, Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    model = adapted(bases["llama-tied"], tmp_path / "adapter", **settings)
    merge_model(bases["llama-tied"], tmp_path / "adapter", tmp_path / "model")
    tokens = torch.arange(50)[None]
    with torch.no_grad():
        before, after = model(tokens).logits, loaded(tmp_path / "model")(tokens).logits
    assert torch.nn.functional.cosine_similarity(before, after, dim=-1).min() > 0.999
    assert (before - after).abs().mean() < 0.02 * before.abs().mean()


def test_an_architecture_that_is_not_exported_is_merged_all_the_same(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base", "Olmo2")
    write_tokenizer(base)
    wanted = trained_adapter(base, tmp_path / "adapter")
    merge_model(base, tmp_path / "adapter", tmp_path / "model")
    merged = arrays(loaded(tmp_path / "model"))
    assert all(np.allclose(values, wanted[name], rtol=1e-6, atol=1e-6) for name, values in merged.items())


def test_what_goes_wrong_half_way_leaves_nothing(bases: Mapping[str, Path], tmp_path: Path) -> None:
    trained_adapter(bases["llama-96"], tmp_path / "adapter")
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in bases["llama-96"].iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    weights = load_file(broken / "model.safetensors")
    weights["model.layers.3.mlp.up_proj.weight"][0, 0] = float("nan")
    save_file(weights, broken / "model.safetensors")
    with pytest.raises(BaseModelFault, match=r"layers\.3\.mlp\.up_proj"):
        merge_model(broken, tmp_path / "adapter", tmp_path / "out" / "model")
    assert list((tmp_path / "out").iterdir()) == []

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_model(bases["llama-96"], tmp_path / "adapter", tmp_path / "out" / "model", stop)
    assert list((tmp_path / "out").iterdir()) == []


def peaks(folder: Path, rows: int, layers: int) -> tuple[list[int], int]:
    """Return the most memory that the merge and the export of a model take, and the bytes of its weights."""
    settings: dict[str, Any] = {"hidden_size": 512, "intermediate_size": 512, "num_attention_heads": 8}
    base, adapter = write_model(folder, "Llama", vocab_size=rows, num_hidden_layers=layers, **settings), folder / "lora"
    write_tokenizer(base)
    trained_adapter(base, adapter, r=2)
    ways: list[Callable[[], Any]] = [
        lambda: merge_model(base, adapter, folder / "model"),
        lambda: export.export_gguf(base, folder / "m.gguf", "Q8_0", adapter=adapter, name="tiny"),
    ]
    found = []
    for way in ways:
        tracemalloc.start()
        way()
        found.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return found, (base / "model.safetensors").stat().st_size


def test_memory_does_not_grow_with_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SLAB", 1 << 15)
    few, _ = peaks(tmp_path / "few", rows=448, layers=1)
    many, weights = peaks(tmp_path / "many", rows=8192, layers=6)
    assert weights > 60e6
    assert all(after < before + 2e6 for before, after in zip(few, many, strict=True))
