"""Whether cutting replies to 40 words (300 for a few), as MetaHuman OS does, makes a better model than keeping them.

    python benchmarks/length_policy.py [DIARY.jsonl]

Trains the embedded model twice on the same samples in the same order, once cut and once kept, and judges both by
the same uncut held-out replies. The sample person, or 300 entries of a diary of {"time", "text"} lines.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from idiolect.bases import resolve
from idiolect.config import CurationRules, Options
from idiolect.curation import curate
from idiolect.dataset import (
    TrainingText,
    apply_schema,
    export,
    format_samples,
    load_chat_template,
    system_messages,
)
from idiolect.files import write_json
from idiolect.home import Home, Profile
from idiolect.machines import train_here
from idiolect.memories import read_memories
from idiolect.memories.sample_person import write_sample_person
from idiolect.training import TrainingResult, read_result, write_bundle

OPTIONS = Options(
    learning_rate=2e-3,
    num_train_epochs=1,
    gradient_accumulation_steps=8,
    lora_dropout=0.0,
    max_samples=320,
    load_in_4bit=False,
    optimizer="adamw_torch",
)


def diary(home: Home, file: Path) -> Profile:
    profile = home.profile("diarist")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        event = {"type": "journal", "timestamp": entry["time"], "content": entry["text"]}
        write_json(profile.memories / f"{number:05}.json", event)
    return profile


def lines_under(
    policy: str, profile: Profile, base: Path, max_samples: int | None = OPTIONS.max_samples
) -> list[TrainingText]:
    options = OPTIONS.model_copy(update={"max_samples": max_samples})
    rules = CurationRules.model_validate({"length_policy": policy})
    samples = curate(read_memories(profile), options, rules).samples
    formatted = format_samples(samples, system_messages("the diarist", options, rules))
    rendered = apply_schema(formatted, load_chat_template(base), base / "tokenizer.json", 2048)
    return export(rendered, options.seed)


def trained(folder: Path, base: Path, lines: list[TrainingText]) -> TrainingResult:
    write_bundle(folder, "adapter", OPTIONS, lines, base / "tokenizer.json")
    train_here(folder, base, folder.with_suffix(".log"), lambda _: None)
    return read_result(folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        home = Home(Path(made))
        base = resolve("embedded", home.cache).folder
        profile = diary(home, Path(sys.argv[1])) if sys.argv[1:] else write_sample_person(home)
        kept, cut = (lines_under(policy, profile, base) for policy in ("keep", "cut"))
        judged_by = [line for line in kept if line.split == "held_out"]
        aside = {line.id for line in judged_by}
        for name, lines in (("keep", kept), ("cut", cut)):
            learned = [line for line in lines if line.id not in aside and line.split == "train"]
            result = trained(Path(made) / name, base, learned + judged_by)
            print(
                f"{name}: {result.samples} samples, {result.learned_tokens:,} tokens to learn, held-out loss "
                f"{result.loss_before:.3f} -> {result.loss_after:.3f}, {result.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
