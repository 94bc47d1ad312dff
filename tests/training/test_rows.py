"""Batch fusion: fused rows give the loss and the gradients of the same samples taken one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from idiolect.dataset import TokenizedSample, TrainingText, tokenize
from idiolect.training.attention import BY_SAMPLE, register
from idiolect.training.loop import summed_loss
from idiolect.training.rows import fuse, share
from tests.tiny import ROWS, write_model
from tests.training.jobs import texts


def samples(count: int, seed: int = 0) -> list[TokenizedSample]:
    """Random talks of 5 to 60 tokens with one or two learned stretches."""
    draw = torch.Generator().manual_seed(seed)

    def number(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=draw))

    made = []
    for n in range(count):
        length = number(5, 60)
        start = number(0, length - 3)
        learned = tuple(start <= i < start + 3 or i >= length - 2 for i in range(length))
        tokens = tuple(torch.randint(0, ROWS, (length,), generator=draw).tolist())
        made.append(TokenizedSample(f"{n}", tokens, learned))
    return made


def test_rows_hold_each_token_once_within_the_budget() -> None:
    made = samples(40)
    step = fuse(made, 128)
    lengths = [row["input_ids"].shape[1] for row in step["rows"]]
    assert sum(lengths) == sum(len(s.tokens) for s in made)
    assert max(lengths) <= 128
    assert len(lengths) <= -(-sum(lengths) // 128) + 1
    assert step["learned_tokens"] == sum(len(row["targets"]) for row in step["rows"])
    starts = sum(int((row["position_ids"] == 0).sum()) for row in step["rows"])
    assert starts == 40


def test_a_sample_longer_than_the_budget_has_a_row_of_its_own() -> None:
    long = TokenizedSample("long", tuple(range(100)), (True,) * 100)
    step = fuse([*samples(3), long], 64)
    assert step["rows"][0]["input_ids"].tolist() == [list(range(100))]
    assert step["rows"][0]["predicting"].tolist() == list(range(99))


@pytest.mark.parametrize("kind", ["Llama", "Qwen3", "Gemma3"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("trains", ["adapter", "model"])
def test_fused_gradients_equal_those_of_one_by_one(tmp_path: Path, kind: str, attention: str, trains: str) -> None:
    folder = write_model(tmp_path / kind, kind, hidden_size=64, intermediate_size=96, head_dim=16)
    assert_equal(*(gradients(folder, attention, trains, budget) for budget in (1, 256)))


SEEING_ALL: dict[str, Any] = {"head_dim": 16}
SEEING_16: dict[str, Any] = {"head_dim": 16, "sliding_window": 16}
SEEING_BOTH: dict[str, Any] = {**SEEING_16, "layer_types": ["sliding_attention", "full_attention"] * 2}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Gemma3", SEEING_BOTH),
        ("Llama", SEEING_ALL),
        ("Mistral", SEEING_16),
        ("Phi3", {"sliding_window": 16, "pad_token_id": None}),
        ("Qwen2", {}),
        ("Qwen3", SEEING_ALL),
    ],
)
def test_attending_by_sample_gives_the_gradients_of_one_by_one(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    register()
    folder = write_model(tmp_path / kind, kind, hidden_size=64, intermediate_size=96, **settings)
    assert_equal(gradients(folder, "eager", "adapter", 1), gradients(folder, BY_SAMPLE, "adapter", 256))


def assert_equal(one_by_one: dict[str, Any], fused: dict[str, Any]) -> None:
    assert fused["loss"] == pytest.approx(one_by_one["loss"], abs=1e-5)
    assert len(fused) > 30
    for name, gradient in one_by_one.items():
        if name != "loss":
            torch.testing.assert_close(fused[name], gradient, atol=1e-5, rtol=1e-5)
    assert max(float(g.abs().max()) for n, g in fused.items() if n != "loss") > 1e-3


def gradients(folder: Path, attention: str, trains: str, budget: int) -> dict[str, Any]:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    if trains == "adapter":
        config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
        model = get_peft_model(model, config)
    step = fuse(samples(16), budget)
    loss = sum(summed_loss(model, row) for row in step["rows"]) / step["learned_tokens"]
    assert isinstance(loss, torch.Tensor)
    loss.backward()
    gradients: dict[str, Any] = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return gradients | {"loss": loss.item()}


def test_several_turns_of_a_talk_are_learned_in_one_pass(tmp_path: Path, tiny_base: Path) -> None:
    lines = [line for line in texts() if len(line.learned) == 2][:6]
    made = tokenize(lines, tiny_base / "tokenizer.json")
    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    together = sum(summed_loss(model, row) for row in fuse(made, 512)["rows"])
    apart = []
    for line, sample in zip(lines, made, strict=True):
        for turn in line.learned:
            (alone,) = tokenize([msgspec.structs.replace(line, learned=(turn,))], tiny_base / "tokenizer.json")
            assert 0 < alone.learned_tokens < sample.learned_tokens
            apart.append(summed_loss(model, fuse([alone], 512)["rows"][0]))
    torch.testing.assert_close(together, sum(apart))


@pytest.mark.parametrize("processes", [1, 2, 3, 20])
def test_processes_share_all_samples_about_equally(processes: int) -> None:
    made = samples(16)
    shares = share(made, processes)
    assert sorted(s.id for part in shares for s in part) == sorted(s.id for s in made)
    tokens = [sum(len(s.tokens) for s in part) for part in shares]
    assert max(tokens) - min(tokens) <= 60
    assert shares == share(made, processes)


def test_the_loss_is_the_one_that_transformers_computes(tiny_base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    for sample in samples(5):
        labels = [t if learned else -100 for t, learned in zip(sample.tokens, sample.learned, strict=True)]
        theirs = model(input_ids=torch.tensor([sample.tokens]), labels=torch.tensor([labels])).loss
        ours = summed_loss(model, fuse([sample], 64)["rows"][0]) / sample.learned_tokens
        torch.testing.assert_close(ours, theirs)


def test_just_the_learned_characters_become_learned_tokens(tiny_base: Path) -> None:
    text = "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\nWalk 🐝 home.<|im_end|>\n"
    start = text.index("Walk")
    learned = ((start, text.rindex("<|im_end|>") + len("<|im_end|>")),)
    line = TrainingText(id="a", split="train", mode="dual", text=text, learned=learned)
    (sample,) = tokenize([line], tiny_base / "tokenizer.json")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_base / "tokenizer.json"))
    taught = [t for t, flag in zip(sample.tokens, sample.learned, strict=True) if flag]
    assert tokenizer.decode(taught, skip_special_tokens=False) == "Walk 🐝 home.<|im_end|>"
    assert not any(sample.learned[: sample.learned.index(True)])
