"""What a run came to: evaluation.json, report.html and a verdict, as a step of the cycle and by hand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import Options
from idiolect.curation import Fate
from idiolect.dataset import FormattedSample, Quality, RenderedSample, TrainingText
from idiolect.errors import UserFault
from idiolect.evaluation import (
    Blind,
    Evaluated,
    Evaluation,
    MadeOf,
    ModelFile,
    Pair,
    Thresholds,
    Verdict,
    advice,
    evaluate,
    pairs,
    read_evaluation,
    report_html,
    score,
    trained,
    verdict,
)
from idiolect.export import export_gguf
from idiolect.files import DAMAGED, regular_bytes, write_json, write_text
from idiolect.home import Home, Run
from idiolect.machines import billed
from idiolect.training import read_measured, read_result
from idiolect.workflow.archive.runs import Finished, find_run, known, newest
from idiolect.workflow.archive.summary import file_facts
from idiolect.workflow.data.steps import read_lines, read_records
from idiolect.workflow.models.earlier import before, comparable, month_over_month
from idiolect.workflow.planning.plan import Plan, Target, target, with_weights
from idiolect.workflow.records.journal import read_journal

#: The options that decide what a report says of an evaluation: the verdict, what is asked for, which file to take.
GATE = frozenset({"publish", "publish_gain", "publish_forgetting", "publish_leakage", "quantization_loss"})
#: Model files that are looked at beside a run's own.
_QUANTIZATIONS = ("Q4_K_M", "Q6_K")


def evaluate_step(plan: Plan, _: Callable[[Any], None]) -> str:
    """Evaluate the run that is going on beside the model that is published."""
    earlier = before(plan.data.profile, plan.run.label)
    evaluation = evaluate(
        _evaluated(plan.run, plan.target, plan.target.longest(plan.data.options)),
        base_gguf(plan.data.profile.home, plan.target, plan.run.quantization),
        comparable(earlier, plan.data.profile, plan.target.base.name) if earlier else None,
        _so_far(plan),
        heard_before=plan.data.profile.heard,
    )
    evaluation = month_over_month(plan.data.profile, plan.run, evaluation)
    judged = write_down(plan.run, evaluation, plan.data.options)
    return f"{judged.reason} {advised(evaluation, plan.data.options)}".rstrip()


def evaluate_run(
    home: Home, person: str, label: str, against: str | None, prompts: int | None = None
) -> tuple[Finished, Verdict]:
    """Evaluate a run that has ended once more, beside a run of choice or the one that it was compared with.

    What only the training process can measure stays as it was. `prompts` is how many are asked, if more or fewer than
    in a cycle. Raises UnknownPerson, and UserFault for runs that are not there, or are the same.
    """
    profile, finished = known(home, person), find_run(home, label, person)
    if against == label:
        raise UserFault("A run cannot be compared with itself.", f"See the others: idiolect runs --username {person}")
    so_far = evaluation_of(finished.run)
    made_of = msgspec.structs.replace(so_far.made_of, cost_dollars=finished.summary.cost_dollars)
    so_far = msgspec.structs.replace(so_far, made_of=made_of)
    wanted = against or (so_far.against.label if so_far.against else None)
    earlier = find_run(home, wanted, person) if wanted else None
    aimed = with_weights(home, profile, target(home, profile, finished.summary.base_model))
    evaluation = evaluate(
        _evaluated(finished.run, aimed, finished.summary.holds),
        base_gguf(home, aimed, finished.run.quantization),
        comparable(earlier, profile, aimed.base.name) if earlier else None,
        so_far,
        heard_before=profile.heard,
        prompts=prompts,
    )
    return finished, rewrite(finished, month_over_month(profile, finished.run, evaluation))


def verdict_on(plan: Plan) -> Verdict:
    """Return the verdict on a run that was evaluated."""
    return verdict(read_evaluation(regular_bytes(plan.run.evaluation)), thresholds(plan.data.options))


def rewrite(finished: Finished, evaluation: Evaluation) -> Verdict:
    """Put an evaluation in the place of a finished run's; the summary tells of the new files."""
    run, summary = finished.run, finished.summary
    judged = write_down(run, evaluation, judged_by(finished))
    files = summary.files | {f.name: file_facts(f) for f in (run.evaluation, run.report)}
    written = run.summary if run.summary.exists() else run.usable
    write_json(written, msgspec.structs.replace(summary, files=files))
    return judged


def judged_by(finished: Finished) -> Options:
    """Return the options by which a finished run was judged."""
    asked = finished.summary.options
    return Options(**{name: asked[name]["value"] for name in GATE & asked.keys()})


def advised(evaluation: Evaluation, options: Options) -> str:
    """Say which model file to take, where there is one to advise."""
    return advice(evaluation.quantizations, options.quantization_loss, evaluation.quantization, evaluation.label)


def blind_test(home: Home, person: str, label: str | None, seed: int) -> tuple[Finished, list[Pair]]:
    """Return pairs of a run's answers, or of the newest's: real and generated, in an order that says nothing.

    Raises UserFault for a run that has none.
    """
    finished = find_run(home, label, person) if label else newest(home, person)
    shown = pairs(evaluation_of(finished.run).answers, seed)
    if not shown:
        raise UserFault(f"{finished.run.label} has no answers to show.", "Evaluate it: idiolect evaluate --run LABEL")
    return finished, shown


def keep_blind(finished: Finished, asked: Sequence[Pair], chosen: Sequence[int]) -> Blind:
    """Write into a run's report how often the person told which answer of a pair is theirs."""
    result = score(asked, chosen, datetime.now(UTC))
    rewrite(finished, msgspec.structs.replace(evaluation_of(finished.run), blind=result))
    return result


def write_down(run: Run, evaluation: Evaluation, options: Options) -> Verdict:
    """Write evaluation.json and report.html; return the verdict."""
    judged = verdict(evaluation, thresholds(options))
    write_json(run.evaluation, evaluation)
    write_text(run.report, report_html(evaluation, judged, options.publish, advised(evaluation, options)))
    return judged


def thresholds(options: Options) -> Thresholds:
    return Thresholds(options.publish_gain, options.publish_forgetting, options.publish_leakage)


def evaluation_of(run: Run) -> Evaluation:
    """Read a run's evaluation. Raises UserFault for a run without one."""
    try:
        return read_evaluation(regular_bytes(run.evaluation))
    except DAMAGED as error:
        raise UserFault(
            f"{run.evaluation} cannot be read: {error}",
            "Only runs that came to their end have one; train anew: idiolect full-cycle.",
        ) from error


def base_gguf(home: Home, target: Target, quantization: str) -> Path:
    """Return the base model as a model file of that quantization, made once."""
    files = sorted(target.base.folder.glob("*.safetensors"))
    stamps = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    which = hashlib.sha256(f"{target.base.folder} {stamps} {target.template.source}".encode()).hexdigest()[:16]
    path = home.base_ggufs / f"{which}-{quantization}.gguf"
    if not path.exists():
        export_gguf(target.base.folder, path, quantization, name=target.base.name, chat_template=target.template.source)
    return path


def _evaluated(run: Run, target: Target, context: int) -> Evaluated:
    return Evaluated(
        label=run.label,
        gguf=run.gguf,
        quantization=run.quantization,
        others=[_other(run, target, name) for name in _QUANTIZATIONS if name != run.quantization],
        formatted=read_records(run.formatted, FormattedSample),
        rendered=read_records(run.schema_applied, RenderedSample),
        lines=read_lines(run.dataset, TrainingText),
        tokenizer=target.tokenizer,
        template=target.template,
        context=context,
    )


def _other(run: Run, target: Target, quantization: str) -> ModelFile:
    """Return another model file of a run: one that is there, or how it is made, to be looked at and removed."""
    there = run.another_gguf(quantization)
    if there.exists():
        return ModelFile(quantization, there)
    lora = run.cycle.trains == "adapter"
    make = partial(
        export_gguf,
        target.base.folder if lora else run.model,
        quantization=quantization,
        adapter=run.weights if lora else None,
        importance=run.importance if run.importance.exists() else None,
        name=run.label,
        chat_template=target.template.source,
    )
    # Named as what is half done is: if this is killed, whoever goes on with the run removes it.
    return ModelFile(quantization, run.folder / f".{quantization}.partial", make)


def _so_far(plan: Plan) -> Evaluation:
    """Return what is known before any model file is asked."""
    run = plan.run
    fates = read_lines(run.ledger, Fate)
    rendered = read_records(run.schema_applied, RenderedSample)
    return Evaluation(
        person=plan.data.profile.person,
        label=run.label,
        cycle=run.cycle.name,
        base_model=plan.target.base.name,
        quantization=run.quantization,
        made_of=MadeOf(
            quality=msgspec.json.decode(regular_bytes(run.quality), type=Quality),
            memories=dict(Counter(f.rule or f.fate for f in fates)),
            seconds={r.step: r.seconds for r in read_journal(run.journal).steps},
            gguf_bytes=run.gguf.stat().st_size,
            cost_dollars=billed(run.bills) or 0.0,
        ),
        trained=trained(read_measured(run.bundle), read_result(run.bundle), rendered),
    )
