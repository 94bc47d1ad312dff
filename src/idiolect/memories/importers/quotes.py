"""What stands in a person's message without being their words: quoted lines, and links with nothing said about them."""

from __future__ import annotations

import re

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def without_quotes(text: str) -> tuple[str, str]:
    """Return a text without its lines that begin with `>`, and those lines without the sign.

    In a block of code such a line is no quotation.
    """
    if ">" not in text:
        return text, ""
    own, quoted = [], []
    in_code = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        if not in_code and line.startswith((">", " >")) and not line.startswith((">_<", ">.<", ">:", ">=")):
            quoted.append(line.lstrip(" >"))
        else:
            own.append(line)
    return ("\n".join(own).strip(), "\n".join(quoted).strip()) if quoted else (text, "")


def is_link(text: str) -> bool:
    """Tell whether a text is links and nothing else."""
    return ("://" in text or "www." in text or "WWW." in text) and not _LINK.sub("", text).strip(" \n\t.,;()<>")
