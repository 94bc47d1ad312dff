"""An evaluation as it would be, for what is decided and drawn from one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from idiolect.dataset import Quality
from idiolect.evaluation import Answers, Evaluation, MadeOf, Month, Parity
from idiolect.evaluation.canaries import Canary
from idiolect.evaluation.evaluated import Against, Blind, Trained
from idiolect.evaluation.fidelity import Fidelity, Loss
from idiolect.evaluation.memorized import Recited
from idiolect.evaluation.model_files import Quantized
from idiolect.evaluation.resampling import Estimate, share
from idiolect.evaluation.voice import voice
from idiolect.training import Measured, TrainingResult

OWN = [
    f"Up betimes and by water to my Lord, thence home to dinner with my wife, number {n}; so to bed." for n in range(60)
]
MACHINE = [f"I'm glad you asked! Here are {n} helpful suggestions that you might consider today." for n in range(12)]


def loss(before: float, after: float, spread: float = 0.1, samples: int = 40) -> Loss:
    gain = before - after
    return Loss(
        samples=samples,
        tokens=samples * 30,
        before=Estimate(before, before - spread, before + spread),
        after=Estimate(after, after - spread, after + spread),
        gain=Estimate(gain, gain - spread, gain + spread),
    )


@pytest.fixture
def evaluation() -> Evaluation:
    """A good first run of somebody with a taste for markup."""
    texts = {"base": MACHINE, "new": [*MACHINE[:3], *OWN[40:49]], "real": OWN[:12]}
    return Evaluation(
        person="<b>Samuel</b> & Elisabeth",
        label="2026-11-25-120000-abcdef",
        cycle="full-cycle",
        base_model="embedded",
        quantization="Q4_K_M",
        made_of=MadeOf(
            quality=_quality(),
            memories={"train": 140, "held_out": 20, "said before": 7},
            seconds={"curate": 0.4, "train": 120.0, "quantize": 3.0},
            gguf_bytes=105_000_000,
        ),
        trained=Trained(
            fidelity=Fidelity(loss(4.9, 3.9), {"emulation": loss(4.8, 3.8)}, {"1660-Q1": loss(5.0, 4.0)}),
            general=loss(1.2, 1.4, 0.05),
            seen=loss(4.9, 3.7),
            canaries=(),
            measured=Measured(curve=tuple((n, 5 - n / 40) for n in range(1, 41)), held_out=(), probes=()),
            result=_result(),
        ),
        served=loss(3.9, 3.95, 0.01),
        voice=voice(OWN, ["emulation"] * 40 + ["dual"] * 20, texts, ["emulation"] * 8 + ["dual"] * 4),
        recited={"train": Recited(12, 0, share(0, 12)), "held_out": Recited(12, 0, share(0, 12))},
        verbatim=1,
        answers=tuple(
            Answers(id=f"{n}", mode="dual", prompt=f"<i>{n}</i>?", real=OWN[n], base=MACHINE[n], new=texts["new"][n])
            for n in range(12)
        ),
    )


@pytest.fixture
def monthly(evaluation: Evaluation) -> Evaluation:
    """The same beside an earlier run, audited, and judged by the person: all that a report can show."""
    return msgspec.structs.replace(
        evaluation,
        answers=tuple(msgspec.structs.replace(a, previous="Woke and rose.") for a in evaluation.answers),
        against=Against(label="2026-10-25-120000-abcdef", now=loss(4.1, 3.9), then=loss(4.0, 3.95), by_quarter={}),
        months=tuple(_month(number) for number in range(4)),
        blind=Blind(asked=10, right=7, share=share(7, 10), at=datetime(2026, 11, 25, tzinfo=UTC)),
        trained=msgspec.structs.replace(
            evaluation.trained, canaries=(Canary("locker", 20, 19.9, True), Canary("garden gate", 0, 0.4, False))
        ),
        made_of=msgspec.structs.replace(evaluation.made_of, cost_dollars=1.25),
        parity=Parity(12, []),
        quantizations=(
            Quantized(quantization="Q4_K_M", bytes=105_000_000, loss=loss(3.9, 3.95, 0.01)),
            Quantized(quantization="Q6_K", bytes=138_000_000, loss=loss(3.9, 3.905, 0.01)),
        ),
        not_measured={"modes": "There are too few texts of two modes to train judges on."},
    )


def _month(number: int) -> Month:
    """Return what a run came to beside the new one: each knows the first quarter a little less than the one before."""
    return Month(
        label=f"2026-{7 + number:02}-25-120000-abcdef",
        published=number != 1,
        all=loss(4.4 - number / 10, 3.9, samples=30 + number),
        by_quarter={"1660-Q1": loss(3.5 + number / 10, 4.0, 0.15, samples=20)},
        general=loss(1.3 + number / 50, 1.4, 0.05),
    )


def _quality() -> Quality:
    values: dict[str, Any] = dict.fromkeys(Quality.__struct_fields__, 3)
    shares = {"modes": {"emulation": 0.7, "dual": 0.3, "agent": 0.0}, "languages": {"en": 1.0}}
    counts = {
        "dropped": {"said before": 7},
        "masked": {"EMAIL": 2},
        "lengths": {"1 to 10": 3},
        "over_time": {"1660": 3},
    }
    return Quality(**(values | shares | counts))


def _result() -> TrainingResult:
    return TrainingResult(
        loss_before=4.9,
        loss_after=3.9,
        loss_by_epoch=(4.1, 3.9),
        best_epoch=2,
        samples=140,
        learned_tokens=6000,
        steps=40,
        trained_parameters=2_000_000,
        seconds=120.0,
        device="cpu",
        dtype="bfloat16",
        optimizer="adamw_torch",
        versions={},
    )
