"""The steps that make a data set, each from the files of the step before it to its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from idiolect.curation import Fate, Sample, prepare_all, settle, write_prompts
from idiolect.dataset import (
    FormattedSample,
    Quality,
    RenderedSample,
    TrainingText,
    apply_schema,
    export,
    format_samples,
    ledger,
    measure,
    token_counts,
    validate,
)
from idiolect.errors import DataFault, EmptyProfile
from idiolect.files import decode_json, decode_lines, regular_bytes, write_json, write_json_records, write_jsonl
from idiolect.home import Dataset, Profile, Run
from idiolect.workflow.archive.runs import state
from idiolect.workflow.planning.given import read_given
from idiolect.workflow.planning.plan import Data, Target
from idiolect.workflow.records.audit import audit

_Record = TypeVar("_Record")

#: The options that selection goes by, as they are typed.
_SELECTED_BY = {
    "max_samples": "--max",
    "days_recent": "--days-recent",
    "old_samples": "--old-samples",
    "monthly": "--monthly",
    "half_life_days": "--half-life-days",
}


def curate(data: Data, curated: Path, fates: Path, now: datetime) -> str:
    """Write the samples and the fate of each memory. Each step returns a line that says what came of it.

    `now` is from when the last days are counted back.
    """
    if data.options.dataset:
        return _take(data, curated, fates)
    prepared = prepare_all(data.profile, data.options, data.rules, data.edits)
    found = settle(prepared, data.options, data.rules, now)
    write_jsonl(fates, found.fates)
    if not found.chosen:
        rules = Counter(f.rule for f in found.fates)
        why = ", ".join(f"{count} {rule}" for rule, count in rules.most_common())
        raise EmptyProfile(
            f"None of {len(found.fates)} memories of {data.profile.person} can be learned from: {why}.",
            f"See {fates}: each memory and the rule by which it was dropped.{not_selected(data, found.fates)}",
        )
    if writer := data.rules.prompt_writer:
        where = {"host": urlsplit(writer.url).hostname, "model": writer.model}
        audit(data.profile, "memories_sent_to_prompt_writer", where, category="data")
        write_json(curated, write_prompts(found.samples, writer))
    else:
        write_json_records(curated, [d.sample for d in found.chosen])
    counts = {"memories": len(found.fates), "samples": len(found.chosen)}
    audit(data.profile, "memory_curation_completed", counts, category="data")
    masked = f"; masked {found.masked.total()}" if found.masked else ""
    chosen = f"; {found.selection}" if found.selection else ""
    return f"{len(found.chosen)} samples of {len(found.fates)} memories{chosen}{masked}{_edited(data, found.fates)}"


def _take(data: Data, curated: Path, fates: Path) -> str:
    """Write the samples and fates of a data set of the person's own: nothing in it is cleaned, masked or left out."""
    path = Path(data.options.dataset)
    given = read_given(path, data.profile.home)
    write_jsonl(fates, given.fates)
    write_json(curated, given.samples)
    audit(data.profile, "dataset_given", {"samples": len(given.samples)}, category="data")
    systems = f"; {given.systems} system messages left out, the modes' own are used" if given.systems else ""
    return f"{len(given.samples)} samples of {path.name}, as they are{systems}"


def _edited(data: Data, fates: Sequence[Fate]) -> str:
    """Say how many memories were edited by hand, and how many of those edited are gone."""
    if not data.edits:
        return ""
    memories = {e.memory for e in data.edits}
    gone = len(memories - {f.memory for f in fates})
    waiting = f", {gone} of which are gone (idiolect dataset edits)" if gone else ""
    return f"; {len(memories)} edited by hand{waiting}"


def format_curated(data: Data, curated: Path, to: Path) -> str:
    samples = read_records(curated, Sample)
    write_json(to, format_samples(samples, data.systems, data.rules.mode_as))
    modes = Counter(s.mode for s in samples)
    audit(data.profile, "mode_formatting_completed", {str(m): n for m, n in modes.items()}, category="data")
    return ", ".join(f"{mode} {count}" for mode, count in modes.most_common())


def apply_chat_template(data: Data, target: Target, formatted: Path, to: Path) -> str:
    samples, most = read_records(formatted, FormattedSample), target.longest(data.options)
    texts = apply_schema(samples, target.template, target.tokenizer, most)
    write_json(to, texts)
    cut = sum(t.cut for t in texts)
    parts = f"; {len(texts):,} texts, for not all replies can share one" if len(texts) > len(samples) else ""
    shortened = f"; {cut} cut to {most} tokens" if cut else ""
    return f"the chat template of {target.base.name}{parts}{shortened}"


def export_dataset(data: Data, rendered: Path, to: Dataset) -> str:
    """Write the data set, and into the ledger, where there is one, each memory's final fate."""
    samples = read_records(rendered, RenderedSample)
    lines = export(samples, data.options.seed)
    write_jsonl(to.dataset, lines)
    if to.fates.exists():
        write_jsonl(to.ledger, ledger(read_lines(to.fates, Fate), samples, lines))
    aside = sum(line.split == "held_out" for line in lines)
    counts = {"train": len(lines) - aside, "held_out": aside}
    audit(data.profile, "training_export_completed", counts, category="data")
    return f"{len(lines) - aside} to train on, {aside} held out"


def validate_dataset(dataset: Path, *, skip: bool = False, selected: str = "") -> str:
    """Refuse a data set that cannot be trained on; `selected` says what made it as small as it is."""
    if skip:
        return "SKIPPED, as asked: whatever is wrong with this data set will be trained on"
    try:
        said = "; ".join(validate(read_lines(dataset, TrainingText))) or "nothing to remark"
    except DataFault as fault:
        raise DataFault(fault.problem, f"{fault.remedy}{selected}") from None
    return f"{said}.{selected}" if selected else said


def not_selected(data: Data, fates: Sequence[Fate]) -> str:
    """Say how many memories selection left out, and by which options; nothing where it left out none."""
    count = sum(fate.rule == "not selected" for fate in fates)
    options, origins = data.options.model_dump(include=set(_SELECTED_BY)), data.settings.origins
    stated = [f"{flag} {options[n]}" for n, flag in _SELECTED_BY.items() if origins[n] != "default"]
    typed = [text.removesuffix(" True") for text in stated]
    return f" {count} memories were not selected ({', '.join(typed)})." if count else ""


def note_quality(data: Data, target: Target, run: Run) -> str:
    """Measure a run's data set, for the report that comes last."""
    quality = measure_dataset(data, target, run)
    write_json(run.quality, quality)
    return (
        f"{quality.words_mean:.0f} words in a reply, {quality.vocabulary:,} different ones, {quality.tokens:,} tokens"
    )


def measure_dataset(data: Data, target: Target, made: Dataset) -> Quality:
    """Return the figures of a data set."""
    samples = read_records(made.curated, Sample)
    tokens = token_counts(read_records(made.schema_applied, RenderedSample), target.tokenizer)
    earlier = [s for path in _earlier_curated(data.profile) for s in read_records(path, Sample)]
    return measure(samples, read_lines(made.ledger, Fate), tokens, earlier)


def _earlier_curated(profile: Profile) -> list[Path]:
    """Return the curated memories of all runs that came to their end."""
    return [run.curated for run in profile.runs() if state(run) == "succeeded" and run.curated.exists()]


def read_records(path: Path, kind: type[_Record]) -> list[_Record]:
    """Read a JSON list of records. Raises DataFault naming the file, and the record that is malformed."""
    try:
        return decode_json(regular_bytes(path), list[kind])  # type: ignore[valid-type]
    except (OSError, ValueError) as error:
        raise DataFault(f"{path} cannot be read: {error}", "Make it again with the step before this one.") from error


def read_lines(path: Path, kind: type[_Record]) -> list[_Record]:
    """Read JSON lines. Raises DataFault naming the file and every line that is malformed."""
    try:
        records, faults = decode_lines(regular_bytes(path), kind)
    except OSError as error:
        raise DataFault(f"{path} cannot be read: {error}", "Make it with `idiolect dataset`.") from error
    if faults:
        raise DataFault(f"{path} has malformed records: {'; '.join(faults)}", "Mend these lines, or make it again.")
    return records
