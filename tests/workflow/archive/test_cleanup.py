"""What is removed of old runs, and what never is."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idiolect.errors import UserFault
from idiolect.files import write_json
from idiolect.home import FINE_TUNE, FULL, Home, Run
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.models.publish import promote, rollback
from idiolect.workflow.records.journal import Journal
from idiolect.workflow.records.lock import only_publication
from tests.conftest import MakeRun
from tests.ollama import OllamaStandIn, ollama_stand_in
from tests.workflow.records.test_lock import hold

_DAY = 24 * 3600


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaStandIn]:
    with ollama_stand_in() as state:
        monkeypatch.setenv("OLLAMA_HOST", state.address)
        yield state


def left(run: Run) -> str:
    """Say what is left of a run."""
    there = {"gguf": run.gguf, "weights": run.weights, "summary": run.summary, "work": run.work}
    return " ".join(name for name, path in there.items() if path.exists())


def removed(home: Home, keep: int = 2, *, dry_run: bool = False) -> list[str]:
    return [str(removal.what) for removal in clean_up(home.profile("ada"), keep, dry_run=dry_run)]


def test_the_newest_two_of_each_cycle_stay_whole_across_all_dates(home: Home, make_run: MakeRun) -> None:
    lora = [make_run(day) for day in ("2025-12-31", "2026-10-01", "2026-10-02", "2026-11-01")]
    tuned = [make_run(day, cycle=FINE_TUNE) for day in ("2026-01-01", "2026-02-01", "2026-03-01")]
    planned = removed(home, dry_run=True)
    assert [left(run) for run in (*lora, *tuned)] == ["gguf weights summary"] * 7
    done = clean_up(home.profile("ada"))
    assert [str(r.what) for r in done] == planned == [str(r.gguf) for r in (lora[1], lora[0], tuned[0])]
    assert all(removal.size > 100_000 for removal in done)
    assert str(done[0]) == f"removed {lora[1].gguf}, 0.2 MB: newer models are kept; its weights stay"
    assert [left(run) for run in lora] == ["weights summary", "weights summary", *["gguf weights summary"] * 2]
    assert [left(run) for run in tuned] == ["weights summary", *["gguf weights summary"] * 2]
    assert removed(home) == []
    assert removed(home, keep=1) == [str(lora[2].gguf), str(tuned[1].gguf)]


def test_a_merged_model_goes_unless_another_run_stands_on_it(home: Home, make_run: MakeRun) -> None:
    days = ("2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04")
    first = make_run(days[0])
    runs = [first, make_run(days[1]), make_run(days[2], base_model=f"run:{first.label}"), make_run(days[3])]
    for run in runs:
        run.model.mkdir()
        (run.model / "model.safetensors").write_bytes(b"as large as the base model")
    assert removed(home) == [str(p) for p in (runs[1].gguf, runs[1].model, first.gguf)]
    assert [run.model.exists() for run in runs] == [True, False, True, True]
    assert all(run.weights.exists() for run in runs)


def test_the_published_model_and_the_one_before_it_stay_whole(home: Home, make_run: MakeRun) -> None:
    runs = [make_run(f"2026-10-0{n}") for n in range(1, 6)]
    for run in (runs[4], runs[0], runs[1]):
        promote(home, "ada", run.label)
    assert removed(home) == [str(runs[2].gguf)]
    rollback(home, "ada")
    assert removed(home) == [str(runs[1].gguf)]


def test_failed_runs_that_left_nothing_go_and_others_stay(home: Home, make_run: MakeRun) -> None:
    now = time.time()
    nothing = make_run("2026-09-01", "failed", gguf=False, weights=False, work=now)
    weights = make_run("2026-09-02", "failed", gguf=False)
    usable = make_run("2026-09-03", "failed", weights=False)
    trained = make_run("2026-09-04", "failed", gguf=False, weights=False, work=now)
    (trained.bundle / "checkpoints" / "checkpoint-1").mkdir(parents=True)
    stopped = make_run("2026-09-05", None, gguf=False, weights=False, work=now)
    assert removed(home) == [str(p) for p in (nothing.folder, nothing.work)]
    assert not nothing.folder.parent.exists()
    assert [left(run) for run in (weights, usable, trained, stopped)] == [
        "weights summary",
        "gguf summary",
        "summary work",
        "work",
    ]
    for day in ("2026-10-01", "2026-10-02"):
        make_run(day)
    assert removed(home) == [str(usable.folder)]


def test_work_folders_go_after_a_week_without_a_word(home: Home, make_run: MakeRun) -> None:
    now = time.time()
    queued = make_run("2026-08-01", None, gguf=False, weights=False, work=now)
    write_json(queued.journal, Journal(queued.label, FULL.name, "ada", datetime.now(UTC), {}, {}, queue="gpu"))
    cancelled = make_run("2026-08-02", None, gguf=False, weights=False, work=now)
    cancelled.cancelled.write_text("{}")
    for path in (queued.journal, queued.work):
        os.utime(path, (0, 0))
    old = make_run("2026-09-01", None, gguf=False, work=now - 8 * _DAY)
    busy = make_run("2026-09-02", None, gguf=False, work=now - 8 * _DAY)
    (busy.work / "run.log").write_text("still here")
    assert removed(home) == [str(old.work)]
    assert left(old) == "weights"
    assert left(queued) == left(cancelled) == "work"
    (audited,) = home.profile("ada").audit.glob("*.ndjson")
    assert '"training_cleanup_delete","details":{"what":"out/work/2026-09-01' in audited.read_text()


@pytest.fixture
def going_on(home: Home) -> Iterator[str]:
    """A run of another process that holds the lock."""
    holder: subprocess.Popen[str] = hold(home.root)
    yield "first"
    holder.kill()
    holder.communicate()


def test_a_run_that_is_going_on_is_never_touched(home: Home, going_on: str, make_run: MakeRun) -> None:
    profile = home.profile("ada")
    mine = make_run("2026-09-01", "failed", gguf=False, weights=False)
    first = profile.run(FULL, going_on)
    first.work.mkdir(parents=True)
    os.utime(first.work, (0, 0))
    assert removed(home) == [str(mine.folder)]


def test_the_run_that_cleans_up_after_itself_is_never_touched(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-09-01", None, gguf=False, weights=False, work=0.0)
    assert clean_up(home.profile("ada"), going_on=run.label) == []
    assert left(run) == "work"


def test_names_in_ollama_go_with_their_files(home: Home, make_run: MakeRun, ollama: OllamaStandIn) -> None:
    runs = [make_run(f"2026-10-0{n}") for n in range(1, 5)]
    for run in runs:
        promote(home, "ada", run.label)
    expected = [str(runs[1].gguf), str(runs[0].gguf), "ada:2026-10-02 in Ollama", "ada:2026-10-01 in Ollama"]
    assert removed(home, dry_run=True) == expected
    assert "ada:2026-10-01" in ollama.manifests
    assert removed(home) == expected
    assert sorted(ollama.manifests) == [
        "ada:2026-10-03",
        "ada:2026-10-04",
        "ada:agent",
        "ada:dual",
        "ada:emulation",
        "ada:latest",
    ]
    assert len(ollama.blobs) == 2
    assert [p.label for p in read_registry(home.profile("ada")).before] == [runs[2].label]


def test_names_in_an_ollama_that_is_away_are_remembered(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, 4):
        promote(home, "ada", make_run(f"2026-10-0{n}").label)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    failed = clean_up(home.profile("ada"))[-1]
    assert "does not answer" in failed.failed
    assert str(failed).startswith("could not remove (Ollama at http://127.0.0.1:9 does not answer")
    monkeypatch.setenv("OLLAMA_HOST", ollama.address)
    assert removed(home) == ["ada:2026-10-01 in Ollama"]


def test_only_what_was_in_ollama_is_said_to_be_removed_there(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    for n in range(1, 4):
        promote(home, "ada", make_run(f"2026-10-0{n}").label)
    del ollama.manifests["ada:2026-10-01"]
    assert not any("Ollama" in line for line in removed(home, dry_run=True))
    assert not any("Ollama" in line for line in removed(home))
    assert [p.ollama for p in read_registry(home.profile("ada")).before] == ["ada:2026-10-02"]


def test_nothing_is_removed_while_a_model_is_being_published(home: Home, make_run: MakeRun) -> None:
    make_run("2026-10-01", "failed", gguf=False, weights=False)
    with only_publication(home.profile("ada"), "somebody"), pytest.raises(UserFault, match="being published: somebody"):
        clean_up(home.profile("ada"))


def test_what_cannot_be_removed_is_said(home: Home, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("2026-10-01", "failed", gguf=False, weights=False)

    def refuse(path: Path) -> None:
        raise PermissionError(f"not allowed: {path}")

    monkeypatch.setattr("idiolect.workflow.archive.cleanup.remove", refuse)
    assert "could not remove (not allowed" in str(clean_up(home.profile("ada"))[0])
    assert run.folder.exists()
