"""Architectures that are not known here: through llama.cpp's converter if it is at hand, else refused by name.

The converter in stand_in/ speaks for the real one; test_reference.py holds what comes of it against the real one's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import pytest

from idiolect import export
from idiolect.errors import BaseModelFault, NoRoom, OptionFault
from tests.export.test_running import PROMPT, greedy_in_llama_cpp, greedy_in_transformers
from tests.export.test_weights import adapted, loaded
from tests.tiny import write_model, write_tokenizer

STAND_IN = Path(__file__).parent / "stand_in"
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
]


@pytest.fixture(scope="module")
def olmo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = write_model(tmp_path_factory.mktemp("olmo") / "base", "Olmo2", "bfloat16")
    write_tokenizer(base)
    return base


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(STAND_IN))


@pytest.mark.slow
def test_what_it_says_is_what_transformers_says(
    olmo: Path, at_hand: None, tmp_path: Path, serve: Callable[[Path], Any]
) -> None:
    model = adapted(olmo, tmp_path / "adapter", lora_alpha=2)
    told: list[tuple[int, int]] = []
    export.check_exportable(olmo)
    summary = export.export_gguf(
        olmo,
        tmp_path / "out" / "m.gguf",
        "F16",
        adapter=tmp_path / "adapter",
        name="ada",
        chat_template="{{ messages }}!",
        keys={"general.sampling.temp": 0.5, "general.sampling.top_k": 7},
        on_progress=lambda *now: told.append(now),
    )
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m.gguf"]
    assert told[-1][0] == told[-1][1] < summary.bytes <= export.estimate_bytes(olmo, "F16")
    fields = gguf.GGUFReader(tmp_path / "out" / "m.gguf").fields
    assert fields["general.name"].contents() == "ada"
    assert fields["tokenizer.chat_template"].contents() == "{{ messages }}!"
    assert fields["general.file_type"].contents() == 1
    assert (fields["general.sampling.temp"].contents(), fields["general.sampling.top_k"].contents()) == (0.5, 7)
    theirs = greedy_in_llama_cpp(serve(tmp_path / "out" / "m.gguf"), PROMPT, 16)
    assert theirs == greedy_in_transformers(model, PROMPT, 16)


@pytest.mark.slow
def test_a_model_without_an_adapter_is_converted_as_it_stands(olmo: Path, at_hand: None, tmp_path: Path) -> None:
    export.export_gguf(olmo, tmp_path / "m.gguf", "BF16", name="tiny")
    (found,) = (t for t in gguf.GGUFReader(tmp_path / "m.gguf").tensors if t.name == "blk.1.ffn_up.weight")
    stored = loaded(olmo).state_dict()["model.layers.1.mlp.up_proj.weight"].numpy()
    assert (gguf.quants.dequantize(found.data, found.tensor_type) == stored).all()


def test_without_the_converter_it_is_refused_by_name(olmo: Path, tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match="Olmo2ForCausalLM") as fault:
        export.check_exportable(olmo)
    assert "Qwen3ForCausalLM" in fault.value.remedy
    assert "LLAMA_CPP_DIR" in fault.value.remedy
    with pytest.raises(BaseModelFault, match="Olmo2ForCausalLM"):
        export.export_gguf(olmo, tmp_path / "m.gguf", "F16", name="tiny")


def test_a_folder_without_a_converter_is_named(olmo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(tmp_path))
    with pytest.raises(OptionFault, match=r"no convert_hf_to_gguf\.py in it"):
        export.check_exportable(olmo)


@pytest.mark.slow
def test_what_the_converter_does_not_know_is_refused_in_its_own_words(at_hand: None, tmp_path: Path) -> None:
    base = write_model(tmp_path / "base", "StableLm")
    write_tokenizer(base)
    with pytest.raises(BaseModelFault, match="Model StableLmForCausalLM is not supported"):
        export.check_exportable(base)


def test_with_an_importance_matrix_it_is_refused_early(olmo: Path, at_hand: None) -> None:
    with pytest.raises(OptionFault, match="importance matrix"):
        export.check_exportable(olmo, weighed=True)


@pytest.mark.slow
def test_nothing_is_left_of_an_export_that_is_interrupted(olmo: Path, at_hand: None, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.export_gguf(olmo, tmp_path / "out" / "m.gguf", "F16", name="tiny", on_progress=stop)
    assert list((tmp_path / "out").iterdir()) == []


def test_room_for_the_files_in_between_is_asked_for_before(
    olmo: Path, at_hand: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 20_000_000  # its two passing copies in float32 take more

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(NoRoom, match=r"m\.gguf will take"):
        export.export_gguf(olmo, tmp_path / "m.gguf", "Q8_0", name="tiny")
