"""run-summary.json: what was used, what was done, what came out."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import Mode
from idiolect.curation import Fate
from idiolect.errors import IdiolectError
from idiolect.files import sha256
from idiolect.machines import billed
from idiolect.serving import CONTEXT
from idiolect.training import TrainingResult, read_result
from idiolect.workflow.planning.plan import Plan
from idiolect.workflow.records.journal import Journal


class StepSummary(msgspec.Struct, frozen=True):
    """A step that has ended."""

    step: str
    outcome: str
    seconds: float


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run; of a failed one, as far as it came."""

    label: str
    cycle: str
    person: str
    state: str
    error: str = ""
    began: datetime
    ended: datetime
    base_model: str
    quantization: str
    seed: int
    options: dict[str, Any]
    """Option → its value, and where that came from."""
    system_messages: Mapping[Mode, str]
    turn_end: str = ""
    """The token that ends a reply."""
    go_template: str | None = None
    """The chat template for an Ollama before 0.30, where there is one."""
    context: int = 0
    """Tokens that the longest text had that was trained on, prompt and replies; 0 where this was not noted."""
    usable: bool = False
    """Whether a run that failed has left a model file that loads and talks all the same."""
    memories: dict[str, int] = {}
    """What became of the memory files: trained on, held out, or dropped by which rule."""
    training: TrainingResult | None = None
    steps: Sequence[StepSummary]
    files: dict[str, Any] = {}
    """File → its bytes and SHA-256."""
    cost_dollars: float = 0.0
    """What rented machines took; this one costs nothing."""
    versions: dict[str, str]

    @property
    def holds(self) -> int:
        """Tokens of a conversation that the model is asked with: as many as it was trained on."""
        stated = self.options.get("max_seq_length", {}).get("value") if not self.context else self.context
        return stated if isinstance(stated, int) and stated > 0 else CONTEXT


def succeeded(plan: Plan, journal: Journal) -> Summary:
    fates = [msgspec.json.decode(line, type=Fate) for line in plan.run.ledger.read_bytes().splitlines()]
    files = sorted(f for f in plan.run.folder.rglob("*") if f.is_file() and f not in (plan.run.summary, plan.run.log))
    return msgspec.structs.replace(
        _summary(plan, journal),
        state="succeeded",
        memories=dict(Counter(f.rule or f.fate for f in fates)),
        training=read_result(plan.run.bundle) if plan.run.weights.exists() else None,
        files={str(f.relative_to(plan.run.folder)): file_facts(f) for f in files},
    )


def failed(plan: Plan, journal: Journal, step: str, error: IdiolectError, *, usable: bool) -> Summary:
    summary = _summary(plan, journal)
    return msgspec.structs.replace(summary, state="failed", error=f"{step}: {error.problem}", usable=usable)


def read_summary(path: Path) -> Summary:
    return msgspec.json.decode(path.read_bytes(), type=Summary)


def _summary(plan: Plan, journal: Journal) -> Summary:
    options = plan.data.options.model_dump()
    return Summary(
        label=plan.run.label,
        cycle=plan.run.cycle.name,
        person=plan.data.profile.person,
        state="",
        began=journal.began,
        ended=datetime.now(UTC),
        base_model=plan.target.base.name,
        quantization=plan.run.quantization,
        seed=plan.data.options.seed,
        options={k: {"value": v, "from": plan.data.settings.origins[k]} for k, v in options.items()},
        system_messages=plan.data.systems,
        turn_end=plan.target.template.turn_end,
        go_template=plan.target.go_template,
        context=plan.target.longest(plan.data.options),
        cost_dollars=billed(plan.run.bills) or 0.0,
        steps=[StepSummary(r.step, r.outcome, r.seconds) for r in journal.steps],
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in ("idiolect", "gguf", "xllamacpp")},
        },
    )


def file_facts(file: Path) -> dict[str, Any]:
    """Return a file's size and hash."""
    return {"bytes": file.stat().st_size, "sha256": sha256(file)}
