"""A MetaHuman OS checkout is a home as it is, and stays as it was: its settings, users, memories, and its own runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.home import Home
from idiolect.workflow.archive.runs import find
from tests.checkout import (
    tree,
    write_checkout,
    write_its_adapter,
    write_its_fine_tune,
    write_memories,
    write_profile,
    write_users,
)

#: What we write into a checkout: below a person's folder, and into the home's own.
_OURS = ("out/", "state/idiolect", "logs/audit/")


def idiolect(home: Home, *arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env={"IDIOLECT_HOME": str(home.root), "COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def ours_among(new: set[str], profile: str) -> bool:
    starts = ("cache/", "state/", *(f"{profile}{place}" for place in _OURS))
    return all(name.startswith(starts) for name in new)


@pytest.mark.slow
def test_a_checkout_is_trained_on_and_nothing_of_it_is_changed(home: Home, tiny_base: Path) -> None:
    profile = write_checkout(home)
    theirs = [
        write_its_fine_tune(profile, "2025-11-20-100000-00aa01", {}),
        write_its_fine_tune(profile, "2025-11-21-100000-00aa02", {"status": "failed", "error": "no pod"}),
        write_its_fine_tune(profile, "2025-11-22-100000-00aa03", None),
        write_its_adapter(profile, "2025-11-23-100000-00aa04"),
        write_its_adapter(profile, "2025-11-24-100000-00aa05", gguf=False),
    ]
    was = tree(home.root)
    user = ("--username", "marit")
    told = idiolect(home, "full-cycle", *user, "--base-model", str(tiny_base))
    for note in (
        "fp16 and bf16 not used",
        "dataset_builder ai taken as curated",
        "it speaks of Greg",
        "is passed over",
    ):
        assert told.count(note) == 1
    assert "brave-secret" not in told
    for cycle in ("full-cycle", "fine-tune-cycle"):
        idiolect(home, cycle, *user, "--base-model", str(tiny_base))
    listed = json.loads(idiolect(home, "runs", "--json"))
    states = {row["label"]: row["state"] for row in listed}
    assert {states[run.label] for run in theirs} == {"of MetaHuman OS"}
    ours = [label for label, state in states.items() if state == "succeeded"]
    assert len(ours) == 3
    for run in theirs:
        idiolect(home, "runs", "show", run.label, *user)
    idiolect(home, "runs", "compare", theirs[0].label, ours[0], *user)
    idiolect(home, "dataset", *user, "--base-model", str(tiny_base))
    idiolect(home, "cleanup", *user, "--keep", "1")

    summary = json.loads(find(home, ours[0])[1].summary.read_text())
    options = {name: option["value"] for name, option in summary["options"].items()}
    assert (options["lora_rank"], options["num_train_epochs"], options["learning_rate"]) == (4, 1, 0.001)
    assert summary["system_messages"]["dual"] == "You are Marit, thinking to yourself."
    now = tree(home.root)
    assert {name: now.get(name) for name in was} == was
    assert ours_among(now.keys() - was.keys(), "profiles/marit/")


@pytest.mark.slow
def test_runs_go_where_metahuman_os_would_put_them(home: Home, tiny_base: Path, tmp_path: Path) -> None:
    write_checkout(home)
    place = tmp_path / "elsewhere"
    write_users(home, {"marit": None, "bea": {"path": str(place), "type": "external"}})
    place.mkdir()
    write_profile(home.profile("bea"), "bea")
    was = tree(home.root)
    idiolect(home, "full-cycle", "-u", "bea", "--base-model", str(tiny_base))
    for command in (["models"], ["runs"], ["cleanup"], ["plan", "--base-model", str(tiny_base)]):
        idiolect(home, *command, "-u", "bea")
    (run,) = home.profile("bea").runs()
    idiolect(home, "export", "-u", "bea", "--run", run.label, "--quantization", "Q8_0")
    idiolect(home, "dataset", "-u", "bea", "--base-model", str(tiny_base))
    assert list(place.glob("out/adapters/*/*/adapter.gguf"))
    now = tree(home.root)
    assert {name: now.get(name) for name in was} == was
    assert all(name.startswith(("cache/", "state/")) for name in now.keys() - was.keys())


@pytest.mark.slow
def test_a_checkout_without_users_is_trained_in_its_root(home: Home, tiny_base: Path) -> None:
    write_checkout(home, memories=0)
    (home.root / "profiles").rename(home.root.parent / "profiles-gone")
    write_memories(home.root / "memory" / "episodic", 24)
    was = tree(home.root)
    idiolect(home, "full-cycle", "-u", "marit", "--base-model", str(tiny_base))
    assert list((home.root / "out" / "adapters").glob("*/*/adapter.gguf"))
    now = tree(home.root)
    assert {name: now.get(name) for name in was} == was
    assert ours_among(now.keys() - was.keys(), "")
