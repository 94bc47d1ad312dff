"""Every path, and nothing else.

The layout is that of a MetaHuman OS checkout, so that pointing IDIOLECT_HOME at one just works: users kept elsewhere
(persona/users.json), and a checkout from before there were users, in whose root one person's folders stand.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from idiolect.home import users
from idiolect.home.folders import CYCLES, FINE_TUNE, FULL, Cycle, Dataset, Run

__all__ = [
    "CYCLES",
    "FINE_TUNE",
    "FULL",
    "Cycle",
    "Dataset",
    "Home",
    "Profile",
    "Run",
    "default_root",
    "new_label",
]

_LABEL = re.compile(r"\d{4}-\d{2}-\d{2}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Home:
    """The folder in which everything lives: IDIOLECT_HOME, `--home`, or ~/.idiolect."""

    root: Path

    @property
    def training_json(self) -> Path:
        return self.root / "etc" / "training.json"

    @property
    def schemas(self) -> Path:
        """Texts around turns, for base models that have no chat template."""
        return self.root / "etc" / "schemas"

    @property
    def cache(self) -> Path:
        """Base models that were converted once."""
        return self.root / "cache" / "base-models"

    @property
    def queue(self) -> Path:
        """The queue of runs, where no other database is said."""
        return self.root / "state" / "queue.sqlite"

    @property
    def workers(self) -> Path:
        """A locked file for each worker that lives."""
        return self.root / "state" / "workers"

    @property
    def uploads(self) -> Path:
        """What was dropped on the studio's page, until it is imported: a folder a studio."""
        return self.root / "state" / "uploads"

    @property
    def studio(self) -> Path:
        """How the studio that runs is found again."""
        return self.root / "state" / "studio"

    @property
    def machines_toml(self) -> Path:
        """Other computers to train on."""
        return self.root / "etc" / "machines.toml"

    @property
    def known_hosts(self) -> Path:
        """Host keys that a person has accepted, beside those of ~/.ssh."""
        return self.root / "etc" / "known_hosts"

    @property
    def pods(self) -> Path:
        """What is rented: a folder a job."""
        return self.root / "state" / "pods"

    @property
    def base_ggufs(self) -> Path:
        """Model files of base models, to compare trained ones with."""
        return self.root / "cache" / "base-ggufs"

    @property
    def fine_tune_config(self) -> Path:
        """Where MetaHuman OS keeps the settings of its fine-tune-cycle."""
        return self.root / "etc" / "fine-tune-config.json"

    @property
    def dotenv(self) -> Path:
        """Where MetaHuman OS keeps keys and switches."""
        return self.root / ".env"

    def mode_json(self, mode: str) -> Path:
        """Options of a fine-tune cycle that is run for one cognitive mode."""
        return self.root / "etc" / "modes" / f"{mode}.json"

    def mode_config(self, mode: str) -> Path:
        """Where MetaHuman OS keeps them."""
        return self.root / "etc" / "modes" / f"{mode}-config.json"

    def profile(self, person: str) -> Profile:
        """Return a person's folder. Raises UserFault if they keep it where it cannot be reached now."""
        return Profile(person, users.folder_of(self.root, person), self)

    def people(self) -> list[str]:
        """Return whose folders can be reached, sorted. Raises UserFault for a damaged persona/users.json."""
        return users.people(self.root)

    def shown(self, path: Path) -> str:
        """Return a path as it is told to people: below this folder, or whole where it is elsewhere."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def knows(self, person: str) -> bool:
        return users.is_known(self.root, person)


@dataclass(frozen=True)
class Profile:
    """One person's folder."""

    person: str
    root: Path
    home: Home

    @property
    def memories(self) -> Path:
        return self.root / "memory" / "episodic"

    def imported(self, source: str) -> Path:
        """Memories of an importer, and the ledger of what became of each message."""
        return self.memories / "imported" / source

    def importing(self, source: str) -> Path:
        """Where an import writes, before all of it is moved into the memories."""
        return self.root / "state" / "importing" / source

    @property
    def pseudonyms(self) -> Path:
        """What other people are called in memories that were imported with masked names."""
        return self.root / "state" / "idiolect-pseudonyms.json"

    @property
    def prepared(self) -> Path:
        """What curation remembers of the memories that it has read."""
        return self.root / "state" / "idiolect-prepared.msgpack"

    @property
    def heard(self) -> Path:
        """What evaluation remembers of what model files have said."""
        return self.root / "state" / "idiolect-heard.msgpack"

    @property
    def lock(self) -> Path:
        return self.root / "state" / "idiolect.lock"

    @property
    def registry_lock(self) -> Path:
        return self.root / "state" / "idiolect-registry.lock"

    @property
    def schedule(self) -> Path:
        """When this person is trained by itself."""
        return self.root / "etc" / "schedule.json"

    @property
    def month(self) -> Path:
        """What became of the last month that was due."""
        return self.root / "state" / "idiolect-month.json"

    @property
    def audit(self) -> Path:
        """A file a day: what was read, sent, published, deleted."""
        return self.root / "logs" / "audit"

    @property
    def therapy(self) -> Path:
        return self.root / "persona" / "therapy"

    @property
    def answered_questions(self) -> Path:
        return self.root / "memory" / "curiosity" / "questions" / "answered"

    @property
    def persona(self) -> Path:
        return self.root / "persona" / "core.json"

    @property
    def training_json(self) -> Path:
        return self.root / "etc" / "training.json"

    @property
    def machines_toml(self) -> Path:
        """Goes over the home's own."""
        return self.root / "etc" / "machines.toml"

    @property
    def curation_json(self) -> Path:
        return self.root / "etc" / "curation.json"

    @property
    def edits(self) -> Path:
        """What the person has decided about single memories by hand."""
        return self.root / "etc" / "edits.jsonl"

    @property
    def edits_lock(self) -> Path:
        return self.root / "state" / "idiolect-edits.lock"

    @property
    def feedback(self) -> Path:
        """What the person has said about answers of their models, as memories."""
        return self.memories / "feedback"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def registry(self) -> Path:
        """What is published, and what was before it."""
        return self.out / "registry.json"

    @property
    def work(self) -> Path:
        """The work folders of runs, each under its label."""
        return self.out / "work"

    def dataset(self) -> Dataset:
        """Where a data set is made without a run."""
        return Dataset(self.out / "dataset", "dataset.jsonl")

    def run(self, cycle: Cycle, label: str, quantization: str | None = None) -> Run:
        """Return where a run of this label stands, or would; its model file is in the cycle's own quantization."""
        return Run(
            folder=self.out / cycle.folder / label[:10] / label,
            dataset_name=cycle.dataset.format(label=label),
            cycle=cycle,
            label=label,
            work=self.work / label,
            quantization=quantization or cycle.quantization,
        )

    def runs(self) -> list[Run]:
        """All runs of both cycles that have a folder, oldest first."""
        found = [
            self.run(cycle, folder.name)
            for cycle in CYCLES.values()
            for folder in (self.out / cycle.folder).glob("*/*")
            if folder.is_dir() and _LABEL.fullmatch(folder.name)
        ]
        return sorted(found, key=lambda run: run.label)

    def works(self) -> list[Path]:
        """Return the work folders of runs that have not succeeded, oldest first."""
        return sorted(f.parent for f in (self.out / "work").glob("*/journal.json"))


def default_root() -> Path:
    """Return IDIOLECT_HOME, or ~/.idiolect."""
    return Path(os.environ.get("IDIOLECT_HOME") or "~/.idiolect").expanduser()


def label_moment(label: str) -> datetime:
    """Return when a run began, by its label."""
    return datetime.strptime(label[:17], "%Y-%m-%d-%H%M%S").replace(tzinfo=UTC)


def new_label(now: datetime | None = None) -> str:
    """Return a run label: YYYY-MM-DD-HHMMSS-<6 hex>, UTC."""
    return f"{now or datetime.now(UTC):%Y-%m-%d-%H%M%S}-{secrets.token_hex(3)}"
