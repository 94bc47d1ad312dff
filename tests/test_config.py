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
    environment,
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


# MetaHuman OS' settings, written from what its files hold (section 6.6 of the facts), not copied.
OF_A_CHECKOUT = METAHUMAN | {
    "fp16": False,
    "bf16": True,
    "logging_steps": 10,
    "save_strategy": "epoch",
    "save_total_limit": 2,
    "bnb_4bit_quant_type": "nf4",
    "chat_template": "chatml",
}
OF_ITS_WIZARD = {
    "base_model": "Qwen/Qwen3.5-9B",
    "monthly_training": True,
    "days_recent": 30,
    "old_samples": 3000,
    "max_samples": 3000,
    "load_in_4bit": False,
    "load_in_16bit": True,
    "skipGguf": True,
    "trainingTarget": "vllm",
    "quantization": "Q4_K_M",
    "gguf_conversion": {"enabled": False, "quantization_type": "Q4_K_M"},
    "lastUpdated": "2026-09-01T00:00:00Z",
    "_TEMPLATE_WARNING": "not to be edited",
}
ITS_FINE_TUNE = {
    "base_model": "Qwen/Qwen3-14B",
    "training_mode": "full_finetune",
    "learning_rate": 5e-6,
    "gradient_accumulation_steps": 32,
    "warmup_steps": 100,
    "save_steps": 500,
    "optim": "adafactor",
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "dataset_requirements": {"min_samples": 5000},
    "gguf_conversion": {"enabled": True, "quantization_type": "Q5_K_M", "intermediate_type": "f16"},
}
#: What it writes for each new user: at eabcdc93, and at 0edce518.
ITS_PROFILE = {
    "base_model": "unsloth/Qwen3-Coder-30B-A3B-Instruct",
    "max_seq_length": 2048,
    "lora_rank": 8,
    "lora_alpha": 16,
    "num_train_epochs": 2,
    "learning_rate": 0.0002,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 16,
    "dtype": "bfloat16",
}
ITS_NEWER_PROFILE = ITS_PROFILE | {
    "base_model": "unsloth/Qwen3.5-9B",
    "lora_dropout": 0,
    "load_in_4bit": False,
    "load_in_16bit": True,
}


def test_settings_of_metahuman_os_are_taken_and_what_has_no_meaning_is_said_once(home: Home) -> None:
    write_json(home.training_json, OF_A_CHECKOUT)
    write_json(home.fine_tune_config, {"fp16": False, **ITS_FINE_TUNE})
    lora = resolve(home, "ada", {}, {}, FULL)
    assert lora.options == Options()
    (said,) = lora.notes
    assert said.startswith("etc/training.json: ")
    for key in ("fp16 and bf16 not used, see dtype", "logging_steps", "save_strategy", "bnb_4bit_quant_type"):
        assert key in said
    whole = resolve(home, "ada", {}, {}, FINE_TUNE)
    assert "".join(whole.notes).count("fp16") == 1


def test_settings_of_its_training_wizard_say_here_what_they_say_there(home: Home) -> None:
    write_json(home.training_json, OF_ITS_WIZARD)
    settings = resolve(home, "ada", {}, {}, FULL)
    o = settings.options
    assert (o.monthly, o.days_recent, o.max_samples, o.load_in_4bit, o.quantization) == (
        True,
        30,
        3000,
        False,
        "Q4_K_M",
    )
    assert "monthly_training taken as monthly" in settings.notes[0]
    assert "skipGguf" in settings.notes[0]
    write_json(home.training_json, {"load_in_16bit": True, "max_seq_length": None})
    assert (resolve(home, "ada", {}, {}).options.load_in_4bit, Options().max_seq_length) == (False, 2048)


def test_its_settings_for_fine_tuning_are_for_that_cycle_and_ours_go_over_them(home: Home) -> None:
    write_json(
        home.training_json, {"base_model": "a/b", "full_fine_tune": {"weight_decay": 0.5, "optim": "adamw_torch"}}
    )
    write_json(home.fine_tune_config, ITS_FINE_TUNE)
    write_json(home.mode_config("agent"), {"cognitive_mode": "agent", "learning_rate": 4e-6, "weight_decay": 0.015})
    assert resolve(home, "ada", {}, {}, FULL).options.learning_rate == 2e-4
    whole = resolve(home, "ada", {}, {}, FINE_TUNE)
    o = whole.options
    assert (o.learning_rate, o.warmup_steps, o.gradient_accumulation_steps) == (5e-6, 100, 32)
    assert (o.optimizer, o.weight_decay, o.quantization, o.base_model) == ("adamw_torch", 0.5, "Q5_K_M", "a/b")
    assert whole.origins["learning_rate"] == "etc/fine-tune-config.json"
    assert any("base_model not used" in note for note in whole.notes)
    of_mode = resolve(home, "ada", {}, {"mode": "agent"}, FINE_TUNE).options
    assert (of_mode.learning_rate, of_mode.weight_decay) == (4e-6, 0.015)
    write_json(home.mode_json("agent"), {"learning_rate": 3e-6})
    assert resolve(home, "ada", {}, {"mode": "agent"}, FINE_TUNE).options.learning_rate == 3e-6


@pytest.mark.parametrize("written", [ITS_PROFILE, ITS_NEWER_PROFILE, dict(reversed(ITS_PROFILE.items()))])
def test_the_file_that_metahuman_os_writes_into_each_profile_says_nothing(home: Home, written: dict[str, Any]) -> None:
    write_json(home.training_json, {"num_train_epochs": 5, "base_model": "a/b"})
    write_json(home.profile("ada").training_json, written)
    settings = resolve(home, "ada", {}, {})
    assert (settings.options.num_train_epochs, settings.options.base_model) == (5, "a/b")
    (said,) = settings.notes
    assert "profiles/ada/etc/training.json is passed over" in said
    # A value of the person's own makes it theirs, all of it.
    write_json(home.profile("ada").training_json, {**written, "lora_rank": 32})
    own = resolve(home, "ada", {}, {}).options
    assert (own.lora_rank, own.base_model, own.num_train_epochs) == (32, written["base_model"], 2)


def test_a_copy_of_the_homes_settings_in_a_profile_says_nothing_either(home: Home) -> None:
    shipped = {k: v for k, v in OF_A_CHECKOUT.items() if k not in ("bnb_4bit_quant_type",)} | {
        "system_prompt": "You are MetaHuman Greg, a helpful assistant."
    }
    write_json(home.profile("ada").training_json, shipped)
    write_json(home.training_json, shipped)
    assert sum("fp16" in note for note in resolve(home, "ada", {}, {}).notes) == 1
    write_json(home.training_json, shipped | {"lora_rank": 64})  # the copy is now an old one
    assert resolve(home, "ada", {}, {}).options.lora_rank == 64


@pytest.mark.parametrize("name", ["training.json", "fine-tune-config.json"])
def test_comments_and_trailing_commas_are_allowed(home: Home, name: str) -> None:
    write_text(
        home.root / "etc" / name,
        '\ufeff{\n  // slower, and better\n  "learning_rate": 1e-4, /* for now */\n  seed: 7,\n}\n',
    )
    o = resolve(home, "ada", {}, {}, FINE_TUNE).options
    assert o.seed == 7
    write_text(home.profile("ada").curation_json, '{"blocked_words": ["x",], // and more\n}')
    assert curation_rules(home.profile("ada").curation_json).blocked_words == ("x",)
    write_text(home.profile("ada").curation_json, '{ // mine\n  "mask": ["email"],\n  "long_share": 2,\n}')
    with pytest.raises(OptionFault, match=r"curation\.json: long_share: .* \(line 3\)"):
        curation_rules(home.profile("ada").curation_json)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n "seed": 1,\n "seed" 2\n}', "line 3"),
        ("[" * 100_000, "nested too deep"),
        ('{"learning_rate": NaN}', "NaN is not a number"),
        ("{} " + " " * 1_000_000, "larger than 1 MB"),
    ],
)
def test_a_settings_file_that_cannot_be_read_says_where(home: Home, text: str, said: str) -> None:
    write_text(home.training_json, text)
    with pytest.raises(OptionFault, match=said) as fault:
        resolve(home, "ada", {}, {})
    assert "etc/training.json" in fault.value.problem


def test_each_fault_names_its_file_and_line(home: Home) -> None:
    write_text(home.training_json, '{\n  // "lora_rnak" is not this line\n  "seed": 1,\n  "lora_rnak": 8\n}\n')
    write_text(home.profile("ada").training_json, '{\n\n  "learning_rate": "fast"}')
    with pytest.raises(OptionFault) as fault:
        resolve(home, "ada", {}, {})
    assert "etc/training.json: unknown option 'lora_rnak' (did you mean 'lora_rank'?) (line 4)" in fault.value.problem
    assert fault.value.problem.rstrip().endswith("(line 3)")
    assert "profiles/ada/etc/training.json: learning_rate" in fault.value.problem


def test_the_env_file_of_a_checkout_is_read_below_the_environment(home: Home) -> None:
    write_text(
        home.dotenv,
        'export METAHUMAN_DATASET_BUILDER=ai  # its template has this\nMETAHUMAN_BASE_MODEL="a/b"\n'
        "RUNPOD_API_KEY='rpa_of_the_file'\nRUNPOD_TEMPLATE_ID=\"YOUR_TEMPLATE_ID_HERE\"\nBRAVE_SEARCH_API_KEY=secret\n"
        "PATH=/nowhere\nMETAHUMAN_MAX_SAMPLES=${HOME}\n",
    )
    settings = resolve(home, "ada", {"METAHUMAN_MAX_SAMPLES": "9"}, {})
    o = settings.options
    assert (o.base_model, o.dataset_builder, o.max_samples) == ("a/b", "curated", 9)
    assert settings.origins["base_model"] == ".env"
    assert any("dataset_builder ai" in note for note in settings.notes)
    assert (
        resolve(home, "ada", {"METAHUMAN_BASE_MODEL": "c/d", "IDIOLECT_MAX_SAMPLES": "9"}, {}).options.base_model
        == "c/d"
    )
    stated = environment(home, {"RUNPOD_API_KEY": "", "PATH": "/bin"})
    assert stated["RUNPOD_API_KEY"] == "rpa_of_the_file"
    assert environment(home, {"RUNPOD_API_KEY": "rpa_mine"})["RUNPOD_API_KEY"] == "rpa_mine"
    assert "BRAVE_SEARCH_API_KEY" not in stated
    assert "RUNPOD_TEMPLATE_ID" not in stated
    assert stated["PATH"] == "/bin"
    with pytest.raises(OptionFault, match=r"\.env: max_samples \(METAHUMAN_MAX_SAMPLES\)"):
        resolve(home, "ada", {}, {})


@pytest.mark.parametrize(
    ("typed", "meant"), [("advanced", "curated"), ("Advanced", "curated"), ("CLASSIC", "classic"), ("ai", "curated")]
)
def test_builders_have_their_names_of_metahuman_os(home: Home, typed: str, meant: str) -> None:
    settings = resolve(home, "ada", {"METAHUMAN_DATASET_BUILDER": typed}, {})
    assert settings.options.dataset_builder == meant
    assert bool(settings.notes) == (typed == "ai")
    with pytest.raises(OptionFault, match=r"environment: dataset_builder \(METAHUMAN_DATASET_BUILDER\)"):
        resolve(home, "ada", {"METAHUMAN_DATASET_BUILDER": "best"}, {})
