"""run-summary.json: what was used, what was done, what came out."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import msgspec

from idiolect.config import MODES, Mode
from idiolect.curation import Fate
from idiolect.errors import IdiolectError, UserFault
from idiolect.files import DAMAGED, regular_bytes, sha256
from idiolect.home import Run
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
    state: Literal["", "succeeded", "failed"]
    error: str = ""
    began: datetime
    ended: datetime
    base_model: str
    quantization: str
    seed: int
    options: dict[str, dict[str, Any]]
    """Option → its `value`, and where that came `from`."""
    system_messages: Mapping[Mode, str]
    turn_end: str = ""
    """The token that ends a reply."""
    go_template: str | None = None
    """The chat template for an Ollama before 0.30, where there is one."""
    context: int = 0
    """Tokens that the longest text had that was trained on, prompt and replies; 0 where this was not noted."""
    usable: bool = False
    """Whether a run that did not succeed has left a model file that loads and talks all the same."""
    memories: dict[str, int] = {}
    """What became of the memory files: trained on, held out, or dropped by which rule."""
    training: TrainingResult | None = None
    steps: Sequence[StepSummary]
    files: dict[str, Any] = {}
    """File → its bytes and SHA-256."""
    cost_dollars: float = 0.0
    """What rented machines took; this one costs nothing."""
    versions: dict[str, str]

    def __post_init__(self) -> None:
        if missing := [mode for mode in MODES if mode not in self.system_messages]:
            raise ValueError(f"no system message for {', '.join(missing)}")
        if bad := [name for name, option in self.options.items() if not {"value", "from"} <= option.keys()]:
            raise ValueError(f"no value of {', '.join(bad)}")

    @property
    def holds(self) -> int:
        """Tokens of a conversation that the model is asked with: as many as it was trained on."""
        stated = self.options.get("max_seq_length", {}).get("value") if not self.context else self.context
        return stated if isinstance(stated, int) and stated > 0 else CONTEXT


class OfMetaHuman(UserFault):
    """A run that MetaHuman OS has made: its folder has the same name and place, its summary other keys."""


def succeeded(plan: Plan, journal: Journal) -> Summary:
    fates = [msgspec.json.decode(line, type=Fate) for line in regular_bytes(plan.run.ledger).splitlines()]
    files = sorted(f for f in plan.run.folder.rglob("*") if f.is_file() and f not in (plan.run.summary, plan.run.log))
    return msgspec.structs.replace(
        _summary(plan, journal),
        state="succeeded",
        memories=dict(Counter(f.rule or f.fate for f in fates)),
        training=read_result(plan.run.bundle) if plan.run.weights.exists() else None,
        files={str(f.relative_to(plan.run.folder)): file_facts(f) for f in files},
    )


def so_far(plan: Plan, journal: Journal) -> Summary:
    """Return what there is to say of a run whose model file is whole and compared with training, whatever ends it."""
    return msgspec.structs.replace(_summary(plan, journal), usable=True)


def failed(plan: Plan, journal: Journal, step: str, error: IdiolectError, *, usable: bool) -> Summary:
    summary = _summary(plan, journal)
    return msgspec.structs.replace(summary, state="failed", error=f"{step}: {error.problem}", usable=usable)


def read_summary(path: Path) -> Summary:
    """Read a run's summary. Raises OfMetaHuman for one that MetaHuman OS wrote, UserFault for a damaged one."""
    try:
        return msgspec.json.decode(regular_bytes(path), type=Summary)
    except DAMAGED as error:
        if _is_of_metahuman(path):
            raise OfMetaHuman(
                f"{path.parent.name} is a run of MetaHuman OS: {path} is not of Idiolect.",
                "What it left is used with MetaHuman OS; train one here: idiolect full-cycle --username NAME",
            ) from None
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserFault(
            f"{path} cannot be read: {reason}",
            "Put a whole copy back, or move the file away: the run's other files can be used without it.",
        ) from error


def summary_of(run: Run) -> Summary | None:
    """Return a run's summary; None where there is none of ours, or none that can be read."""
    try:
        return read_summary(run.summary)
    except UserFault:
        return None


def is_ours(run: Run) -> bool:
    """Whether this program has made a run, by its own record: a summary of ours, a journal, or usable.json.

    A damaged summary without a journal says nothing: such a run is nobody's to change.
    """
    return run.journal.exists() or run.usable.exists() or summary_of(run) is not None


def _is_of_metahuman(path: Path) -> bool:
    """Whether a summary has the keys of MetaHuman OS' cycles (its fine-tune-cycle.ts, lora-trainer.ts)."""
    try:
        written: Any = msgspec.json.decode(regular_bytes(path))
    except DAMAGED:
        return False
    return isinstance(written, dict) and not {"runId", "runLabel", "run_id", "run_label"}.isdisjoint(written)


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
