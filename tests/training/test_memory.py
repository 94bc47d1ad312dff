"""Memory and adapters are counted as PEFT and PyTorch make them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from idiolect.bases import BaseModel, dissect
from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.errors import OptionFault
from idiolect.training import Work, adapter_parameters, write_bundle
from idiolect.training.memory import NF4, memory
from idiolect.training.planner import without_gpu
from idiolect.training.work import ROW_TOKENS, Device, Row, Trains, largest_row
from tests.published import LLAMA_31_8B, QWEN3_14B
from tests.tiny import write_model

QWEN = dissect(QWEN3_14B, "Qwen3-14B")
ROW = Row(tokens=4096, learned=2456, sample=400)
GB = 1e9


def changed(**settings: Any) -> Options:
    return Options(**settings)


@pytest.mark.parametrize(
    ("kind", "settings", "targets"),
    [
        ("Gemma3", {"head_dim": 24}, "all-linear"),
        ("Llama", {"attention_bias": True}, "all-linear"),
        ("Llama", {}, "q_proj, v_proj"),
        ("Llama", {}, "q_proj,lm_head"),
        ("Mistral", {}, "embed_tokens,o_proj"),
        ("Phi3", {"pad_token_id": None}, "all-linear"),
        ("Phi3", {"pad_token_id": None}, "qkv_proj"),
        ("Qwen2", {}, "all-linear"),
        ("Qwen3", {"head_dim": 24}, "gate_proj,up_proj,down_proj"),
    ],
)
def test_adapters_are_counted_as_peft_makes_them(
    tmp_path: Path, kind: str, settings: dict[str, Any], targets: str
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = write_model(tmp_path / kind, kind, hidden_size=64, intermediate_size=96, num_hidden_layers=2, **settings)
    modules = targets if targets == "all-linear" else [t.strip() for t in targets.split(",")]
    config = LoraConfig(task_type="CAUSAL_LM", r=5, target_modules=modules)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), config)
    anatomy = dissect(json.loads((folder / "config.json").read_bytes()), kind)
    counted = adapter_parameters(anatomy, changed(lora_rank=5, lora_target_modules=targets))
    assert counted == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_layers_that_a_model_does_not_have_are_refused() -> None:
    phi = dissect({**LLAMA_31_8B, "architectures": ["Phi3ForCausalLM"]}, "phi")
    with pytest.raises(OptionFault, match="Phi3ForCausalLM has none of q_proj"):
        adapter_parameters(phi, changed(lora_target_modules="q_proj"))


def test_four_bit_takes_hold_of_the_layers_matrices_alone() -> None:
    whole = memory(QWEN, changed(load_in_4bit=False), "adapter", ROW, "gpu").weights
    packed = memory(QWEN, changed(load_in_4bit=True), "adapter", ROW, "gpu").weights
    assert whole == 2 * QWEN.parameters
    unpacked = 2 * 5120 * 17_408
    assert packed == int(NF4 * QWEN.in_linears) + 2 * (QWEN.parameters - QWEN.in_linears) + unpacked
    assert float(NF4) == pytest.approx(0.5159, abs=1e-4)


def test_what_is_said_of_a_model_of_14_billion_weights() -> None:
    """docs/plan.md says these."""
    lora = memory(QWEN, changed(), "adapter", ROW, "gpu").peak / GB
    lora_16 = memory(QWEN, changed(load_in_4bit=False), "adapter", ROW, "gpu").peak / GB
    adafactor = memory(QWEN, changed(optimizer="adafactor", load_in_4bit=False), "model", ROW, "gpu").peak / GB
    adam_8 = memory(QWEN, changed(optimizer="adamw_8bit", load_in_4bit=False), "model", ROW, "gpu").peak / GB
    short = memory(QWEN, changed(), "adapter", Row(512, 308, 400), "gpu").peak / GB
    assert short == pytest.approx(12.4, abs=0.1)
    assert lora == pytest.approx(19.7, abs=0.1)
    assert lora_16 == pytest.approx(39.2, abs=0.1)
    assert adafactor == pytest.approx(76.0, abs=0.1)
    assert adam_8 == pytest.approx(99.4, abs=0.1)


@pytest.mark.parametrize("trains", ["adapter", "model"])
@pytest.mark.parametrize("device", ["gpu", "cpu"])
@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"use_gradient_checkpointing": True}, {"use_gradient_checkpointing": False}),
        ({"dtype": "bfloat16"}, {"dtype": "float32"}),
        ({"optimizer": "adamw_8bit"}, {"optimizer": "adamw_torch"}),
    ],
)
def test_what_saves_memory_does(trains: Trains, device: Device, less: dict[str, Any], more: dict[str, Any]) -> None:
    fixed = {"load_in_4bit": False}
    saved, spent = (memory(QWEN, changed(**fixed | o), trains, ROW, device).peak for o in (less, more))
    assert saved < spent


@pytest.mark.parametrize("trains", ["adapter", "model"])
def test_more_takes_more(trains: Trains) -> None:
    options = changed(load_in_4bit=False, optimizer="adamw_torch", use_gradient_checkpointing=False)
    longer = memory(QWEN, options, trains, Row(8192, 4912, 400), "gpu")
    shorter = memory(QWEN, options, trains, ROW, "gpu")
    smaller = memory(dissect(LLAMA_31_8B, "8B"), options, trains, ROW, "gpu")
    assert longer.activations == 2 * shorter.activations
    assert longer.weights == shorter.weights
    assert smaller.peak < shorter.peak < longer.peak
    ranked = memory(QWEN, options.model_copy(update={"lora_rank": 64}), trains, ROW, "gpu")
    assert (ranked.optimizer > shorter.optimizer) == (trains == "adapter")


def test_the_largest_row_is_full_or_a_large_step_or_the_longest_sample() -> None:
    work = Work(samples=100, tokens=10_000, learned=6000, longest=300, source="")
    assert largest_row(work, 512, changed()) == Row(512, 308, 300)
    assert largest_row(work, 4096, changed()) == Row(2400, 1440, 300)
    assert largest_row(work, 128, changed()) == Row(300, 180, 300)
    assert largest_row(work, 512, changed(max_seq_length=256)) == Row(512, 308, 256)
    assert largest_row(Work(1, 40, 40, 40, ""), 512, changed()) == Row(40, 40, 40)


@pytest.mark.slow
@pytest.mark.parametrize(("trains", "optimizer"), [("adapter", "adamw_torch"), ("model", "adafactor")])
def test_a_training_takes_what_was_predicted_within_a_quarter(
    tmp_path: Path, embedded_model: BaseModel, trains: Trains, optimizer: str
) -> None:
    options = changed(num_train_epochs=1, optimizer=optimizer, gradient_accumulation_steps=5)
    text = "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n" + "a long walk by the river " * 40 + "<|im_end|>\n"
    start = text.index("a long")
    texts = [
        TrainingText(
            id=f"{n}", split="train" if n else "held_out", mode="dual", text=text, learned=((start, len(text)),)
        )
        for n in range(11)
    ]
    write_bundle(tmp_path / "bundle", trains, options, texts, embedded_model.folder / "tokenizer.json")
    command = ["-m", "idiolect.training", str(tmp_path / "bundle"), "--base", str(embedded_model.folder)]
    measured = _most_memory([sys.executable, *command])
    work = Work(samples=10, tokens=2180, learned=2050, longest=218, source="")
    anatomy = dissect(json.loads((embedded_model.folder / "config.json").read_bytes()), "embedded")
    row = largest_row(work, ROW_TOKENS["cpu"], options)
    predicted = memory(anatomy, without_gpu(options), trains, row, "cpu").peak
    assert measured == pytest.approx(predicted, rel=0.25)


def _most_memory(command: list[str]) -> int:
    """Return the most bytes that a process held, of its own: the system keeps the most of all children together."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss * 1024
