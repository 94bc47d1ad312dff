"""What each step of a cycle does that comes after the data set: weights, model file, what tells others about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from idiolect.bases import copy_tokenizer, known_anywhere
from idiolect.curation import Fate
from idiolect.dataset import TrainingText
from idiolect.errors import MachineFault, RunFailed
from idiolect.evaluation import planted, probes
from idiolect.export import Order, export_gguf, made_gguf, made_model, merge_model, write_order
from idiolect.files import remove, whole, write_text
from idiolect.home import Run
from idiolect.serving import Sampling, load, modelfile, note_checked, ollama
from idiolect.training import OPTIONS as TRAINING
from idiolect.training import Note, TrainingResult, decode, is_trained, loss_picture, read_result, write_bundle
from idiolect.workflow.archive.registry import PLAIN, candidate
from idiolect.workflow.data.steps import read_lines
from idiolect.workflow.models.evaluating import verdict_on
from idiolect.workflow.models.parity import check_base, check_parity
from idiolect.workflow.models.publish import publish, talking
from idiolect.workflow.planning.plan import Plan
from idiolect.workflow.records.events import Tell, Written
from idiolect.workflow.records.journal import fingerprints


def check_prompts(plan: Plan, _: Tell) -> str:
    return check_base(plan.target, plan.run)


def base_weights(plan: Plan) -> Mapping[str, Any]:
    """Tell one base model from another without reading gigabytes: names, sizes, times of change."""
    files = sorted(plan.target.base.folder.glob("*.safetensors"))
    return {f.name: (f.stat().st_size, f.stat().st_mtime_ns) for f in files}


def training_reads(plan: Plan) -> Mapping[str, Any]:
    options = plan.data.options.model_dump(include={*TRAINING, "audit"})
    return {"data set": plan.run.dataset, "base model": base_weights(plan), **options}


def train(plan: Plan, tell: Tell) -> str:
    run, base, options, template = plan.run, plan.target.base, plan.data.options, plan.target.template
    _forget_other_training(plan)
    texts = read_lines(run.dataset, TrainingText)
    secrets = planted(template, options.seed) if options.audit else []
    write_bundle(
        run.bundle,
        run.cycle.trains,
        options,
        [*texts, *secrets],
        plan.target.tokenizer,
        probes(texts, template, options.seed, audit=options.audit),
        base=base.name if known_anywhere(base.name) else None,
        chat_template=template.source,
    )
    if plan.machine.merges:
        write_order(run.bundle, _order(plan))
    if is_trained(run.bundle):
        tell(Note("The training had come to its end; its weights are here."))
        elsewhere = _leave_nothing_elsewhere(plan, tell)
    else:
        elsewhere = plan.machine.train(run, base.folder, tell)
    result = read_result(run.bundle)
    _check_against_ledger(result, run, planted=len(secrets))
    _keep_progress(run)
    with whole(run.weights) as folder:
        shutil.copytree(run.bundle / "outputs" / run.cycle.trains, folder)
        if run.cycle.trains == "model":
            copy_tokenizer(base.folder, folder, plan.target.template.source)
    if plan.data.options.imatrix:
        with whole(run.importance) as file:
            shutil.copyfile(run.bundle / "outputs" / "importance.safetensors", file)
    learned = f"held-out loss {result.loss_before:.3f} before, {result.loss_after:.3f} after: {run.weights.name}/"
    return f"{learned}. {elsewhere.removesuffix('.')}" if elsewhere else learned


def _leave_nothing_elsewhere(plan: Plan, tell: Tell) -> str:
    """End what was left when this was killed between fetching the weights and saying good-bye; say so."""
    try:
        said = plan.machine.end(plan.run, plan.target.base.folder)
    except MachineFault as fault:
        where = plan.data.options.machine
        said = f"Whether the data set is still on {where} could not be seen: {fault.problem} {fault.remedy}"
    if said:
        tell(Note(said))
    return said


def _check_against_ledger(result: TrainingResult, run: Run, planted: int) -> None:
    """Raise RunFailed unless the trainer learned from all that the ledger says it did, and what was planted."""
    trained_on = {fate.sample: fate.texts for fate in read_lines(run.ledger, Fate) if fate.fate == "train"}
    texts = sum(trained_on.values())
    if texts + planted != result.samples:
        raise RunFailed(
            f"{result.samples} texts were learned from; the ledger has {texts}, planted were {planted}.",
            f"See {run.ledger} and {run.dataset}; if nobody changed them, please report it.",
        )


def _keep_progress(run: Run) -> None:
    told = (run.bundle / "events.jsonl").read_text(encoding="utf-8")
    write_text(run.train_log, told)
    write_text(run.loss_picture, loss_picture(decode(told.encode())))


def _forget_other_training(plan: Plan) -> None:
    """Remove a bundle in which something else was trained: nothing goes on from that, whenever this is killed."""
    begun = plan.run.work / "training.json"
    wanted = msgspec.json.encode(fingerprints(training_reads(plan)), order="sorted")
    if not begun.exists() or begun.read_bytes() != wanted:
        remove(plan.run.bundle)
        with whole(begun) as partial:
            partial.write_bytes(wanted)


def _order(plan: Plan) -> Order:
    """Return what a machine that merges is to make, and what its files must have been made as to be taken."""
    options, adapter = plan.data.options, plan.run.cycle.trains == "adapter"
    return Order(
        quantization=plan.run.quantization,
        name=plan.data.profile.person,
        chat_template=plan.target.template.source,
        merged=adapter and options.keep_model,
        imatrix=options.imatrix,
        keys=dict(Sampling().gguf_keys()),
    )


def keep_merged_model(plan: Plan, tell: Tell) -> str:
    run = plan.run
    if made := made_model(run.bundle, _order(plan)):
        _take(made, run.model)
        size = sum(f.stat().st_size for f in run.model.glob("*.safetensors"))
        return f"{run.model.name}/, {size / 1e6:,.0f} MB, merged there"
    size = merge_model(
        plan.target.base.folder,
        run.weights,
        run.model,
        chat_template=plan.target.template.source,
        on_progress=lambda done, total: tell(Written(done, total)),
    )
    return f"{run.model.name}/, {size / 1e6:,.0f} MB"


def merge_and_quantize(plan: Plan, tell: Tell) -> str:
    run = plan.run
    if made := made_gguf(run.bundle, _order(plan)):
        _take(made, run.gguf)
        return f"{run.gguf.name}, {run.quantization}, {run.gguf.stat().st_size / 1e6:,.0f} MB, made there"
    lora = run.cycle.trains == "adapter"
    written = export_gguf(
        plan.target.base.folder if lora else run.model,
        run.gguf,
        run.quantization,
        adapter=run.weights if lora else None,
        importance=run.importance if plan.data.options.imatrix else None,
        name=plan.data.profile.person,
        chat_template=plan.target.template.source,
        keys=Sampling().gguf_keys(),
        on_progress=lambda done, total: tell(Written(done, total)),
    )
    return f"{run.gguf.name}, {run.quantization}, {written.bytes / 1e6:,.0f} MB"


def _take(made: Path, target: Path) -> None:
    """Let a file or folder of the bundle stand in the run's folder as well, without taking room twice."""
    with whole(target) as partial:
        if made.is_dir():
            shutil.copytree(made, partial, copy_function=_link)
        else:
            _link(made, partial)


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk that knows no links
        shutil.copyfile(source, target)


def write_modelfile(plan: Plan, _: Tell) -> str:
    template, systems = plan.target.template, plan.data.systems
    parameters = ollama.parameters(template.turn_end, plan.target.longest(plan.data.options))
    text = modelfile(plan.run.gguf.name, systems[PLAIN], parameters, template=plan.target.go_template)
    write_text(plan.run.modelfile, text)
    return plan.run.modelfile.name


def compare_with_training(plan: Plan, _: Tell) -> str:
    model = load(plan.run.gguf, warm_up=False)
    said = check_parity(plan.target, model, plan.run)
    note_checked(model)
    return said


def publish_model(plan: Plan, _: Tell) -> str:
    if reason := _reason_against(plan):
        return f"not published: {reason}; idiolect promote {plan.run.label}"
    systems, target = plan.data.systems, plan.target
    model = candidate(plan.data.profile, plan.run, systems, target.template.turn_end, target.go_template)
    model = msgspec.structs.replace(model, context=target.longest(plan.data.options))
    return publish(plan.data.profile, model, talking(plan.run.gguf))


def _reason_against(plan: Plan) -> str | None:
    """Say why a model that loads and talks should not take the place of the published one, if it should not."""
    match plan.data.options.publish:
        case "never":
            return "as asked"
        case "always":
            return None
    judged = verdict_on(plan)
    return None if judged.publish else judged.reason.rstrip(".")
