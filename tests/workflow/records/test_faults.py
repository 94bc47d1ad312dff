"""What ends a run that nobody killed: a full disk, a closed folder, a clock that jumped. Said clearly, nothing lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import MachineFault, NoRoom, RunFailed
from idiolect.home import FULL, Home
from idiolect.training import Stepped
from idiolect.workflow.archive.runs import overview
from idiolect.workflow.cycle import resume, run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began, Ended
from tests.conftest import Event, MakePerson

#: A cycle asks for 400 MB, and for what the base model needs, before it begins.
MEGABYTES = 440


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *words, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home on a disk of its own, a small one."""
    with mounted(tmp_path / "home", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs"):
        yield Home(tmp_path / "home")


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), num_train_epochs=2)


def when(this: Callable[[Any], bool], do: Callable[[], None], told: list[Any]) -> Callable[[Any], None]:
    def listen(event: Any) -> None:
        told.append(event)
        if this(event):
            do()

    return listen


def stop() -> None:
    raise KeyboardInterrupt


def fill(home: Home) -> None:
    """Take all of the room that is left, others writing at the same time or not."""
    with (home.root / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def done_before(told: list[Any]) -> list[str]:
    return [event.step for event in told if isinstance(event, Ended) and not event.now]


def test_a_full_disk_is_said_and_what_was_done_is_kept(home: Home, person: str) -> None:
    told: list[Any] = []
    with pytest.raises(NoRoom, match=r"became full while .* was written"):
        run_cycle(home, Asked(person, {}, {}), FULL, when(lambda e: e == Began("schema"), lambda: fill(home), told))
    assert [row.state for row in overview(home)] == ["interrupted"]
    (run,) = home.profile(person).runs()
    assert not list(run.folder.glob(".*"))
    (home.root / "filler").unlink()
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        resume(home, person, None, when(lambda e: e == Began("train"), stop, told))
    assert done_before(told) == ["curate", "format"]


@pytest.mark.slow
def test_a_disk_that_becomes_full_in_training_is_said_and_training_goes_on(home: Home, person: str) -> None:
    told: list[Any] = []
    # Whoever writes first says it: training its checkpoint, or the run its log.
    with pytest.raises((RunFailed, NoRoom), match=r"No space left|became full"):
        run_cycle(home, Asked(person, {}, {}), FULL, when(lambda e: isinstance(e, Stepped), lambda: fill(home), told))
    (home.root / "filler").unlink()
    told.clear()
    assert resume(home, person, None, told.append).run.gguf.exists()
    assert "validate" in done_before(told)
    assert [row.state for row in overview(home)] == ["succeeded"]


def test_a_folder_that_nobody_may_write_to_is_named(home: Home, person: str) -> None:
    out = home.profile(person).out
    out.mkdir()
    with mounted(out, "--bind", str(out)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(out)], check=True)
        with pytest.raises(MachineFault, match=r"out.*: Read-only file system"):
            run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None)
    assert not list(out.iterdir())


def test_a_clock_that_went_back_begins_no_run_that_would_pass_for_an_older_one(home: Home, person: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, Asked(person, {}, {}), FULL, when(lambda e: e == Began("format"), stop, []))
    (run,) = home.profile(person).runs()
    # The clock is not ours to set: what it leaves is a run whose time has not come yet.
    later = home.profile(person).run(FULL, "2999-01-01-000000-abcdef")
    later.folder.parent.mkdir()
    run.folder.rename(later.folder)
    with pytest.raises(MachineFault, match="has a run of 2999-01-01-000000"):
        run_cycle(home, Asked(person, {}, {}), FULL, lambda _: None)
    assert [r.label for r in home.profile(person).runs()] == [later.label]
