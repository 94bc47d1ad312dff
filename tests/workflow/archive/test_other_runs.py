"""Runs of MetaHuman OS beside ours, and damaged summaries: named where they are asked for, else passed over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from idiolect.errors import UserFault
from idiolect.files import write_text
from idiolect.home import Home, Run
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.differences import compare_runs
from idiolect.workflow.archive.runs import details, find_run, newest, overview, unfinished
from idiolect.workflow.archive.summary import OfMetaHuman, read_summary
from idiolect.workflow.calendar.schedule import new_memories
from idiolect.workflow.models.earlier import before, origin
from idiolect.workflow.models.forgetting import Wish, find, take_out
from idiolect.workflow.people import Calendars, glance
from idiolect.workflow.planning.workload import data_of
from idiolect.workflow.watching import newest_run
from tests.checkout import tree, write_its_adapter, write_its_fine_tune, write_memories
from tests.conftest import MakeRun

TUNED, FAILED, GOING_ON = "2025-11-22-100000-00aa11", "2025-11-22-110000-00aa12", "2025-11-22-120000-00aa13"
ADAPTER, EMPTY = "2025-11-21-100000-00aa14", "2025-11-21-110000-00aa15"


@pytest.fixture
def theirs(home: Home) -> list[Run]:
    """Five runs of MetaHuman OS: fine-tunes that succeeded, failed, and go on; adapters, with and without a file."""
    profile = home.profile("ada")
    write_memories(profile.memories, 4)
    return [
        write_its_fine_tune(profile, TUNED, {}),
        write_its_fine_tune(profile, FAILED, {"status": "failed", "error": "no pod"}),
        write_its_fine_tune(profile, GOING_ON, None),
        write_its_adapter(profile, ADAPTER),
        write_its_adapter(profile, EMPTY, gguf=False),
    ]


def test_runs_of_metahuman_os_are_listed_as_its_own(home: Home, theirs: list[Run], make_run: MakeRun) -> None:
    ours = make_run("2026-10-01")
    rows = {row.label: row for row in overview(home)}
    assert {rows[run.label].state for run in theirs} == {"of MetaHuman OS"}
    assert rows[ours.label].state == "succeeded"
    assert f"{rows[TUNED].started:%Y-%m-%d %H:%M}" == "2025-11-22 10:00"
    assert rows[ADAPTER].bytes == theirs[3].gguf.stat().st_size
    assert details(home, TUNED).written.summary["status"] == "training_complete"
    assert details(home, ADAPTER).written.summary is None
    assert newest_run(home.profile("ada")) == ours.label


def test_nothing_takes_a_run_of_metahuman_os_for_ours(home: Home, theirs: list[Run], make_run: MakeRun) -> None:
    ours, profile = make_run("2026-10-01"), home.profile("ada")
    with pytest.raises(OfMetaHuman, match=str(theirs[0].summary)):
        find_run(home, TUNED, "ada")
    with pytest.raises(UserFault):
        unfinished(home, "ada", GOING_ON)
    assert newest(home, "ada").run.label == ours.label
    found = before(profile, "2027")
    assert found
    assert found.run.label == ours.label
    assert origin(profile, f"run:{TUNED}") == ""
    assert {line.part for line in compare_runs(home, TUNED, ours.label)} >= {"run"}
    assert new_memories(profile) == 4
    assert glance(home, "ada", Calendars()).runs == 6
    assert "no data set" in data_of(profile, None).source


def test_clean_up_and_forgetting_leave_what_is_not_ours(home: Home, theirs: list[Run], make_run: MakeRun) -> None:
    profile = home.profile("ada")
    for day in ("2026-10-01", "2026-10-02", "2026-10-03"):
        make_run(day)
    (profile.out / "work" / "of-another-program").mkdir(parents=True)
    write_text(profile.out / "work" / "of-another-program" / "file", "x")
    was = tree(home.root)
    clean_up(profile, keep=1)
    gone = set(was.keys() - tree(home.root).keys())
    assert gone == {f"profiles/ada/out/adapters/2026-10-0{n}/2026-10-0{n}-120000-26100{n}/adapter.gguf" for n in (1, 2)}
    wish = Wish(memory="2026/01/01/evt-202601010800000-what-of-number-0.json")
    take_out(home, "ada", find(home, "ada", wish))
    left = tree(home.root)
    for run in theirs:
        place = str(run.folder.relative_to(home.root))
        assert {n: d for n, d in left.items() if n.startswith(place)} == {
            n: d for n, d in was.items() if n.startswith(place)
        }


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": cut,
    "empty": lambda path: path.write_bytes(b""),
    "no keys": lambda path: path.write_text("{}"),
    "a list": lambda path: path.write_text("[]"),
    "null": lambda path: path.write_text("null"),
    "types": lambda path: path.write_text(path.read_text().replace('"seed": 42', '"seed": "x"')),
    "state": lambda path: path.write_text(path.read_text().replace('"succeeded"', '"splendid"')),
    "modes": lambda path: path.write_text(path.read_text().replace('"dual"', '"duel"')),
    "options": lambda path: path.write_text(path.read_text().replace('"options": {}', '"options": {"seed": {}}')),
    "time": lambda path: path.write_text(path.read_text().replace('"began": "20', '"began": "99999')),
    "nested": lambda path: path.write_text(path.read_text().replace('"seed": 42', '"seed": ' + "[" * 100_000)),
    "bytes": lambda path: path.write_bytes(path.read_bytes().replace(b"ada", b"\xff\xfe\xfd")),
    "folder": folder,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_summary_is_named_and_lists_go_on(home: Home, make_run: MakeRun, kind: str) -> None:
    damaged, whole = make_run("2026-10-02"), make_run("2026-10-01")
    write_memories(home.profile("ada").memories, 2)
    DAMAGE[kind](damaged.summary)
    for ask in (
        lambda: read_summary(damaged.summary),
        lambda: find_run(home, damaged.label),
        lambda: details(home, damaged.label),
        lambda: compare_runs(home, damaged.label, whole.label),
    ):
        with pytest.raises(UserFault, match=r"run-summary\.json"):
            ask()
    assert [(row.label, row.state) for row in overview(home)] == [
        (whole.label, "succeeded"),
        (damaged.label, "unreadable"),
    ]
    assert newest(home, "ada").run.label == whole.label
    assert clean_up(home.profile("ada"), keep=1) == []
    assert damaged.gguf.exists()
    assert new_memories(home.profile("ada")) == 2


def test_a_run_with_a_damaged_summary_and_its_journal_can_be_resumed(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-10-02", "failed", work=0.0)
    cut(run.summary)
    assert unfinished(home, "ada", run.label).label == run.label


def test_an_evaluation_that_is_damaged_is_named(home: Home, make_run: MakeRun) -> None:
    one, other = make_run("2026-10-02"), make_run("2026-10-01")
    one.evaluation.write_text("[" * 100_000)
    with pytest.raises(UserFault, match=r"evaluation\.json"):
        compare_runs(home, one.label, other.label)
