from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.numpy import load_file, save_file

from idiolect.config import Options
from idiolect.errors import DataFault, OptionFault, RunFailed
from idiolect.files import write_json
from idiolect.training import Event, Finished, HeldOut, Note, Started, Stepped, read_result
from idiolect.training.bundle import open_bundle
from idiolect.training.checkpoints import ResumableTrainer
from idiolect.training.processes import Processes
from idiolect.training.train import build, check, train
from tests.training.jobs import FAST, texts, write_job

MakeBundle = Callable[..., Path]
ALONE = Processes(0, 1)


@pytest.fixture
def make_bundle(tmp_path: Path, tiny_base: Path) -> MakeBundle:
    def make(name: str = "bundle", trains: Any = "adapter", **options: Any) -> Path:
        return write_job(tmp_path / name, tiny_base, trains, FAST.model_copy(update=options))

    return make


def quietly(_: Event) -> None:
    pass


def test_a_job_learns_and_leaves_adapter_result_and_events(make_bundle: MakeBundle, tiny_base: Path) -> None:
    folder = make_bundle()
    told: list[Event] = []
    result = train(open_bundle(folder), tiny_base, told.append)
    assert result == read_result(folder)
    assert result.loss_after < result.loss_before - 0.5
    assert result.loss_by_epoch[result.best_epoch - 1] == result.loss_after == min(result.loss_by_epoch)
    assert (result.samples, result.steps, len(result.loss_by_epoch)) == (35, 6, 2)
    started, *steps, finished = [e for e in told if not isinstance(e, HeldOut)]
    assert isinstance(started, Started)
    assert (started.samples, started.held_out, started.steps) == (35, 5, 6)
    assert all(isinstance(e, Stepped) and e.memory_bytes > 10**8 and e.tokens_per_second > 0 for e in steps)
    assert [e.step for e in steps if isinstance(e, Stepped)] == [1, 2, 3, 4, 5, 6]
    assert [e.learned_tokens for e in steps if isinstance(e, Stepped)][2::3] == [
        started.learned_tokens,
        2 * started.learned_tokens,
    ]
    assert isinstance(finished, Finished)
    assert [e.epoch for e in told if isinstance(e, HeldOut)] == [0, 1, 2]
    assert sorted(p.name for p in (folder / "outputs" / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert not (folder / "checkpoints").exists()


def test_two_runs_with_one_seed_give_the_same_weights(make_bundle: MakeBundle, tiny_base: Path) -> None:
    adapters = []
    for name in ("one", "two"):
        job = open_bundle(make_bundle(name, num_train_epochs=1, neftune=5.0))
        train(job, tiny_base, quietly)
        adapters.append(load_file(job.weights / "adapter_model.safetensors"))
    assert adapters[0].keys() == adapters[1].keys()
    assert all((adapters[0][k] == adapters[1][k]).all() for k in adapters[0])


@pytest.mark.parametrize("trains", ["adapter", "model"])
def test_a_bundle_names_no_person_and_no_folder(
    make_bundle: MakeBundle, tiny_base: Path, tmp_path: Path, trains: str
) -> None:
    private = {"base_model": "/home/ada/secret-base", "system_prompt": "Be Ada."}
    folder = make_bundle(trains=trains, num_train_epochs=1, **private)
    train(open_bundle(folder), tiny_base, quietly)
    for file in (p for p in folder.rglob("*") if p.is_file()):
        content = file.read_bytes()
        for said in (b"secret-base", b"Be Ada", str(tmp_path).encode(), str(tiny_base).encode()):
            assert said not in content, file


def test_what_this_machine_lacks_is_said_once(make_bundle: MakeBundle, tiny_base: Path) -> None:
    lacking = {"optimizer": "paged_adamw_8bit", "dtype": "bfloat16", "load_in_4bit": True}
    told: list[Event] = []
    folder = make_bundle(num_train_epochs=1, use_gradient_checkpointing=True, **lacking)
    result = train(open_bundle(folder), tiny_base, told.append)
    (note,) = [e.text for e in told if isinstance(e, Note)]
    assert note.startswith("No GPU here, so without 4-bit weights, paged_adamw_8bit and gradient checkpointing: ")
    assert f"adamw_torch, {result.dtype} (" in note
    assert (result.optimizer, result.device) == ("adamw_torch", "cpu")


def test_part_of_an_epoch_is_learned_from_and_accounted_for(make_bundle: MakeBundle, tiny_base: Path) -> None:
    job = open_bundle(make_bundle(num_train_epochs=1.5))
    trainer, _ = build(job, tiny_base, ALONE, quietly, 300)
    trainer.train()
    check(trainer)
    assert trainer.state.global_step == 5
    assert Counter(trainer.consumed.values()) == {1: 3, 2: 32}
    assert trainer.consumed.keys() == {t.id for t in job.texts if t.split == "train"}


class Forgetful(ResumableTrainer):
    """Drops the last sample of each step."""

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        return super().training_step(model, inputs[:-1], num_items_in_batch)


def test_a_trainer_that_drops_samples_has_failed(make_bundle: MakeBundle, tiny_base: Path) -> None:
    trainer, _ = build(open_bundle(make_bundle(num_train_epochs=1)), tiny_base, ALONE, quietly, 300)
    trainer.__class__ = Forgetful
    trainer.train()
    dropped = sorted(s.id for s in trainer.train_dataset if s.id not in trainer.consumed)
    assert len(dropped) == 3
    with pytest.raises(RunFailed, match="3 samples were not learned from as often as asked") as failure:
        check(trainer)
    assert all(name in failure.value.problem for name in dropped)


@pytest.mark.slow
def test_training_stops_where_it_gets_no_better_and_keeps_the_best(tmp_path: Path, tiny_base: Path) -> None:
    """What is held out is written backwards: the better the rest is known, the worse it gets."""
    lines = [
        msgspec.structs.replace(x, text=x.text[:40] + x.text[40:][::-1], learned=((40, len(x.text)),))
        if x.split == "held_out"
        else x
        for x in texts()
    ]

    def job(name: str, **options: Any) -> Any:
        steady = FAST.model_copy(update={"lr_scheduler_type": "constant", "learning_rate": 3e-3, **options})
        return open_bundle(write_job(tmp_path / name, tiny_base, "model", steady, lines))

    stopped = job("stopped", num_train_epochs=30, early_stopping=2)
    result = train(stopped, tiny_base, quietly)
    assert result.best_epoch == len(result.loss_by_epoch) - 2 < 28
    short = job("short", num_train_epochs=result.best_epoch)
    assert train(short, tiny_base, quietly).loss_after == result.loss_after
    best, same = (load_file(j.weights / "model.safetensors") for j in (stopped, short))
    assert all((best[k] == same[k]).all() for k in best)


def test_a_loss_that_is_no_number_names_its_sample(make_bundle: MakeBundle, tiny_base: Path, tmp_path: Path) -> None:
    """The embedding of a token that only one sample has is damaged."""
    damaged, bundle = tmp_path / "damaged", tmp_path / "rare"
    shutil.copytree(tiny_base, damaged)
    weights = load_file(damaged / "model.safetensors")
    rare = _token(tiny_base, "<|fim|>")
    weights["model.embed_tokens.weight"][rare] = float("nan")
    save_file(weights, damaged / "model.safetensors", metadata={"format": "pt"})
    lines = texts()
    lines[17] = msgspec.structs.replace(lines[17], text=lines[17].text.replace("17?", "<|fim|>"), learned=((0, 40),))
    job = open_bundle(write_job(bundle, tiny_base, "adapter", FAST, lines))
    with pytest.raises(RunFailed, match=r"not a number at step [12], at sample 17\."):
        train(job, damaged, quietly)


def _token(base: Path, text: str) -> int:
    from tokenizers import Tokenizer

    number = Tokenizer.from_file(str(base / "tokenizer.json")).token_to_id(text)
    assert number is not None
    return number


def test_weights_that_are_no_numbers_name_some_of_all_samples(
    make_bundle: MakeBundle, tiny_base: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_base, damaged)
    weights = load_file(damaged / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, damaged / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunFailed, match=r"at sample (\d+, ){4}\d+ and 11 more"):
        train(open_bundle(make_bundle()), damaged, quietly)


def with_room_for(trainer: ResumableTrainer, tokens: int) -> None:
    """Let the model do what a GPU does that has no room for so many tokens at once."""

    def refuse(_: Any, args: Any, given: dict[str, Any]) -> None:
        if given["input_ids"].numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    trainer.model.register_forward_pre_hook(refuse, with_kwargs=True)


def test_out_of_memory_halves_the_tokens_at_once_and_goes_on(make_bundle: MakeBundle, tiny_base: Path) -> None:
    plain, _ = build(open_bundle(make_bundle("plain", lora_dropout=0.0)), tiny_base, ALONE, quietly, 300)
    plain.train()
    told: list[Event] = []
    folder = make_bundle(lora_dropout=0.0)
    trainer, setup = build(open_bundle(folder), tiny_base, ALONE, told.append, 300)
    with_room_for(trainer, 130)
    trainer.train()
    check(trainer)
    assert setup.row_tokens == 512
    assert [e.text for e in told if isinstance(e, Note)] == [
        f"Out of memory: going on with {tokens} tokens at once, half as many as before." for tokens in (256, 128)
    ]
    losses = [[e["loss"] for e in t.state.log_history if "loss" in e] for t in (plain, trainer)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    kept = json.loads((folder / "checkpoints" / "setup.json").read_text())
    assert kept["row_tokens"] == 128


def test_a_single_sample_that_does_not_fit_is_named(make_bundle: MakeBundle, tiny_base: Path) -> None:
    trainer, _ = build(open_bundle(make_bundle()), tiny_base, ALONE, quietly, 300)
    with_room_for(trainer, 10)
    with pytest.raises(RunFailed, match=r"Out of memory with a single sample of up to \d+ tokens \(\d+\)"):
        trainer.train()


def test_an_error_that_is_not_about_memory_keeps_its_traceback(make_bundle: MakeBundle, tiny_base: Path) -> None:
    trainer, _ = build(open_bundle(make_bundle()), tiny_base, ALONE, quietly, 300)

    def refuse(*_: Any) -> None:
        raise RuntimeError("a kernel is broken")

    trainer.model.register_forward_pre_hook(refuse)
    with pytest.raises(RuntimeError, match="a kernel is broken"):
        trainer.train()


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adafactor", "adamw_torch"])
def test_all_weights_learn_in_bfloat16_at_a_small_rate(
    make_bundle: MakeBundle, tiny_base: Path, optimizer: str
) -> None:
    """At this rate almost every step is less than half of what a bfloat16 can tell apart."""
    folder = make_bundle(trains="model", optimizer=optimizer, dtype="bfloat16", learning_rate=5e-5, num_train_epochs=3)
    result = train(open_bundle(folder), tiny_base, quietly)
    exact = make_bundle("exact", trains="model", optimizer=optimizer, learning_rate=5e-5, num_train_epochs=3)
    wanted = train(open_bundle(exact), tiny_base, quietly)
    gained, should = result.loss_before - result.loss_after, wanted.loss_before - wanted.loss_after
    assert gained == pytest.approx(should, rel=0.2)


def test_layers_that_the_base_lacks_are_refused_with_those_it_has(make_bundle: MakeBundle, tiny_base: Path) -> None:
    job = open_bundle(make_bundle(lora_target_modules="q_proj, v_proj"))
    trainer, _ = build(job, tiny_base, ALONE, quietly, 300)
    adapted = {n.split(".")[-4] for n, p in trainer.model.named_parameters() if p.requires_grad}
    assert adapted == {"q_proj", "v_proj"}
    with pytest.raises(OptionFault, match=r"'c_attn'.* no such layers") as fault:
        build(open_bundle(make_bundle(lora_target_modules="c_attn")), tiny_base, ALONE, quietly, 300)
    assert "down_proj, gate_proj, k_proj" in fault.value.remedy


def test_what_was_decided_stays_so_on_such_a_machine_and_no_other(make_bundle: MakeBundle, tiny_base: Path) -> None:
    job = open_bundle(make_bundle())
    write_json(job.checkpoints / "setup.json", {"device": "cpu", "row_tokens": 77})
    assert build(job, tiny_base, ALONE, quietly, 300)[1].row_tokens == 77
    write_json(job.checkpoints / "setup.json", {"device": "cuda", "row_tokens": 77})
    _, setup = build(job, tiny_base, ALONE, quietly, 300)
    assert (setup.device, setup.row_tokens) == ("cpu", 512)


@pytest.mark.parametrize("damage", ["job.json", "dataset.jsonl"])
def test_a_damaged_bundle_is_refused(make_bundle: MakeBundle, damage: str) -> None:
    folder = make_bundle()
    (folder / damage).write_text(json.dumps({"format": 1}))
    with pytest.raises(DataFault, match="not a job bundle"):
        open_bundle(folder)


def test_a_bundle_that_is_another_one_forgets_what_it_was(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    for made in ("checkpoints/checkpoint-1", "outputs/adapter"):
        (folder / made).mkdir(parents=True)
    (folder / "events.jsonl").write_text("")
    make_bundle()
    assert (folder / "checkpoints").exists()
    make_bundle(learning_rate=1e-3)
    assert sorted(p.name for p in folder.iterdir()) == [
        "chat_template.jinja",
        "dataset.jsonl",
        "job.json",
        "probes.jsonl",
        "tokenizer.json",
    ]
    assert math.isclose(open_bundle(folder).options.learning_rate, 1e-3)
    assert Options().learning_rate == 2e-4
