"""A run that was killed at every point that can be told from others ends as one that never was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from idiolect.files import sha256
from idiolect.home import CYCLES, Home, Run
from idiolect.workflow.cycle import STEPS, carry_on, run_cycle
from idiolect.workflow.planning.plan import Asked
from tests.conftest import Event, MakePerson

QUICK: dict[str, Any] = {
    "num_train_epochs": 2,
    "learning_rate": 1e-2,
    "warmup_steps": 0,
    "dtype": "float32",
    "gradient_accumulation_steps": 4,
    "keep_model": True,
}
HOOK = Path(__file__).parent / "kill_hook"
#: Every file that the cycle writes, when it is opened and when it gets its name. In training, which takes long to begin
#: again, only those after which something is there that was not there before.
DEEDS = {
    "full-cycle": r"^(Began|Ended|step|held-out loss of epoch 1|the model)"
    r"|^(open|os.rename|os.mkdir) (?!.*/bundle/)|bundle$|gguf"
    r"|open .*checkpoint-8/trainer_state.json$"
    r"|rename .*/outputs/.(adapter|result.json)...partial$|rmdir .*/checkpoints$",
    "fine-tune-cycle": r"^(Began|Ended) (train|quantize)|^step|^the model|rename .*/.model|rmdir .*/checkpoints$",
}


def contents(run: Run) -> dict[str, Any]:
    """Return what is in a run's folder by name: hashes, or what is written there, but for the label and all times.

    report.html is drawn from evaluation.json, times and label included; that it is there is enough.
    """
    timed = {run.log, run.train_log, run.report, run.evaluation, run.summary}
    files = {f: sha256(f) if f not in timed else "" for f in run.folder.rglob("*") if f.is_file()}
    found: dict[str, Any] = {str(f.relative_to(run.folder)).replace(run.label, "label"): h for f, h in files.items()}
    summary, evaluation = (json.loads(f.read_text().replace(run.label, "label")) for f in (run.summary, run.evaluation))
    for file in timed:
        summary["files"].pop(file.name, None)
    summary["steps"] = [(step["step"], step["outcome"]) for step in summary["steps"]]
    del evaluation["made_of"]["seconds"]
    for told in (summary["training"], evaluation["trained"]["result"]):
        del told["seconds"]
    found[run.evaluation.name] = evaluation
    found[run.summary.name] = {k: v for k, v in summary.items() if k not in ("began", "ended")}
    return found


@pytest.fixture
def person(make_person: MakePerson, talks: list[Event], tiny_base: Path) -> str:
    return make_person("ada", talks, base_model=str(tiny_base), **QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("cycle", list(CYCLES))
def test_killed_everywhere_it_ends_as_if_it_never_was(home: Home, person: str, tmp_path: Path, cycle: str) -> None:
    elsewhere = Home(tmp_path / "elsewhere")
    shutil.copytree(home.root, elsewhere.root)
    never_killed = run_cycle(elsewhere, Asked(person, {}, {}), CYCLES[cycle], lambda _: None).run

    seen = tmp_path / "seen"
    path = os.pathsep.join((str(HOOK), os.environ.get("PYTHONPATH", ""), str(HOOK.parents[2])))
    environ = {**os.environ, "PYTHONPATH": path, "KILL_SEEN": str(seen), "KILL_ONLY": DEEDS[cycle]}
    command = [sys.executable, "-m", "tests.workflow.killed", str(home.root), person, cycle]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = home.profile(person).runs()
    # Killed when it had succeeded, and only its work folder was still to be removed: that is made up for.
    assert carry_on(home, person, run.label, lambda _: None).run == run
    assert contents(run) == contents(never_killed)
    assert not run.work.exists()
    points = seen.read_text().splitlines()
    assert {"step 3 of training", "step 11 of training", "the model file half written"} <= set(points)
    if cycle == "full-cycle":
        assert {f"{event} {step}" for step in STEPS for event in ("Began", "Ended")} <= set(points)
        assert any("checkpoint-" in point for point in points)
        assert len(points) > 60
