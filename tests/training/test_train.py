from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from idiolect.config import Options
from idiolect.dataset import TrainingText
from idiolect.errors import DataFault, RunFailed
from idiolect.training import Event, Finished, HeldOut, Note, Started, Stepped, read_result, write_bundle
from idiolect.training.bundle import open_bundle
from idiolect.training.train import train
from tests.tiny import SENTENCES

FAST = Options(learning_rate=1e-2, num_train_epochs=2, warmup_steps=1, dtype="float32", optimizer="adamw_torch")
MakeBundle = Callable[..., Path]


@pytest.fixture
def make_bundle(tmp_path: Path, tiny_base: Path) -> MakeBundle:
    def make(name: str = "bundle", options: Options = FAST) -> Path:
        lines = []
        for n in range(40):
            text = f"<|im_start|>user\n{n}?<|im_end|>\n<|im_start|>assistant\n{SENTENCES[n % 5]}<|im_end|>\n"
            start = text.index(SENTENCES[n % 5])
            split = "held_out" if n % 8 == 0 else "train"
            lines.append(
                TrainingText(id=f"{n}", split=split, mode="emulation", text=text, learned=((start, len(text) - 1),))  # type: ignore[arg-type]
            )
        write_bundle(tmp_path / name, "adapter", options, lines, tiny_base / "tokenizer.json")
        return tmp_path / name

    return make


def test_a_job_learns_and_leaves_adapter_result_and_events(make_bundle: MakeBundle, tiny_base: Path) -> None:
    folder = make_bundle()
    told: list[Event] = []
    result = train(open_bundle(folder), tiny_base, told.append)
    assert result == read_result(folder)
    assert result.loss_after < result.loss_before - 0.5
    assert result.loss_by_epoch[result.best_epoch - 1] == result.loss_after == min(result.loss_by_epoch)
    assert (result.samples, result.steps, len(result.loss_by_epoch)) == (35, 6, 2)
    started, *steps, finished = [e for e in told if not isinstance(e, HeldOut | Note)]
    assert isinstance(started, Started)
    assert (started.samples, started.held_out, started.steps) == (35, 5, 6)
    assert [e.step for e in steps if isinstance(e, Stepped)] == [1, 2, 3, 4, 5, 6]
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
        job = open_bundle(make_bundle(name))
        train(job, tiny_base, lambda _: None)
        adapters.append(load_file(job.weights / "adapter_model.safetensors"))
    assert adapters[0].keys() == adapters[1].keys()
    assert all((adapters[0][k] == adapters[1][k]).all() for k in adapters[0])


def test_a_bundle_names_no_person_and_no_folder(make_bundle: MakeBundle, tiny_base: Path, tmp_path: Path) -> None:
    options = FAST.model_copy(update={"base_model": "/home/ada/secret-base", "system_prompt": "Be Ada."})
    folder = make_bundle(options=options)
    train(open_bundle(folder), tiny_base, lambda _: None)
    for file in (p for p in folder.rglob("*") if p.is_file()):
        content = file.read_bytes()
        for private in (b"secret-base", b"Be Ada", str(tmp_path).encode(), str(tiny_base).encode()):
            assert private not in content, file


def test_what_this_machine_lacks_is_said_once(make_bundle: MakeBundle, tiny_base: Path) -> None:
    options = FAST.model_copy(update={"optimizer": "paged_adamw_8bit", "dtype": "bfloat16", "num_train_epochs": 1})
    told: list[Event] = []
    result = train(open_bundle(make_bundle(options=options)), tiny_base, told.append)
    notes = [e.text for e in told if isinstance(e, Note)]
    assert len(notes) == 1
    assert "4-bit weights and paged_adamw_8bit need" in notes[0]
    assert (result.optimizer, result.dtype, result.device) == ("adamw_torch", "bfloat16", "cpu")


def test_a_loss_that_is_no_number_ends_the_run(make_bundle: MakeBundle, tiny_base: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_base, damaged)
    weights = load_file(damaged / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, damaged / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunFailed, match="not a number"):
        train(open_bundle(make_bundle()), damaged, lambda _: None)


@pytest.mark.parametrize("damage", ["job.json", "dataset.jsonl"])
def test_a_damaged_bundle_is_refused(make_bundle: MakeBundle, damage: str) -> None:
    folder = make_bundle()
    (folder / damage).write_text(json.dumps({"format": 1}))
    with pytest.raises(DataFault, match="not a job bundle"):
        open_bundle(folder)
