from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idiolect.config import (
    ImportOptions,
    Options,
    curation_rules,
    described_import_options,
    described_options,
    resolve,
)
from idiolect.errors import OptionFault
from idiolect.files import write_json, write_text
from idiolect.home import FINE_TUNE, FULL, Home

# etc/training.json as MetaHuman OS ships it, in our words for its notes.
METAHUMAN = {
    "comment": "parameters",
    "notes": {"anything": ["may", "stand", "here"]},
    "base_model": "unsloth/Qwen3-14B",
    "max_seq_length": 2048,
    "lora_rank": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.05,
    "num_train_epochs": 3,
    "learning_rate": 0.0002,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 16,
    "optimizer": "paged_adamw_8bit",
    "dtype": "bfloat16",
    "load_in_4bit": True,
    "use_gradient_checkpointing": True,
}


def test_defaults_are_those_of_metahuman_os(home: Home) -> None:
    write_json(home.training_json, METAHUMAN)
    assert resolve(home, "ada", {}, {}).options == Options()


def test_later_sources_win_and_are_named(home: Home) -> None:
    write_json(home.training_json, {"lora_rank": 4, "seed": 1, "learning_rate": 1e-4, "base_model": "a/b"})
    write_json(home.profile("ada").training_json, {"seed": 2, "learning_rate": 2e-4, "base_model": "c/d"})
    environ = {"METAHUMAN_BASE_MODEL": "e/f", "METAHUMAN_DAYS_RECENT": "30", "IDIOLECT_DAYS_RECENT": "20"}
    settings = resolve(home, "ada", environ, {"learning_rate": 3e-4, "max_samples": None})
    o = settings.options
    assert (o.lora_rank, o.seed, o.learning_rate, o.base_model, o.days_recent) == (4, 2, 3e-4, "e/f", 20)
    assert settings.origins["lora_rank"] == "etc/training.json"
    assert settings.origins["seed"] == "profiles/ada/etc/training.json"
    assert settings.origins["base_model"] == "environment"
    assert settings.origins["learning_rate"] == "command line"
    assert settings.origins["max_samples"] == "default"


def test_a_full_fine_tune_has_settings_of_its_own(home: Home) -> None:
    write_json(home.training_json, {"learning_rate": 1e-3, "full_fine_tune": {"weight_decay": 0.01}})
    write_json(home.profile("ada").training_json, {"mode": "agent", "full_fine_tune": {"notes": [], "seed": 3}})
    write_json(home.mode_json("agent"), {"learning_rate": 4e-6})
    lora = resolve(home, "ada", {}, {}, FULL).options
    assert (lora.learning_rate, lora.weight_decay, lora.optimizer) == (1e-3, 0.0, "paged_adamw_8bit")
    full = resolve(home, "ada", {}, {}, FINE_TUNE)
    assert (full.options.learning_rate, full.options.weight_decay, full.options.seed) == (4e-6, 0.01, 3)
    assert full.options.optimizer == "adafactor"
    assert full.origins["learning_rate"] == "etc/modes/agent.json"
    assert full.origins["seed"] == "profiles/ada/etc/training.json: full_fine_tune"
    assert resolve(home, "ada", {}, {"mode": "dual"}, FINE_TUNE).options.learning_rate == 1e-5
    write_json(home.mode_json("agent"), {"learning_rat": 4e-6})
    with pytest.raises(OptionFault, match=r"etc/modes/agent\.json: unknown option 'learning_rat'"):
        resolve(home, "ada", {}, {}, FINE_TUNE)


def test_the_type_of_the_gguf_may_be_stated_as_metahuman_os_does(home: Home) -> None:
    write_json(home.training_json, {"gguf_conversion": {"enabled": True, "quantization_type": "Q5_K_M"}})
    assert resolve(home, "ada", {}, {}).options.quantization == "Q5_K_M"


def test_all_faults_are_reported_at_once(home: Home) -> None:
    write_json(home.training_json, {"lora_rnak": 8, "seed": 1})
    write_json(home.profile("ada").training_json, {"learning_rate": "fast"})
    with pytest.raises(OptionFault) as fault:
        resolve(home, "ada", {}, {"num_train_epochs": -1})
    assert "unknown option 'lora_rnak' (did you mean 'lora_rank'?)" in fault.value.problem
    assert "profiles/ada/etc/training.json: learning_rate" in fault.value.problem
    assert "command line: num_train_epochs" in fault.value.problem


@pytest.mark.parametrize("text", ["{", "[1]", "\udc00", '"text"'])
def test_a_broken_settings_file_is_named(home: Home, text: str) -> None:
    home.training_json.parent.mkdir(parents=True)
    home.training_json.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(OptionFault, match=r"training\.json"):
        resolve(home, "ada", {}, {})


def test_curation_rules_have_defaults_and_refuse_the_unknown(tmp_path: Path) -> None:
    assert curation_rules(tmp_path / "none.json").modes["dream"] == "dual"
    write_json(tmp_path / "some.json", {"modes": {"poem": "dual"}})
    modes = curation_rules(tmp_path / "some.json").modes
    assert (modes["poem"], modes["dream"], modes["task"]) == ("dual", "dual", "agent")
    wrong: dict[str, Any] = {"mode": {}, "modes": {"poem": "loud"}}
    write_json(tmp_path / "wrong.json", wrong)
    with pytest.raises(OptionFault, match=r"modes\.poem.*mode:|mode:.*modes\.poem"):
        curation_rules(tmp_path / "wrong.json")
    write_text(tmp_path / "filler.json", '{"fillers": ["("]}')
    with pytest.raises(OptionFault, match="fillers"):
        curation_rules(tmp_path / "filler.json")


@pytest.mark.parametrize("written", ['{"fillers": ["(?m)^so"]}', '{"mask": ["name"]}', '{"phone_region": "Norway"}'])
def test_rules_that_cannot_be_followed_are_refused_by_name(tmp_path: Path, written: str) -> None:
    (tmp_path / "curation.json").write_text(written)
    with pytest.raises(OptionFault, match=f"curation.json: {written.split(chr(34))[1]}"):
        curation_rules(tmp_path / "curation.json")


def test_options_are_described_for_whoever_draws_them() -> None:
    described = {option.name: option for option in described_options("adapter")}
    assert described.keys() == Options.model_fields.keys()
    assert all(option.help for option in described.values())
    rank, mode, publish = described["lora_rank"], described["mode"], described["publish"]
    assert (rank.kind, rank.optional, rank.default) == ("whole", False, 8)
    assert (mode.kind, mode.choices, mode.optional) == ("choice", ("dual", "emulation", "agent"), True)
    assert (publish.choices, publish.optional, publish.default) == (("always", "gate", "never"), False, "gate")
    assert {described[name].kind for name in ("learning_rate", "yes", "base_model")} == {"number", "switch", "text"}
    whole = {option.name: option for option in described_options("model")}
    assert "lora_rank" not in whole
    assert whole["learning_rate"].default == 1e-5


def test_options_of_an_import_are_described() -> None:
    described = {option.name: option for option in described_import_options()}
    assert described.keys() == ImportOptions.model_fields.keys()
    assert described["me"].kind == "list"
    assert described["day_first"].choices == ("true", "false")
