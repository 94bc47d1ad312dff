"""Every option, once: its name, type, default, limits, and the help that flags, files and docs draw from here.

Later wins: built-in default, etc/training.json, profiles/<user>/etc/training.json, environment, flag.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from idiolect.errors import OptionFault
from idiolect.home import Home

Mode = Literal["dual", "emulation", "agent"]
Quantization = Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16"]
MODES: tuple[Mode, ...] = ("dual", "emulation", "agent")


@dataclass(frozen=True)
class Typed:
    """How an option is typed where that does not follow from its name."""

    flag: str | None = None
    env: str | None = None


class Options(BaseModel):
    """The parameters of a cycle, as `etc/training.json` names them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_model: Annotated[str, Typed(env="BASE_MODEL")] = "unsloth/Qwen3-14B"
    """What to train: `embedded` (SmolLM2-135M-Instruct), a folder, or a Hugging Face id."""
    system_prompt: str = ""
    """The system message for every mode; `{name}` stands for the person. Empty: one a mode, from the persona."""

    mode: Mode | None = None
    """Only memories of this cognitive mode."""
    max_samples: Annotated[int | None, Typed(flag="--max", env="MAX_SAMPLES"), Field(ge=1)] = None
    """At most so many samples, spread over time."""
    days_recent: Annotated[int | None, Typed(env="DAYS_RECENT"), Field(ge=1)] = None
    """All samples of so many last days (counted from the newest memory), and `old_samples` older ones."""
    old_samples: Annotated[int, Typed(env="OLD_SAMPLES"), Field(ge=0)] = 3000
    """How many samples older than `days_recent` to mix in, spread over time."""
    seed: int = 42
    """Fixes every choice that is left to chance."""

    max_seq_length: Annotated[int, Field(ge=32)] = 2048
    """Tokens in one sample; a longer one is left out and counted."""
    num_train_epochs: Annotated[float, Field(gt=0)] = 3
    """How many times each sample is learned."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 2e-4
    """Peak learning rate; small models learn well at 1e-3."""
    lr_scheduler_type: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup_steps: Annotated[int, Field(ge=0)] = 5
    """Optimizer steps in which the learning rate rises to its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    per_device_train_batch_size: Annotated[int, Field(ge=1)] = 1
    """Times `gradient_accumulation_steps`: the samples of one optimizer step."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 16
    """Times `per_device_train_batch_size`: the samples of one optimizer step."""
    optimizer: Literal["paged_adamw_8bit", "adamw_8bit", "adamw_torch", "adafactor"] = "paged_adamw_8bit"
    """The 8-bit ones need a GPU; without one adamw_torch is used, and said."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """In what the base model's weights are held while training."""
    load_in_4bit: bool = True
    """Hold the base model in 4 bit while training (GPU only; without one it is not, and said)."""
    use_gradient_checkpointing: bool = True
    """Trade time for memory on a GPU; without one it has no use and is left off, and said."""

    lora_rank: Annotated[int, Field(ge=1)] = 8
    """Rank of the adapter."""
    lora_alpha: Annotated[int, Field(ge=1)] = 16
    """The adapter's delta is scaled by lora_alpha / lora_rank."""
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Dropout before the adapter."""
    lora_target_modules: str = "all-linear"
    """Comma-separated names of the layers that get an adapter, or all-linear."""

    quantization: Quantization | None = None
    """Type of the GGUF file; Q4_K_M unless said otherwise."""


#: Keys of MetaHuman OS files that carry no setting of ours. The base model's own chat template is always used.
LET_THROUGH = frozenset({"comment", "notes", "chat_template", "full_fine_tune"})


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


class CurationRules(BaseModel):
    """What a person may change about their data set: `profiles/<user>/etc/curation.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    modes: dict[str, Mode] = {
        "inner_dialogue": "dual",
        "reflection": "dual",
        "dream": "dual",
        "conversation": "emulation",
        "chat": "emulation",
        "observation": "emulation",
        "journal": "emulation",
        "action": "agent",
        "task": "agent",
        "tool_use": "agent",
    }
    """Memory type → cognitive mode; a type that contains one of these names counts as it, others are emulation."""
    machine_written: tuple[str, ...] = (
        "summary",
        "reflection_summary",
        "tool_invocation",
        "curiosity_question",
        "ingested",
        "ai",
    )
    """Memory types and tags whose text a machine wrote: nothing is learned from them."""
    fillers: tuple[Annotated[str, AfterValidator(_compiles)], ...] = (
        r"^(?:sure|of course|certainly|absolutely)[!,.]\s+",
        r"\bas an ai(?: language)? model,?\s*",
        r"\bI (?:think|guess) maybe\b\s*",
        # Not where it means a kind: what kind of, this kind of, one kind of …
        r"(?<!\bwhat )(?<!\bwhich )(?<!\bthis )(?<!\bthat )(?<!\bthe )(?<!\ba )(?<!\bany )(?<!\bsome )(?<!\bno )"
        r"(?<!\bone )(?<!\bother )(?<!\bevery )\b(?:kind|sort) of\b\s*",
        r"\byou know,\s*",
        r"\bto be honest,?\s*",
        r"\bbasically,?\s*",
    )
    """Regular expressions (case does not matter) that are taken out of the person's words."""
    system_messages: dict[Mode, str] = {
        "emulation": "You are {name}, talking.",
        "dual": "You are {name}, thinking to yourself.",
        "agent": "You are {name}, doing what has to be done.",
    }
    """The system message by mode; `{name}` stands for the person's name."""

    @field_validator("modes", "system_messages")
    @classmethod
    def _over_the_defaults(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """Let a person name only what they want otherwise."""
        return {**cls.model_fields[str(info.field_name)].default, **given}


@dataclass(frozen=True)
class Settings:
    """The options in force, and where each came from."""

    options: Options
    origins: Mapping[str, str]


def typed(field: FieldInfo) -> Typed:
    """Return how a field of Options is typed on the command line and in the environment."""
    return next((m for m in field.metadata if isinstance(m, Typed)), Typed())


def resolve(home: Home, person: str, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Lay the five sources over each other.

    `flags` holds option names; a value of None was not given. Raises OptionFault with every fault of every source.
    """
    layers = {
        **{_shown(home, path): _settings_in(path) for path in _files(home, person)},
        "environment": _from_environment(environ),
        "command line": {name: value for name, value in flags.items() if value is not None},
    }
    faults = [f"{where}: {fault}" for where, layer in layers.items() for fault in _unknown(layer)]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Options.model_fields, "default")
    for where, layer in layers.items():
        known = {k: v for k, v in layer.items() if k in Options.model_fields}
        values |= known
        origins |= dict.fromkeys(known, where)
    try:
        options = Options.model_validate(values)
    except ValidationError as error:
        faults += [f"{origins[str(e['loc'][0])]}: {e['loc'][0]}: {e['msg']}" for e in error.errors()]
    if faults:
        raise OptionFault("; ".join(faults), "Mend these settings; `idiolect options` lists them all.")
    return Settings(options, origins)


def curation_rules(path: Path) -> CurationRules:
    """Read a person's curation.json, or return the defaults where there is none."""
    try:
        return CurationRules.model_validate(_settings_in(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise OptionFault(f"{path}: {faults}", "Mend the file, or remove it to use the defaults.") from error


def _files(home: Home, person: str) -> list[Path]:
    return [home.training_json, home.profile(person).training_json]


def _shown(home: Home, path: Path) -> str:
    return str(path.relative_to(home.root))


def _settings_in(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        settings = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise OptionFault(f"{path} cannot be read: {error}", "It must be one JSON object.") from error
    if not isinstance(settings, dict):
        raise OptionFault(f"{path} does not hold a JSON object.", 'Write {"option": value, …}.')
    return {key: value for key, value in settings.items() if key not in LET_THROUGH}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, field in Options.model_fields.items():
        env = typed(field).env
        for prefix in ("METAHUMAN_", "IDIOLECT_"):
            if env and environ.get(prefix + env):
                found[name] = environ[prefix + env]
    return found


def _unknown(layer: Mapping[str, Any]) -> list[str]:
    return [f"unknown option {key!r}{_nearest(key)}" for key in layer if key not in Options.model_fields]


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, Options.model_fields, n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""
