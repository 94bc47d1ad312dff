"""The loss of a model file: that of the model which it was made from, and a little more for the bits that it saves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from idiolect.bases import BaseModel
from idiolect.dataset import TrainingText
from idiolect.errors import BaseModelFault
from idiolect.evaluation import gguf_loss, unquantized_loss
from idiolect.export import dequantized, export_gguf
from idiolect.memories.sample_person import sample_events
from idiolect.training import mean_loss
from tests.tiny import SENTENCES, write_model, write_tokenizer


def text(number: int, asked: str, answered: str) -> TrainingText:
    begin = f"<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"
    learned = ((len(begin), len(begin) + len(answered) + len("<|im_end|>")),)
    whole = f"{begin}{answered}<|im_end|>\n"
    return TrainingText(id=str(number), split="held_out", mode="emulation", text=whole, learned=learned)


TEXTS = [text(n, f"{n}?", " ".join(random.Random(n).choices(SENTENCES, k=3))) for n in range(8)]


def transformers_loss(folder: Path, texts: Sequence[TrainingText]) -> float:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return mean_loss(model, texts, folder / "tokenizer.json")


def test_the_loss_of_a_file_is_that_of_its_model(tmp_path: Path) -> None:
    base, file = write_model(tmp_path / "base", "Llama", "bfloat16"), tmp_path / "m.gguf"
    write_tokenizer(base)
    exact = unquantized_loss(base, None, TEXTS, base / "tokenizer.json")
    assert exact == pytest.approx(transformers_loss(base, TEXTS), abs=1e-6)
    off = {}
    for quantization in ("BF16", "Q8_0", "Q4_K_M"):
        export_gguf(base, file, quantization, name="tiny")
        off[quantization] = abs(gguf_loss(file, base, TEXTS, base / "tokenizer.json") - exact)
    assert off["BF16"] < 1e-6 < off["Q8_0"] < off["Q4_K_M"] < 0.1


def test_a_file_of_another_model_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="tiny")
    with pytest.raises(BaseModelFault, match=r"no blk\.0\.ffn_up\.weight of the shape \(512, 256\)"):
        gguf_loss(tmp_path / "m.gguf", write_model(tmp_path / "other", "Llama"), TEXTS, tiny_base / "tokenizer.json")


@pytest.mark.slow
def test_quantizing_the_embedded_model_costs_little_of_its_loss(embedded_model: BaseModel, tmp_path: Path) -> None:
    talks = [(e["content"], e["response"]) for e in sample_events() if e.get("response") and e.get("content")]
    texts = [text(n, *talk) for n, talk in enumerate(talks[:30])]
    base, cost = embedded_model.folder, {}
    exact = transformers_loss(base, texts)
    for quantization in ("Q8_0", "Q6_K", "Q4_K_M"):
        export_gguf(base, tmp_path / quantization, quantization, name="SmolLM2")
        cost[quantization] = gguf_loss(tmp_path / quantization, base, texts, base / "tokenizer.json") - exact
    assert abs(cost["Q8_0"]) < 0.01
    assert cost["Q6_K"] < cost["Q4_K_M"] < 0.15


@pytest.mark.slow
def test_weights_are_read_back_as_transformers_reads_them(embedded_model: BaseModel, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    export_gguf(embedded_model.folder, tmp_path / "m.gguf", "Q4_K_M", name="SmolLM2")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="m.gguf", dtype=torch.float32).state_dict()
    ours = dict(dequantized(tmp_path / "m.gguf", embedded_model.folder))
    assert theirs.keys() - ours.keys() == {"lm_head.weight"}
    assert all(torch.equal(theirs[name], torch.from_numpy(values)) for name, values in ours.items())
