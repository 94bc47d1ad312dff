"""An estimate for a person's own data, from what lies in their folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from idiolect.dataset import TrainingText
from idiolect.errors import BaseModelFault, UnknownPerson
from idiolect.files import write_jsonl
from idiolect.home import FULL, Home
from idiolect.workflow.planning.estimate import Estimate, estimate
from idiolect.workflow.planning.plan import Asked
from tests.conftest import Event, MakePerson
from tests.published import QWEN3_14B


def estimated(home: Home, base: Path | str, person: str = "", tokens: int | None = None) -> Estimate:
    return estimate(home, Asked(person, {}, {"base_model": str(base)}), tokens, lambda _: 4e11)


@pytest.fixture
def config_alone(tmp_path: Path) -> Path:
    (tmp_path / "qwen").mkdir()
    (tmp_path / "qwen" / "config.json").write_text(json.dumps(QWEN3_14B))
    return tmp_path / "qwen"


def test_a_config_is_all_that_is_needed(home: Home, config_alone: Path) -> None:
    made = estimated(home, config_alone, tokens=50_000)
    assert made.parameters == 14_768_307_200
    assert (made.work.samples, made.work.tokens) == (500, 50_000)
    assert {f.trains for f in made.forecasts} == {"adapter", "model"}
    assert made.notes == ()


@pytest.mark.slow
def test_the_embedded_model_is_known_without_being_unpacked(home: Home) -> None:
    assert estimated(home, "embedded").parameters == 134_515_008
    assert not home.cache.exists()


def test_the_newest_data_set_counts_and_before_there_is_one_the_memories_do(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    profile = home.profile(make_person("ada", talks))
    made = estimated(home, tiny_base, "ada")
    assert made.work.samples == len(talks)
    assert "no data set has been made yet" in made.work.source
    run = profile.run(FULL, "2026-01-02-030405-abcdef", "Q4_K_M")
    lines = [
        TrainingText(id="1", split="train", mode="dual", text="I walked to the river.", learned=((2, 13),)),
        TrainingText(id="2", split="held_out", mode="dual", text="Not counted.", learned=((0, 3),)),
    ]
    write_jsonl(run.dataset, lines)
    counted = estimated(home, tiny_base, "ada").work
    tokens = len(Tokenizer.from_file(str(tiny_base / "tokenizer.json")).encode(lines[0].text).ids)
    assert (counted.samples, counted.tokens, counted.longest) == (1, tokens, tokens)
    assert counted.learned == tokens // 2
    assert counted.source == str(run.dataset.relative_to(home.root))


def test_without_its_tokenizer_a_models_tokens_are_estimated(
    home: Home, make_person: MakePerson, talks: list[Event], config_alone: Path
) -> None:
    profile = home.profile(make_person("ada", talks))
    line = TrainingText(id="1", split="train", mode="dual", text="x" * 400, learned=((0, 100),))
    write_jsonl(profile.dataset().dataset, [line])
    work = estimated(home, config_alone, "ada").work
    assert (work.tokens, work.learned) == (101, 25)


def test_weight_files_that_hold_something_else_are_mentioned(home: Home, tiny_base: Path, tmp_path: Path) -> None:
    assert estimated(home, tiny_base, tokens=100).notes == ()
    other = tmp_path / "other"
    shutil.copytree(tiny_base, other)
    config = json.loads((other / "config.json").read_bytes())
    (other / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    (note,) = estimated(home, other, tokens=100).notes
    assert "where config.json makes" in note


def test_faults_are_those_of_a_run(home: Home, make_person: MakePerson, talks: list[Event], config_alone: Path) -> None:
    make_person("ada", talks)
    with pytest.raises(UnknownPerson):
        estimated(home, config_alone, "adda")
    with pytest.raises(BaseModelFault, match="no run '2020"):
        estimated(home, "run:2020-01-01-000000-aaaaaa", "ada")
    with pytest.raises(BaseModelFault, match="There is no base model 'nothing'"):
        estimated(home, "nothing")
    (config_alone / "config.json").write_text(json.dumps({**QWEN3_14B, "architectures": ["MixtralForCausalLM"]}))
    with pytest.raises(BaseModelFault, match="MixtralForCausalLM"):
        estimated(home, config_alone)
    (config_alone / "config.json").write_text("{")
    with pytest.raises(BaseModelFault, match="cannot be read"):
        estimated(home, config_alone)
