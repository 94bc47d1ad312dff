"""What the two cycles would take on a person's data, without deciding, loading or running anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from idiolect.bases import Anatomy, Stated, dissect, read_stated, stated
from idiolect.config import Options
from idiolect.config import resolve as resolve_settings
from idiolect.dataset import TrainingText
from idiolect.home import CYCLES, FULL, Cycle, Home, Profile
from idiolect.training import Computer, Forecast, Work, adapter_parameters, forecasts, measured_rate
from idiolect.workflow.data_steps import read_lines
from idiolect.workflow.plan import EARLIER_RUN, Asked, model_of_run, plan_data

#: A sample of the sample person, in tokens and in the share of them that is learned; the longest is four times it.
_SAMPLE, _LEARNED, _LONGEST = 100, 0.6, 400
_DEFAULT_SAMPLES = 1000
#: Characters of English in a token of a large vocabulary, where the model's tokenizer is not at hand.
_CHARACTERS = 4.0


@dataclass(frozen=True)
class Estimate:
    """What is known of the base model and the data, and a forecast for each machine and cycle."""

    base_model: str
    architecture: str
    parameters: int
    adapter_parameters: int
    work: Work
    forecasts: tuple[Forecast, ...]
    notes: tuple[str, ...]


def estimate(
    home: Home, asked: Asked, tokens: int | None, rate: Callable[[str], float | None] = measured_rate
) -> Estimate:
    """Estimate both cycles for the person asked for, or for nobody (`person` is empty); `tokens` replaces their data.

    `rate` returns how many operations a second this computer makes on matrices of a type.
    Raises what deciding a run raises for faults in settings, profile and base model, and nothing for missing weights.
    """
    options = {name: _options(home, asked, cycle) for name, cycle in CYCLES.items()}
    base = _stated(home, asked, options[FULL.name])
    anatomy = dissect(base.config, base.name)
    work = _work(home, asked, base, tokens)
    computer = Computer(_memory_here(), rate(options[FULL.name].dtype))
    made = [f for name, o in options.items() for f in forecasts(anatomy, o, CYCLES[name].trains, work, computer)]
    return Estimate(
        base_model=base.name,
        architecture=anatomy.architecture,
        parameters=anatomy.parameters,
        adapter_parameters=adapter_parameters(anatomy, options[FULL.name]),
        work=work,
        forecasts=tuple(made),
        notes=tuple(_notes(base, anatomy)),
    )


def _options(home: Home, asked: Asked, cycle: Cycle) -> Options:
    if asked.person:
        return plan_data(home, asked, cycle).options
    return resolve_settings(home, asked.person, asked.environ, asked.flags, cycle).options


def _stated(home: Home, asked: Asked, options: Options) -> Stated:
    name = options.base_model
    if name.startswith(EARLIER_RUN):
        return read_stated(name, model_of_run(home.profile(asked.person), name))
    return stated(name, home.cache)


def _work(home: Home, asked: Asked, base: Stated, tokens: int | None) -> Work:
    if tokens is not None:
        return _typical(max(1, tokens // _SAMPLE), f"{tokens:,} tokens, as asked")
    if not asked.person:
        return _typical(
            _DEFAULT_SAMPLES, f"{_DEFAULT_SAMPLES:,} samples of {_SAMPLE} tokens: no --username, no --tokens"
        )
    profile = home.profile(asked.person)
    newest = _newest_dataset(profile)
    if newest is None:
        memories = sum(1 for _ in profile.memories.rglob("*.json"))
        return _typical(memories, f"{memories:,} memories of {_SAMPLE} tokens each: no data set has been made yet")
    lines = [line for line in read_lines(newest, TrainingText) if line.split == "train"]
    return _counted(lines, base.folder, str(newest.relative_to(home.root)))


def _typical(samples: int, source: str) -> Work:
    tokens = samples * _SAMPLE
    return Work(samples, tokens, int(tokens * _LEARNED), min(_LONGEST, tokens), source)


def _newest_dataset(profile: Profile) -> Path | None:
    files = [profile.dataset().dataset, *(run.dataset for run in profile.runs())]
    return max((f for f in files if f.exists()), key=lambda f: f.stat().st_mtime, default=None)


def _counted(lines: Sequence[TrainingText], base: Path | None, source: str) -> Work:
    """Count a data set with the base model's tokenizer, or by its characters if that is not here."""
    lengths = _token_counts(lines, base)
    learned = sum(end - start for line in lines for start, end in line.learned)
    share = learned / max(1, sum(len(line.text) for line in lines))
    tokens = max(1, sum(lengths))
    return Work(max(1, len(lines)), tokens, int(tokens * share), max(lengths, default=1), source)


def _token_counts(lines: Sequence[TrainingText], base: Path | None) -> list[int]:
    if base is None or not (base / "tokenizer.json").is_file():
        return [int(len(line.text) / _CHARACTERS) + 1 for line in lines]
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    return [len(e.ids) for e in tokenizer.encode_batch([line.text for line in lines], add_special_tokens=False)]


def _memory_here() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _notes(base: Stated, anatomy: Anatomy) -> list[str]:
    """Say where config.json and the weight files disagree; a shared output layer may be stored twice."""
    if base.weights in (None, anatomy.parameters, anatomy.parameters + anatomy.embedding):
        return []
    return [f"The weight files hold {base.weights:,} weights, where config.json makes {anatomy.parameters:,}."]
