"""A settings file as a person writes it: JSON with comments and trailing commas (JSON5), and where its keys stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from idiolect.errors import OptionFault
from idiolect.files import regular_bytes

#: A file of settings is a page; a larger one is something else, and would take minutes to read.
LARGEST_BYTES = 1_000_000

#: Keys that hold words for people, as those that begin with _, $ or // do.
REMARKS = ("comment", "notes", "description", "version", "lastUpdated")

_WHERE = re.compile(r"^<string>:(\d+) ")


def settings_in(path: Path) -> dict[str, Any]:
    """Read a settings file; one that is not there has none. Raises OptionFault naming the file, and the line.

    Keys that hold remarks are left out.
    """
    text = _text(path)
    if text is None:
        return {}
    import json5  # not wherever options are known: a machine elsewhere reads no settings

    try:
        settings: Any = json5.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise OptionFault(f"{path} cannot be read: {_reason(error)}", "It must be one JSON object.") from error
    if not isinstance(settings, dict):
        raise OptionFault(f"{path} does not hold a JSON object.", 'Write {"option": value, …}.')
    return {str(key): value for key, value in settings.items() if not is_remark(str(key))}


def is_remark(key: str) -> bool:
    """Whether a key holds words for people, as MetaHuman OS' files do."""
    return key in REMARKS or key.startswith(("_", "$", "//"))


def line_of(path: Path, key: str) -> int | None:
    """Return the line of a file on which a key first stands, from 1; None if it cannot be told."""
    try:
        text = regular_bytes(path).decode("utf-8-sig", "replace")
    except OSError:
        return None
    found = re.search(rf"""(?<![\w$])(["']?){re.escape(key)}\1\s*:""", text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _text(path: Path) -> str | None:
    try:
        content = regular_bytes(path)
        if len(content) > LARGEST_BYTES:
            raise OptionFault(f"{path} is larger than {LARGEST_BYTES // 1_000_000} MB.", "Settings are a page of text.")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise OptionFault(f"{path} cannot be read: {error}", "It must be one JSON object, in UTF-8.") from error


def _reason(error: Exception) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else _WHERE.sub(r"line \1: ", str(error))


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number")
