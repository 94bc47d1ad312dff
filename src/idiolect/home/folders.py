"""The folders of a cycle: what sets one cycle apart from the other on disk, a data set's files, and a run's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Cycle:
    """What sets one cycle apart from the other on disk."""

    name: str
    folder: str
    dataset: str
    gguf: str
    quantization: str
    trains: Literal["adapter", "model"]
    """A LoRA adapter beside the base model, or all of its weights; what a run's folder calls them, too."""


FULL = Cycle("full-cycle", "adapters", "{label}.jsonl", "adapter.gguf", "Q4_K_M", "adapter")
FINE_TUNE = Cycle(
    "fine-tune-cycle",
    "fine-tuned-models",
    "fine_tune_dataset.jsonl",
    "model-{quantization}.gguf",
    "Q6_K",
    "model",
)
CYCLES = {cycle.name: cycle for cycle in (FULL, FINE_TUNE)}


@dataclass(frozen=True)
class Dataset:
    """A folder with a data set and all that leads to it."""

    folder: Path
    dataset_name: str

    @property
    def curated(self) -> Path:
        return self.folder / "curated_memories.json"

    @property
    def formatted(self) -> Path:
        return self.folder / "formatted_samples.json"

    @property
    def schema_applied(self) -> Path:
        return self.folder / "schema_applied.json"

    @property
    def dataset(self) -> Path:
        return self.folder / self.dataset_name

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    @property
    def fates(self) -> Path:
        """The ledger as curation leaves it, before the split is known."""
        return self.ledger

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def quality(self) -> Path:
        """The data set in figures."""
        return self.folder / "quality.json"


@dataclass(frozen=True)
class Run(Dataset):
    """One run's folder (what the person finds) and work folder (what may be deleted)."""

    cycle: Cycle
    label: str
    work: Path
    quantization: str

    @property
    def fates(self) -> Path:
        return self.work / "fates.jsonl"

    @property
    def weights(self) -> Path:
        """What was trained: a LoRA adapter in PEFT's form, or a whole model in that of Transformers."""
        return self.folder / self.cycle.trains

    @property
    def model(self) -> Path:
        """A whole model in Transformers' form: what was trained, or the base with the adapter merged in."""
        return self.folder / "model"

    @property
    def train_log(self) -> Path:
        return self.folder / "train-log.jsonl"

    @property
    def loss_picture(self) -> Path:
        return self.folder / "loss.svg"

    @property
    def importance(self) -> Path:
        """What the person's texts use most of the model, if that was asked for: an importance matrix."""
        return self.folder / "importance.safetensors"

    @property
    def gguf(self) -> Path:
        return self.folder / self.cycle.gguf.format(quantization=self.quantization)

    def another_gguf(self, quantization: str) -> Path:
        """Where a second model file stands, in another quantization: adapter-Q5_K_M.gguf, model-Q5_K_M.gguf."""
        return self.folder / f"{self.cycle.trains}-{quantization}.gguf"

    @property
    def modelfile(self) -> Path:
        return self.folder / "Modelfile"

    @property
    def evaluation(self) -> Path:
        return self.folder / "evaluation.json"

    @property
    def summary(self) -> Path:
        return self.folder / "run-summary.json"

    @property
    def usable(self) -> Path:
        """Of a run that did not come to its end: how its model file is spoken to, once it is compared with training."""
        return self.folder / "usable.json"

    @property
    def bundle(self) -> Path:
        return self.work / "bundle"

    @property
    def quality(self) -> Path:
        """The data set in figures, until the report shows them."""
        return self.work / "quality.json"

    @property
    def journal(self) -> Path:
        return self.work / "journal.json"

    @property
    def printed(self) -> Path:
        """What the training process prints."""
        return self.work / "training_output.txt"

    @property
    def bills(self) -> Path:
        """What rented machines have cost: a file each."""
        return self.work / "bills"

    @property
    def cancelled(self) -> Path:
        """There, if this run is not to go on."""
        return self.work / "cancelled.json"

    @property
    def log(self) -> Path:
        return self.folder / "run.log"
