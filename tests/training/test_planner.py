"""Which machine a training fits, for how long and how much, and what to change where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from idiolect.bases import dissect
from idiolect.config import FULL_FINE_TUNE, Options
from idiolect.training import Computer, Forecast, Trains, Work, forecast_gpus, forecasts, measured_rate
from idiolect.training.planner import GIB, operations
from tests.published import LLAMA_31_8B, QWEN3_14B

QWEN = dissect(QWEN3_14B, "Qwen3-14B")
LLAMA = dissect(LLAMA_31_8B, "Llama-3.1-8B")
WORK = Work(samples=1000, tokens=100_000, learned=60_000, longest=400, source="")
HERE = Computer(memory=16 * GIB, rate=4e11)


def made(trains: Trains = "adapter", model: Any = QWEN, **settings: Any) -> dict[str, Forecast]:
    defaults = FULL_FINE_TUNE if trains == "model" else {}
    return {f.machine: f for f in forecasts(model, Options(**defaults | settings), trains, WORK, HERE)}


def test_an_adapter_of_14_billion_weights_fits_24_gib_in_4_bit_only() -> None:
    assert made()["RTX 4090"].fits
    unpacked = made(load_in_4bit=False)["RTX 4090"]
    assert not unpacked.fits
    assert unpacked.change == "load_in_4bit true"
    assert made(load_in_4bit=False)["A40"].fits


def test_all_of_14_billion_weights_want_80_gib_and_no_setting_helps_below() -> None:
    every = made("model")
    assert {name for name, f in every.items() if f.fits} >= {"A100 80GB", "H100 SXM", "H200", "B200"}
    assert every["RTX 4090"].change == "7 of them (FSDP)"
    assert every["this computer, without a GPU"].change == ""
    with_adam = made("model", optimizer="adamw_torch")
    assert with_adam["A100 80GB"].change == "optimizer adafactor"


def test_just_the_settings_that_are_needed_are_named() -> None:
    wasteful = made(load_in_4bit=False, use_gradient_checkpointing=False, dtype="float32", max_seq_length=4096)
    assert wasteful["B200"].fits
    assert wasteful["A40"].change == "dtype bfloat16"
    assert wasteful["RTX 5090"].change == "dtype bfloat16, use_gradient_checkpointing true"
    assert wasteful["RTX 4090"].change == "load_in_4bit true"
    for forecast in wasteful.values():
        assert forecast.fits == (forecast.memory.peak <= forecast.room)


def test_what_a_change_promises_is_so() -> None:
    changed = made(load_in_4bit=False, max_seq_length=8192, use_gradient_checkpointing=False)["RTX 3090"].change
    named: dict[str, Any] = dict(setting.split(" ") for setting in changed.split(", "))
    asked: dict[str, Any] = {"load_in_4bit": False, "max_seq_length": 8192, "use_gradient_checkpointing": False} | named
    assert made(**asked)["RTX 3090"].fits


def test_rows_are_halved_before_a_setting_is_changed() -> None:
    tight, roomy = (
        made(use_gradient_checkpointing=False, load_in_4bit=False, dtype="float32")[name]
        for name in ("A100 80GB", "B200")
    )
    assert tight.fits
    assert tight.memory.activations < roomy.memory.activations
    assert tight.memory.weights == roomy.memory.weights


@pytest.mark.parametrize(("trains", "checkpointing", "factor"), [
    ("adapter", False, 4), ("adapter", True, 6), ("model", False, 6), ("model", True, 8),
])  # fmt: skip
def test_operations_are_so_many_a_weight_and_token(trains: Trains, checkpointing: bool, factor: int) -> None:
    options = Options(num_train_epochs=2, use_gradient_checkpointing=checkpointing)
    everything_learned = Work(1000, 100_000, 100_000, 400, "")
    weights = LLAMA.parameters - LLAMA.embedding
    done = operations(LLAMA, options, trains, everything_learned)
    assert done == pytest.approx(factor * weights * 200_000, rel=0.02)


def test_time_is_operations_over_a_share_of_the_peak_and_money_is_time() -> None:
    here = made()["this computer, without a GPU"]
    done = operations(QWEN, Options(use_gradient_checkpointing=False), "adapter", WORK)
    assert here.seconds == pytest.approx(done / (4e11 * 0.35))
    assert here.dollars is None
    (short, cheap), (long, dear) = (time_and_money(made(num_train_epochs=n)["RTX 3090"]) for n in (3, 30))
    assert time_and_money(made()["H100 SXM"])[0] < short
    assert long == pytest.approx(10 * short)
    assert dear - cheap == pytest.approx(0.40 * (long - short) / 3600)


def time_and_money(forecast: Forecast) -> tuple[float, float]:
    assert forecast.seconds is not None
    assert forecast.dollars is not None
    return forecast.seconds, forecast.dollars


def test_where_nothing_was_measured_no_time_is_given() -> None:
    here = forecasts(LLAMA, Options(), "adapter", WORK, Computer(64 * GIB, None))[0]
    assert here.fits
    assert here.seconds is None


@pytest.mark.slow
def test_this_computer_multiplies_matrices() -> None:
    rate = measured_rate("float32")
    assert rate is not None
    assert 1e8 < rate < 1e15


def test_of_gpus_that_are_not_in_the_table_memory_is_foreseen() -> None:
    adapter, whole = Options(), Options(**FULL_FINE_TUNE)
    assert forecast_gpus(QWEN, adapter, "adapter", WORK, [24 * GIB]).memory == made()["RTX 4090"].memory
    # The smallest must suffice; an adapter's base is on each, a whole model is divided.
    assert not forecast_gpus(QWEN, adapter, "adapter", WORK, [80 * GIB, 8 * GIB]).fits
    assert forecast_gpus(QWEN, whole, "model", WORK, [80 * GIB]).fits
    assert not forecast_gpus(QWEN, whole, "model", WORK, [24 * GIB] * 2).fits
    assert forecast_gpus(QWEN, whole, "model", WORK, [24 * GIB] * 4).fits
