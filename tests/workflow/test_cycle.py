"""The whole cycle, on a tiny random model: real files, a real training process, a real GGUF."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader

from idiolect.curation import Message
from idiolect.errors import BaseModelFault, EmptyProfile, RunFailed, UserFault
from idiolect.home import FINE_TUNE, FULL, Cycle, Home
from idiolect.serving import Sampling, load, reply
from idiolect.workflow.archive.registry import Voice, read_registry, voice
from idiolect.workflow.archive.runs import Finished, newest, overview
from idiolect.workflow.cycle import STEPS, run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Began, Ended
from tests.conftest import Event, MakePerson

QUICK: dict[str, Any] = {"num_train_epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}


def cycle(home: Home, person: str, base: Path | str, told: list[Any] | None = None, kind: Cycle = FULL) -> Finished:
    tell = (told if told is not None else []).append
    return run_cycle(home, Asked(person, {}, {"base_model": str(base), **QUICK}), kind, tell)


def test_a_run_leaves_just_what_was_promised(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    told: list[Any] = []
    person = make_person("ada", talks)
    (home.profile(person).memories / "broken.json").write_text("{")
    finished = cycle(home, person, tiny_base, told)
    run, summary = finished.run, finished.summary
    names = {str(p.relative_to(run.folder)) for p in run.folder.rglob("*") if p.is_file()}
    assert names == {
        f"{run.label}.jsonl",
        "curated_memories.json",
        "formatted_samples.json",
        "schema_applied.json",
        "ledger.jsonl",
        "evaluation.json",
        "report.html",
        "train-log.jsonl",
        "loss.svg",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter.gguf",
        "Modelfile",
        "checked-by.json",
        "run.log",
        "run-summary.json",
    }
    assert {p.name for p in home.profile(person).out.iterdir()} == {"adapters", "registry.json", "work"}
    published = read_registry(home.profile(person)).published
    assert published
    assert (published.label, published.ollama, published.context, summary.context) == (run.label, None, 512, 512)
    assert "PARAMETER temperature 0.7\n" in run.modelfile.read_text()
    assert "PARAMETER num_ctx 512\n" in run.modelfile.read_text()
    temperature = GGUFReader(run.gguf).fields["general.sampling.temp"]
    assert temperature.contents() == pytest.approx(0.7)
    assert voice(home, person) == Voice(run.gguf, summary.system_messages, run.label, 512)
    quick = {step.step: step.seconds for step in summary.steps}
    assert quick["parity"] + quick["publish"] < 5  # far below a second where nobody else wants the cores
    assert not run.work.exists()
    steps = [name for name in STEPS if name != "merge"]
    assert [e.step for e in told if isinstance(e, Began)] == steps
    assert [e.step for e in told if isinstance(e, Ended)] == steps
    assert newest(home, person) == finished

    fates = Counter(json.loads(line)["fate"] for line in run.ledger.read_text().splitlines())
    lines = [json.loads(line) for line in run.dataset.read_text().splitlines()]
    assert fates == {"train": 30, "held_out": 10, "dropped": 1}
    assert Counter(line["split"] for line in lines) == {"train": 30, "held_out": 10}
    assert summary.memories == {"train": 30, "held_out": 10, "unreadable": 1}
    assert summary.training
    assert summary.training.samples == 30
    assert summary.training.loss_after < summary.training.loss_before
    on_disk = json.loads(run.summary.read_text())
    assert on_disk["options"]["learning_rate"] == {"value": 0.01, "from": "command line"}
    assert on_disk["options"]["lora_rank"] == {"value": 8, "from": "default"}
    assert set(on_disk["files"]) == names - {"run-summary.json", "run.log"}
    assert on_disk["files"]["adapter.gguf"]["bytes"] == run.gguf.stat().st_size

    answer = reply(load(run.gguf, context=256), [Message("user", "And?")], Sampling(max_tokens=5))
    assert answer.tokens > 0


@pytest.mark.slow
def test_all_weights_are_trained_and_another_run_goes_on_from_them(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks)
    first = cycle(home, person, tiny_base, kind=FINE_TUNE)
    names = {str(p.relative_to(first.run.folder)) for p in first.run.folder.rglob("*") if p.is_file()}
    assert first.run.folder.parent.parent.name == "fine-tuned-models"
    assert names == {
        "fine_tune_dataset.jsonl",
        "curated_memories.json",
        "formatted_samples.json",
        "schema_applied.json",
        "ledger.jsonl",
        "evaluation.json",
        "report.html",
        "train-log.jsonl",
        "loss.svg",
        "model/chat_template.jinja",
        "model/config.json",
        "model/generation_config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "model-Q6_K.gguf",
        "Modelfile",
        "checked-by.json",
        "run.log",
        "run-summary.json",
    }
    training = first.summary.training
    assert training
    assert training.optimizer == "adafactor"
    assert training.trained_parameters > 100_000
    assert training.loss_after < training.loss_before
    answer = reply(load(first.run.gguf, context=256), [Message("user", "And?")], Sampling(max_tokens=5))
    assert answer.tokens > 0

    second = cycle(home, person, f"run:{first.run.label}", kind=FINE_TUNE)
    assert second.summary.training
    assert second.summary.training.loss_before == pytest.approx(training.loss_after)
    assert newest(home, person) == second
    with pytest.raises(BaseModelFault, match="has no run 'nosuch' that kept a model"):
        cycle(home, person, "run:nosuch", kind=FINE_TUNE)


@pytest.mark.slow
def test_a_run_goes_on_from_a_base_with_an_adapter_merged_in(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks)
    first = cycle(home, person, tiny_base)
    told: list[Any] = []
    second = run_cycle(
        home,
        Asked(person, {}, {"base_model": f"run:{first.run.label}", **QUICK}),
        FULL,
        told.append,
    )
    assert first.summary.training
    assert second.summary.training
    assert second.summary.training.loss_before == pytest.approx(first.summary.training.loss_after, abs=1e-4)
    assert [e.step for e in told if isinstance(e, Began)] == [name for name in STEPS if name != "merge"]
    assert not second.run.model.exists()
    third = cycle(home, person, f"run:{second.run.label}")
    assert third.summary.training
    assert third.summary.training.loss_before == pytest.approx(second.summary.training.loss_after, abs=1e-4)
    assert not first.run.model.exists()
    assert not second.run.model.exists()  # it was merged for the third, and is not needed any more


def test_memories_of_which_none_can_be_learned_from_end_the_run_at_once(
    home: Home, make_person: MakePerson, tiny_base: Path
) -> None:
    person = make_person("ada", [{"type": "summary", "content": "They like bees."}, ["no event"]])
    with pytest.raises(
        EmptyProfile,
        match=r"None of 2 memories of ada .*: 1 (unreadable|written by a machine), 1 ",
    ):
        cycle(home, person, tiny_base)
    (run,) = home.profile(person).runs()
    summary = json.loads(run.summary.read_text())
    assert summary["state"] == "failed"
    assert summary["error"].startswith("curate: None of 2 memories")
    with pytest.raises(UserFault, match="no model yet"):
        newest(home, person)


@pytest.mark.slow
def test_a_ledger_that_says_otherwise_than_the_trainer_fails_the_run(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks)

    def add_one(event: Any) -> None:
        if isinstance(event, Began) and event.step == "train":
            (run,) = home.profile(person).runs()
            with run.ledger.open("a") as ledger:
                ledger.write('{"memory": "x.json", "fate": "train", "sample": "never seen"}\n')

    with pytest.raises(RunFailed, match="30 texts were learned from; the ledger has 31"):
        run_cycle(home, Asked(person, {}, {"base_model": str(tiny_base), **QUICK}), FULL, add_one)
    (row,) = overview(home, person)
    assert row.state == "failed"
