"""What is decided about a job on machines that have this and lack that."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import pytest

from idiolect.config import Options
from idiolect.training.attention import BY_SAMPLE
from idiolect.training.bundle import Job
from idiolect.training.machine import Has, decide

GPU = Has(gpu=True, bfloat16=True, bitsandbytes=True, flash_attention=True)
CPU = Has(gpu=False, bfloat16=False, bitsandbytes=True, flash_attention=True)


def job(trains: Literal["adapter", "model"] = "adapter", **options: Any) -> Job:
    return Job(Path(), trains, None, Options(**options), ())


def test_a_gpu_with_everything_does_what_was_asked() -> None:
    setup = decide(job(), 1, GPU)
    assert (setup.device, setup.dtype, setup.optimizer) == ("cuda", "bfloat16", "paged_adamw_8bit")
    assert (setup.in_4bit, setup.activation_checkpointing, setup.note) == (True, True, "")
    assert setup.attention == "flash_attention_2"
    assert not decide(job("model"), 1, GPU).in_4bit


@pytest.mark.parametrize(
    ("trains", "processes", "lacks", "note", "optimizer"),
    [
        ("adapter", 1, "bitsandbytes", "bitsandbytes is not installed", "adamw_torch"),
        ("model", 2, "", "paged_adamw_8bit cannot take sharded weights", "adamw_torch"),
        ("adapter", 2, "", "", "paged_adamw_8bit"),
        ("adapter", 1, "bfloat16", "no bfloat16: float32", "paged_adamw_8bit"),
        ("adapter", 1, "flash_attention", "", "paged_adamw_8bit"),
    ],
)
def test_what_a_gpu_lacks_is_done_without(trains: Any, processes: int, lacks: str, note: str, optimizer: str) -> None:
    has = dataclasses.replace(GPU, **{lacks: False}) if lacks else GPU
    setup = decide(job(trains), processes, has)
    assert note in setup.note
    assert bool(note) == bool(setup.note)
    assert setup.optimizer == optimizer
    assert setup.in_4bit == (trains == "adapter" and lacks != "bitsandbytes")
    assert setup.dtype == ("float32" if lacks == "bfloat16" else "bfloat16")
    assert setup.attention == ("sdpa" if lacks in ("bfloat16", "flash_attention") else "flash_attention_2")


def test_a_cpu_that_can_do_all_that_was_asked_says_nothing() -> None:
    asked = job(dtype="float32", optimizer="adafactor", load_in_4bit=False, use_gradient_checkpointing=False)
    setup = decide(asked, 1, CPU)
    assert (setup.device, setup.dtype, setup.optimizer, setup.note) == ("cpu", "float32", "adafactor", "")
    assert (setup.in_4bit, setup.activation_checkpointing, setup.attention) == (False, False, BY_SAMPLE)
