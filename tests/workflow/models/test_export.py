"""Another model file from what a run has kept: the bytes that the run itself would have written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import BaseModelFault, OptionFault, UnknownPerson, UserFault
from idiolect.home import CYCLES, FINE_TUNE, FULL, Home
from idiolect.training import Note
from idiolect.workflow.archive.runs import Finished
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.models.export import Another, export_again
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Ended, Written
from tests.conftest import Event, MakePerson
from tests.tiny import write_model, write_tokenizer

QUICK: dict[str, Any] = {"num_train_epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}


@pytest.fixture
def own_base(tiny_base: Path, tmp_path: Path) -> Path:
    """A base model that a test may take away."""
    shutil.copytree(tiny_base, tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def finished(
    home: Home, make_person: MakePerson, talks: list[Event], own_base: Path, request: pytest.FixtureRequest
) -> Finished:
    cycle = CYCLES[getattr(request, "param", FULL.name)]
    flags = {"base_model": str(own_base), "quantization": "Q8_0", "keep_model": True, **QUICK}
    return run_cycle(home, Asked(make_person("ada", talks), {}, flags), cycle, lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("finished", [FULL.name, FINE_TUNE.name], indirect=True)
def test_a_second_file_stands_beside_the_first_and_equals_it_if_it_is_the_same(
    home: Home, finished: Finished, tmp_path: Path
) -> None:
    run = finished.run
    told: list[Any] = []
    again = export_again(home, Another("ada", run.label, "Q8_0", tmp_path / "voice.gguf"), told.append)
    assert again.read_bytes() == run.gguf.read_bytes()
    second = export_again(home, Another("ada", run.label, "F16"), told.append)
    assert second == run.folder / ("adapter-F16.gguf" if run.cycle is FULL else "model-F16.gguf")
    assert second.stat().st_size > run.gguf.stat().st_size > 100_000
    assert any(isinstance(event, Written) and event.done == event.total for event in told)
    assert isinstance(told[-1], Ended)
    assert not any(isinstance(event, Note) for event in told)


@pytest.mark.slow
def test_without_its_base_the_merged_model_is_exported_and_said(home: Home, finished: Finished, own_base: Path) -> None:
    shutil.rmtree(own_base)
    told: list[Any] = []
    made = export_again(home, Another("ada", finished.run.label, "Q8_0"), told.append)
    # The tiny base is stored in float32, so that nothing was rounded.
    assert made.read_bytes() == finished.run.gguf.read_bytes()
    (note,) = [event for event in told if isinstance(event, Note)]
    assert str(own_base) in note.text
    shutil.rmtree(finished.run.model)
    with pytest.raises(BaseModelFault, match=f"needs its base model, {own_base}"):
        export_again(home, Another("ada", finished.run.label, "Q8_0"), told.append)


@pytest.mark.slow
def test_an_importance_matrix_is_measured_kept_and_used_again(
    home: Home, make_person: MakePerson, talks: list[Event], tmp_path: Path
) -> None:
    base = write_model(tmp_path / "wide", "Llama", num_hidden_layers=1)
    write_tokenizer(base)
    flags = {"base_model": str(base), "quantization": "Q4_K_M", "imatrix": True, "keep_model": False, **QUICK}
    run = run_cycle(home, Asked(make_person("ada", talks), {}, flags), FULL, lambda _: None).run
    assert run.importance.stat().st_size > 7 * 256 * 4
    again = export_again(home, Another("ada", run.label, "Q4_K_M", imatrix=True), lambda _: None)
    assert again.read_bytes() == run.gguf.read_bytes()
    without = export_again(home, Another("ada", run.label, "Q4_K_M"), lambda _: None)
    assert without.stat().st_size == run.gguf.stat().st_size
    assert without.read_bytes() != run.gguf.read_bytes()


@pytest.mark.slow
def test_a_whole_cycle_of_an_architecture_that_llama_cpp_converts(
    home: Home, make_person: MakePerson, talks: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_model(tmp_path / "olmo", "Olmo2", num_hidden_layers=2)
    write_tokenizer(base)
    person, flags = make_person("ada", talks), {"base_model": str(base), **QUICK}
    with pytest.raises(BaseModelFault, match="Olmo2ForCausalLM, which cannot be exported"):
        run_cycle(home, Asked(person, {}, flags), FULL, lambda _: None)
    monkeypatch.setenv("LLAMA_CPP_DIR", str(Path(__file__).parents[2] / "export" / "stand_in"))
    run = run_cycle(home, Asked(person, {}, flags), FULL, lambda _: None).run
    again = export_again(home, Another("ada", run.label, "Q4_K_M", tmp_path / "again.gguf"), lambda _: None)
    assert again.read_bytes() == run.gguf.read_bytes()


@pytest.mark.slow
def test_what_cannot_be_exported_is_said(home: Home, finished: Finished, tmp_path: Path) -> None:
    run = finished.run

    def refused(fault: type[Exception], said: str, person: str = "ada", label: str = run.label, **to: Path) -> None:
        with pytest.raises(fault, match=said):
            export_again(home, Another(person, label, "Q6_K", to.get("output")), lambda _: None)

    refused(UnknownPerson, "no profile of 'adda'", person="adda")
    refused(UserFault, "ada has no run 2020", label="2020")
    refused(OptionFault, "is a folder", output=tmp_path)
    with pytest.raises(UserFault, match="kept no importance matrix"):
        export_again(home, Another("ada", run.label, "Q6_K", imatrix=True), lambda _: None)
    shutil.rmtree(run.weights)
    refused(UserFault, f"no weights: there is no {run.weights}")
    assert not (run.folder / "adapter-Q6_K.gguf").exists()
