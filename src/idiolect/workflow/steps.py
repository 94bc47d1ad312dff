"""What each step of a cycle does: from the files of the steps before it to its own."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from idiolect.curation import Fate, Sample, prepare_all, settle
from idiolect.dataset import (
    FormattedSample,
    RenderedSample,
    TrainingText,
    apply_schema,
    export,
    format_samples,
    ledger,
    token_counts,
    validate,
)
from idiolect.errors import EmptyProfile
from idiolect.export import export_gguf
from idiolect.files import whole, write_json, write_jsonl, write_text
from idiolect.machines import train_here
from idiolect.serving import modelfile
from idiolect.training import Event, write_bundle
from idiolect.workflow.plan import Plan


@dataclass(frozen=True)
class Written:
    """So many bytes of the GGUF are written."""

    done: int
    total: int


Tell = Callable[[Event | Written], None]
#: A step returns one line: what came of it.
Step = Callable[[Plan, Tell], str]


def curate_memories(plan: Plan, _: Tell) -> str:
    found = settle(prepare_all(plan.profile, plan.options, plan.rules), plan.options, plan.rules)
    write_jsonl(plan.run.fates, found.fates)
    if not found.samples:
        rules = Counter(f.rule for f in found.fates)
        why = ", ".join(f"{count} {rule}" for rule, count in rules.most_common())
        raise EmptyProfile(
            f"None of {len(found.fates)} memories of {plan.profile.person} can be learned from: {why}.",
            f"See {plan.run.fates}: each memory and the rule by which it was dropped.",
        )
    write_json(plan.run.curated, found.samples)
    masked = f"; masked {sum(found.masked.values())}" if found.masked else ""
    return f"{len(found.samples)} samples of {len(found.fates)} memories{masked}"


def format_curated(plan: Plan, _: Tell) -> str:
    samples = msgspec.json.decode(plan.run.curated.read_bytes(), type=list[Sample])
    write_json(plan.run.formatted, format_samples(samples, plan.systems))
    modes = Counter(s.mode for s in samples)
    return ", ".join(f"{mode} {count}" for mode, count in modes.most_common())


def apply_chat_template(plan: Plan, _: Tell) -> str:
    samples = msgspec.json.decode(plan.run.formatted.read_bytes(), type=list[FormattedSample])
    write_json(plan.run.schema_applied, apply_schema(samples, plan.template))
    return f"the chat template of {plan.base.name}"


def export_dataset(plan: Plan, _: Tell) -> str:
    samples = msgspec.json.decode(plan.run.schema_applied.read_bytes(), type=list[RenderedSample])
    tokens = token_counts(samples, plan.base.folder / "tokenizer.json")
    lines = export(samples, tokens, plan.options.max_seq_length, plan.options.seed)
    fates = [msgspec.json.decode(line, type=Fate) for line in plan.run.fates.read_bytes().splitlines()]
    write_jsonl(plan.run.dataset, lines)
    write_jsonl(plan.run.ledger, ledger(fates, lines))
    aside = sum(line.split == "held_out" for line in lines)
    return f"{len(lines) - aside} to train on, {aside} held out"


def validate_dataset(plan: Plan, _: Tell) -> str:
    return "; ".join(validate(_lines(plan.run.dataset))) or "nothing to remark"


def train(plan: Plan, tell: Tell) -> str:
    run = plan.run
    write_bundle(run.bundle, plan.options, _lines(run.dataset), plan.base.folder / "tokenizer.json")
    train_here(run.bundle, plan.base.folder, run.log, tell)
    with whole(run.adapter) as folder:
        shutil.copytree(run.bundle / "outputs" / "adapter", folder)
    return "adapter/"


def merge_and_quantize(plan: Plan, tell: Tell) -> str:
    written = export_gguf(
        plan.base.folder,
        plan.run.gguf,
        plan.quantization,
        adapter=plan.run.adapter,
        name=f"{plan.profile.person} {plan.run.label}",
        chat_template=plan.template.source,
        on_progress=lambda done, total: tell(Written(done, total)),
    )
    return f"{plan.run.gguf.name}, {plan.quantization}, {written.bytes / 1e6:,.0f} MB"


def write_modelfile(plan: Plan, _: Tell) -> str:
    text = modelfile(plan.run.gguf.name, plan.systems["emulation"], stop=plan.template.turn_end)
    write_text(plan.run.modelfile, text)
    return plan.run.modelfile.name


def _lines(dataset: Path) -> list[TrainingText]:
    return [msgspec.json.decode(line, type=TrainingText) for line in dataset.read_bytes().splitlines()]
