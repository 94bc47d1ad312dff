"""Two runs of one person: each evaluated as it ended, the second beside the first, and again by hand."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.errors import UnknownPerson, UserFault
from idiolect.evaluation import Evaluation
from idiolect.files import sha256, write_json
from idiolect.home import FULL, Home
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.archive.runs import Finished, newest
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.models.evaluating import base_gguf, evaluate_run, evaluation_of
from idiolect.workflow.planning.plan import Asked, target
from tests.conftest import Event, MakePerson, MakeRun


@pytest.mark.slow
def test_two_runs_with_one_seed_are_the_same_and_neither_is_better(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    flags = {"num_train_epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}
    person = make_person("ada", talks)
    asked = Asked(person, {}, {"base_model": str(tiny_base), **flags})
    first, second = (run_cycle(home, asked, FULL, lambda _: None) for _ in range(2))
    files = [finished.summary.files for finished in (first, second)]
    same = ["curated_memories.json", "schema_applied.json", "ledger.jsonl", "adapter/adapter_model.safetensors"]
    assert [files[0][name] for name in same] == [files[1][name] for name in same]
    assert len(home.profile(person).runs()) == 2

    alone, beside = evaluation_of(first.run), evaluation_of(second.run)
    assert first.summary.training
    assert alone.trained.fidelity
    assert alone.trained.fidelity.all.after.value == pytest.approx(first.summary.training.loss_after)
    assert alone.trained.fidelity.all.before.value == pytest.approx(first.summary.training.loss_before)
    assert (alone.trained.fidelity.all.samples, alone.trained.result) == (10, first.summary.training)
    assert alone.served
    assert alone.served.after.value == pytest.approx(alone.served.before.value, abs=0.05)
    assert alone.against is None
    _has_looked_at_files(first, alone)
    assert [a.previous for a in alone.answers] == [None] * 10
    assert beside.against
    assert beside.against.label == first.run.label
    assert beside.against.now
    assert beside.against.now.gain.value == 0
    assert all(a.previous == a.new for a in beside.answers)
    assert alone.months == ()
    assert [(m.label, m.all.samples, m.all.gain.value) for m in beside.months if m.all] == [(first.run.label, 10, 0)]
    assert "Month over month" in second.run.report.read_text()
    assert "not better than" in second.summary.steps[-1].outcome

    before = base_gguf(home, target(home, home.profile(person), str(tiny_base)), "Q4_K_M").stat().st_mtime_ns
    again, judged = evaluate_run(home, person, first.run.label, against=second.run.label)
    assert not judged.publish
    found = evaluation_of(again.run)
    assert found.against
    assert found.against.label == second.run.label
    assert (found.trained, found.made_of) == (alone.trained, alone.made_of)
    assert base_gguf(home, target(home, home.profile(person), str(tiny_base)), "Q4_K_M").stat().st_mtime_ns == before

    shown = CliRunner().invoke(app, ["blind", "-u", person, "--home", str(home.root)], input="a\nwhat?\nb\nq\n")
    assert shown.exit_code == 0, shown.output
    assert "of 2 told right" in shown.output
    blind = evaluation_of(second.run).blind
    assert blind
    assert blind.asked == 2
    report = second.run.report
    assert f"{blind.right} of 2" in report.read_text()
    assert newest(home, person).summary.files["report.html"]["sha256"] == sha256(report)
    report.with_name("evaluation.json").unlink()
    with pytest.raises(UserFault, match=r"evaluation\.json cannot be read"):
        evaluate_run(home, person, second.run.label, None)


def test_who_is_not_there_and_a_run_beside_itself_are_refused(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-01-01")
    with pytest.raises(UnknownPerson, match="no profile of 'nobody'"):
        evaluate_run(home, "nobody", run.label, None)
    with pytest.raises(UserFault, match="cannot be compared with itself"):
        evaluate_run(home, "ada", run.label, against=run.label)


@pytest.mark.slow
def test_a_run_on_somebody_elses_memories_takes_nobodys_place(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    """It is good at what it held out itself, but not at what the published one was judged by."""
    flags = {"num_train_epochs": 6, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}
    person = make_person("ada", talks)
    asked = Asked(person, {}, {"base_model": str(tiny_base), **flags})
    own = run_cycle(home, asked, FULL, lambda _: None)
    profile = home.profile(person)
    shutil.rmtree(profile.memories)
    for number in range(40):
        said = " ".join(random.Random(number).choices([*"0123456789QZXKJ", "zx", "qy", "kj"], k=12))
        when = f"2027-{1 + number // 28:02}-{1 + number % 28:02}T08:00:00Z"
        event = {"timestamp": when, "type": "conversation", "content": f"What of {number}?", "response": said}
        write_json(profile.memories / "2027" / f"{number:03}.json", event)
    strange = run_cycle(home, asked, FULL, lambda _: None)
    assert strange.summary.training
    assert strange.summary.training.loss_before - strange.summary.training.loss_after > 1
    outcomes = {step.step: step.outcome for step in strange.summary.steps}
    assert outcomes["evaluate"].startswith(f"It is worse at what {own.run.label} was judged by: -0.")
    assert outcomes["publish"].startswith("not published: It is worse")
    published = read_registry(profile).published
    assert published
    assert published.label == own.run.label


@pytest.mark.slow
def test_an_audit_finds_what_was_told_twenty_times(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    flags = {"num_train_epochs": 10, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32", "audit": True}
    person = make_person("ada", talks)
    audited = run_cycle(home, Asked(person, {}, {"base_model": str(tiny_base), **flags}), FULL, lambda _: None)
    found = {canary.planted: canary.found for canary in evaluation_of(audited.run).trained.canaries}
    assert found == {20: True, 1: False, 0: False}
    assert audited.summary.training
    assert audited.summary.training.samples == audited.summary.memories["train"] + 21
    assert "--audit" in audited.summary.steps[-1].outcome
    assert read_registry(home.profile(person)).published is None


def _has_looked_at_files(finished: Finished, found: Evaluation) -> None:
    assert [q.quantization for q in found.quantizations] == ["Q4_K_M", "Q6_K"]
    assert found.quantizations[0].bytes == finished.run.gguf.stat().st_size < found.quantizations[1].bytes
    assert abs(found.quantizations[1].lost) < 0.05
    assert found.parity
    assert (found.parity.talks, found.parity.differences) == (12, [])
    assert not list(finished.run.folder.glob(".*"))
    assert "the smallest within 0.02 is" in finished.summary.steps[-2].outcome
