"""What a person may change about their data set without touching code: `profiles/<user>/etc/curation.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from idiolect.config.options import Mode
from idiolect.config.whose import WhoseWords, compiles
from idiolect.config.written import line_of, settings_in
from idiolect.errors import OptionFault

Masked = Literal["key", "email", "iban", "card", "ip", "phone"]
#: All kinds, in the order in which they are looked for: a key may hold what looks like a number or an address.
MASKED: tuple[Masked, ...] = ("key", "email", "iban", "card", "ip", "phone")


def _is_country(code: str | None) -> str | None:
    from phonenumbers import SUPPORTED_REGIONS

    if code is not None and code.upper() not in SUPPORTED_REGIONS:
        raise ValueError(f"{code!r} is not the code of a country, such as NO, DE or US")
    return code.upper() if code else None


class PromptWriter(BaseModel):
    """A model behind an OpenAI-compatible address. What it is shown leaves this process: say only one you trust."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    model: str


class CurationRules(WhoseWords, BaseModel):
    """What a person may change about their data set: `profiles/<user>/etc/curation.json`."""

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
    fillers: tuple[Annotated[str, AfterValidator(compiles)], ...] = (
        r"^(?:okay|ok|alright|sure|of course)[,;:!.-]+\s*",
        r"^so[,;:-]+\s*",
        r"^let me (?:start|think|figure)\b[^,;:.!?]*[,;:.!?]*\s*",
        r"^I'm just (?:here to|an ai)\b[^,;:.!?]*[,;:.!?]*\s*",
        r"\bas an? (?:ai language model|ai|language model)\b,?\s*",
        r"^certainly[,;:!.-]+\s*",
        r"^here's what\b[^,;:.!?]*[,;:.!?]*\s*",
    )
    """Regular expressions (case does not matter) for what an assistant put before the person's words."""
    system_messages: dict[Mode, str] = {
        "emulation": "You are {name}, talking.",
        "dual": "You are {name}, thinking to yourself.",
        "agent": "You are {name}, doing what has to be done.",
    }
    """The system message by mode; `{name}` stands for the person's name."""

    mode_as: Literal["system_message", "inline_tags"] = "system_message"
    """How the mode reaches the model: in its system message, or as MetaHuman OS' tags within the text."""
    balance: dict[Mode, Annotated[float, Field(ge=0)]] = {}
    """Shares of the modes, as {"dual": 1, "emulation": 2, "agent": 1}; of a mode that has more, some are left out."""
    inner_life: tuple[str, ...] = ("dream", "reflection", "inner_dialogue")
    """Memory types that MetaHuman OS dreams up between conversations, where they answer nothing."""
    inner_life_share: Annotated[float, Field(ge=0)] = 0.3
    """At most so many of these for each other sample, but 50 in any case (0: none); MetaHuman OS allows itself 0.03."""
    length_policy: Literal["keep", "cut"] = "keep"
    """`cut` shortens replies at a sentence's end, as the three settings below say."""
    short_words: Annotated[int, Field(ge=1)] = 40
    """Words that most replies may have."""
    long_words: Annotated[int, Field(ge=1)] = 300
    """Words that a few replies may have."""
    long_share: Annotated[float, Field(ge=0, le=1)] = 0.075
    """The share of those few."""
    blocked_words: tuple[str, ...] = ()
    """A talk in which one of these words stands is left out."""
    mask: tuple[Masked, ...] = MASKED
    """What is replaced by [key], [email], …: all of these, unless fewer are listed; an empty list switches it off."""
    phone_region: Annotated[str | None, AfterValidator(_is_country)] = None
    """The person's country (two letters, as NO): there a telephone number needs no country code to be masked."""
    mask_names: tuple[str, ...] = ()
    """Names that are replaced by [name 1], [name 2], …"""
    prompt_writer: PromptWriter | None = None
    """A model that writes the questions that nobody asked, instead of the built-in ones."""

    @field_validator("mask")
    @classmethod
    def _in_order(cls, given: tuple[Masked, ...]) -> tuple[Masked, ...]:
        return tuple(kind for kind in MASKED if kind in given)

    @field_validator("modes", "system_messages")
    @classmethod
    def _over_the_defaults(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """Let a person name only what they want otherwise."""
        return {**cls.model_fields[str(info.field_name)].default, **given}


def curation_rules(path: Path) -> CurationRules:
    """Read a person's curation.json, or return the defaults where there is none."""
    try:
        return CurationRules.model_validate(settings_in(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}{_at(path, e['loc'])}" for e in error.errors())
        raise OptionFault(f"{path}: {faults}", "Mend the file, or remove it to use the defaults.") from error


def _at(path: Path, where: tuple[int | str, ...]) -> str:
    line = line_of(path, str(where[0])) if where else None
    return f" (line {line})" if line else ""
