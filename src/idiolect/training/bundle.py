"""The job bundle: a folder that any machine can train, without a name, a path or a secret in it.

job.json             what to do: train an adapter, or all of the model; the base model's name if it is a public one
dataset.jsonl        training texts
probes.jsonl         texts whose loss is measured before and after, and that are not learned
tokenizer.json       how a text becomes tokens
chat_template.jinja  how a talk became a text
export.json          only for a machine that merges as well: what to make, and the name that the model file bears
events.jsonl         progress, while it runs
checkpoints/         where training goes on from
outputs/             adapter/ or model/, importance.safetensors if asked for, measured.json and result.json
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.errors import DataFault
from idiolect.files import read_json, remove, sha256, write_json, write_jsonl, write_text

#: What training needs to know of the options; the others could name a person or a folder.
OPTIONS = frozenset(
    {
        "seed",
        "max_seq_length",
        "num_train_epochs",
        "learning_rate",
        "lr_scheduler_type",
        "warmup_steps",
        "weight_decay",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "optimizer",
        "dtype",
        "load_in_4bit",
        "use_gradient_checkpointing",
        "lora_rank",
        "lora_alpha",
        "lora_dropout",
        "lora_target_modules",
        "neftune",
        "early_stopping",
        "save_total_limit",
        "imatrix",
    }
)

_AGAIN = "Go on with the run, which trains anew: idiolect runs resume"


@dataclass(frozen=True)
class Job:
    """A bundle, opened."""

    folder: Path
    trains: Literal["adapter", "model"]
    base: str | None
    """A name by which any machine finds the base model, if it has one."""
    options: Options
    texts: tuple[TrainingText, ...]
    probes: tuple[TrainingText, ...] = ()

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def weights(self) -> Path:
        return self.folder / "outputs" / self.trains

    @property
    def result(self) -> Path:
        return self.folder / "outputs" / "result.json"

    @property
    def importance(self) -> Path:
        return self.folder / "outputs" / "importance.safetensors"

    @property
    def measured(self) -> Path:
        return self.folder / "outputs" / "measured.json"

    @property
    def samples_a_step(self) -> int:
        return self.options.per_device_train_batch_size * self.options.gradient_accumulation_steps


class TrainingResult(msgspec.Struct, frozen=True, kw_only=True):
    """result.json: losses in nats a token of the person's own held-out replies; what was done, on what."""

    loss_before: float
    loss_after: float
    loss_by_epoch: tuple[float, ...]
    best_epoch: int
    samples: int
    learned_tokens: int
    steps: int
    trained_parameters: int
    seconds: float
    device: str
    processes: int = 1
    dtype: str
    optimizer: str
    versions: dict[str, str]


class SampleLoss(msgspec.Struct, frozen=True):
    """The summed loss (nats) of one text's learned tokens under the base model, and under what was trained."""

    id: str
    tokens: int
    before: float
    after: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """measured.json: the training loss by step, and each held-out text's and probe's own loss."""

    curve: tuple[tuple[int, float], ...]
    held_out: tuple[SampleLoss, ...]
    probes: tuple[SampleLoss, ...]


def write_bundle(  # noqa: PLR0913, PLR0917 - all that a bundle is made of
    folder: Path,
    trains: Literal["adapter", "model"],
    options: Options,
    texts: Sequence[TrainingText],
    tokenizer: Path,
    probes: Sequence[TrainingText] = (),
    *,
    base: str | None = None,
    chat_template: str = "",
) -> None:
    """Write a bundle that is ready to be trained, or to be trained further if it is the same one again.

    `base` is a name that any machine knows; without one, whoever trains the bundle says where the base model is.
    """
    before = _contents(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    write_text(folder / "chat_template.jinja", chat_template)
    write_jsonl(folder / "dataset.jsonl", texts)
    write_jsonl(folder / "probes.jsonl", probes)
    ours = options.model_dump(include=set(OPTIONS))
    write_json(folder / "job.json", {"format": 3, "trains": trains, "base": base, "options": ours})
    if _contents(folder) != before:
        for made in ("checkpoints", "outputs", "events.jsonl"):
            remove(folder / made)


def open_bundle(folder: Path) -> Job:
    """Read a bundle. Raises DataFault for a folder that is none."""
    try:
        job: Any = msgspec.json.decode((folder / "job.json").read_bytes())
        texts, probes = (_texts(folder / name) for name in ("dataset.jsonl", "probes.jsonl"))
        return Job(folder, job["trains"], job["base"], Options.model_validate(job["options"]), texts, probes)
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataFault(f"{folder} is not a job bundle: {error}", "Make the bundle again.") from error


def _texts(path: Path) -> tuple[TrainingText, ...]:
    return tuple(msgspec.json.decode(line, type=TrainingText) for line in path.read_bytes().splitlines())


def _contents(folder: Path) -> list[str]:
    files = (folder / name for name in ("job.json", "dataset.jsonl", "probes.jsonl", "tokenizer.json"))
    return [sha256(f) for f in files if f.exists()]


def is_trained(folder: Path) -> bool:
    """Return whether all that a bundle is to yield is there: its result is written last."""
    return (folder / "outputs" / "result.json").exists()


def read_result(folder: Path) -> TrainingResult:
    return read_json(folder / "outputs" / "result.json", TrainingResult, _AGAIN)


def read_measured(folder: Path) -> Measured:
    return read_json(folder / "outputs" / "measured.json", Measured, _AGAIN)
