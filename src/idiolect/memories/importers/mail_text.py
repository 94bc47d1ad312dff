"""The text of a mail: its parts that are text, decoded, unfolded, and without tags."""

from __future__ import annotations

import re
from email.message import Message as Mail
from html import unescape

_CHARSETS = ("utf-8", "cp1252")
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "ul", "ol", "table"})
_SILENT = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"(<[^<>]{0,5000}>)")
_TAG_NAME = re.compile(r"<([/!?]?)\s*([\w-]*)[^<>]*>\Z")
_BLANK_LINES = re.compile(r"\n{3,}")
#: No letter is nested deeper, or goes on for longer.
_PARTS = 200
_DEPTH = 30
_LONGEST = 1_000_000


def text_of_mail(mail: Mail) -> str:
    """Return the text of a mail: all its parts that are text, of those that say the same the plain one.

    What is attached is left out: files, and other mails above all.
    """
    return _text_of(mail, [_PARTS])


def _text_of(part: Mail, room: list[int], depth: int = 0) -> str:
    room[0] -= 1
    if room[0] < 0 or depth > _DEPTH or part.get_content_disposition() == "attachment":
        return ""
    kind = part.get_content_type()
    inner = part.get_payload()
    if kind.startswith("multipart/") and isinstance(inner, list):
        below = [p for p in inner if isinstance(p, Mail)]
        if kind == "multipart/alternative":
            # Richer forms come later (RFC 2046, 5.1.4): the first that has words is the plainest.
            plainest_first = sorted(below, key=lambda p: p.get_content_type() != "text/plain")
            return next((text for p in plainest_first if (text := _text_of(p, room, depth + 1)).strip()), "")
        texts = [(p.get_content_type(), _text_of(p, room, depth + 1).strip("\r\n")) for p in below]
        # Words around a picture, or the footer of a list; HTML beside them says the same again.
        plain = any(form == "text/plain" and text.strip() for form, text in texts)
        return "\n\n".join(t for form, t in texts if t.strip() and not (plain and form == "text/html"))
    if kind not in ("text/plain", "text/html") or part.get_filename():
        return ""
    text = _decoded(part)
    if kind == "text/html":
        return text_of_html(text)
    return _unflowed(text, part) if part.get_param("format") == "flowed" else text


def _decoded(part: Mail) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    content = content[:_LONGEST]
    for charset in (str(part.get_content_charset() or "utf-8"), *_CHARSETS):
        try:
            return content.decode(charset)
        except (UnicodeError, LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")


def _unflowed(text: str, part: Mail) -> str:
    """Join lines that end with a space (RFC 3676)."""
    deletes = str(part.get_param("delsp", "")).lower() == "yes"
    lines: list[str] = []
    flows = False
    for stuffed in text.replace("\r\n", "\n").split("\n"):
        line = stuffed[1:] if stuffed.startswith(" ") and not stuffed.startswith("  ") else stuffed
        if flows and lines and line.startswith(">") == lines[-1].startswith(">"):
            lines[-1] += line.lstrip("> ") if line.startswith(">") else line
        else:
            lines.append(line)
        flows = line.endswith(" ") and line != "-- "
        if flows and deletes:
            lines[-1] = lines[-1][:-1]
    return "\n".join(line.rstrip(" ") if line != "-- " else line for line in lines)


def text_of_html(markup: str) -> str:
    """Return the text of HTML; what is quoted in it gets a `>` before each line.

    Not by html.parser, which takes the square of the length for an opening bracket that is never closed.
    """
    pieces: list[str] = []
    quotes = 0
    for token in _TAG.split(_SILENT.sub(" ", markup)):
        found = _TAG_NAME.match(token)
        if found:
            name = found[2].lower()
            if name == "blockquote":
                quotes = max(quotes + (-1 if found[1] else 1), 0)
            if name in _BLOCKS:
                pieces.append("\n")
        elif token.strip():
            words = " ".join(unescape(token).split())
            space = " " if token[0].isspace() else ""
            pieces.append(f"\n> {words}\n" if quotes else f"{space}{words}{' ' if token[-1].isspace() else ''}")
    lines = (line.strip() for line in "".join(pieces).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
