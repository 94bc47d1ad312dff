"""What an export does not say itself, and what is made of it: the options of `idiolect import`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from idiolect.config.options import Typed


def _zone(name: str) -> str:
    if name:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{name!r} is no time zone, as Europe/Oslo is one") from error
    return name


def _column(text: str) -> str:
    what, equals, name = text.partition("=")
    if not (equals and (name or what == "who")) or what not in ("time", "who", "text", "thread", "id", "reply_to"):
        raise ValueError(f"{text!r} is not time, who, text, thread, id or reply_to, an equals sign, and a column")
    return text


class ImportOptions(BaseModel):
    """The options of `idiolect import`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    me: tuple[str, ...] = ()
    """Your name, id or address in the export, where it does not say itself which of the people in it is you."""
    others: Literal["keep", "mask", "drop"] = "keep"
    """What others say is context: kept, kept with pseudonyms for their names, or left out."""
    pause_hours: Annotated[float, Field(gt=0)] = 6
    """A silence of so many hours ends a conversation; what comes after it answers nothing."""
    timezone: Annotated[str, AfterValidator(_zone)] = ""
    """Where clocks stood that the export gives no offset for, as Europe/Oslo; else where this computer's stands."""
    day_first: Annotated[bool | None, Typed(flag="--day-first/--month-first")] = None
    """Whether 3/4/24 is in April, for a WhatsApp file, a table or notes of which no date tells."""
    column: tuple[Annotated[str, AfterValidator(_column)], ...] = ()
    """For a plain table: which column is what, as text=body; who= says that all of it is yours."""

    def zone(self) -> tzinfo | None:
        """Return the time zone of clocks without an offset; None is this computer's."""
        return ZoneInfo(self.timezone) if self.timezone else None
