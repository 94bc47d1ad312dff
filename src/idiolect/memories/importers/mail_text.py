"""The words of a mail's writer: its text without what it quotes, forwards or signs with."""

from __future__ import annotations

import re
from email.message import Message as Mail
from html import unescape

_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|escribió|a écrit|ha scritto|escreveu|skrev|schreef|geschreven|kirjoitti"
    r"|napisał(?:\(a\))?|написал(?:\(а\))?)\b[^\n]{0,200}:[^\S\n]*(?=\n\s{0,9}>|\n{0,9}\Z)",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"@|\d{4}")
_FROM = r"from|von|de|da|fra|van|od|от"
_SENT = (
    r"sent|gesendet|enviado|envoyé|inviato|sendt|verzonden|date|datum|fecha|data|dato|subject|betreff|asunto|objet"
    r"|oggetto|emne|onderwerp"
)
_BELOW = re.compile(
    r"^(?:-{3,}\s{0,3}(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|mensaje original|mensaje reenviado|message d'origine|message transféré|messaggio originale|messaggio inoltrato"
    r"|opprinnelig melding|videresendt melding|oorspronkelijk bericht)\b.*"
    r"|begin forwarded message:|_{20,}"
    rf"|\*?(?:{_FROM}):\*? .+\n(?:.+\n){{0,3}}?\*?(?:{_SENT}):\*? .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(
    r"^-- ?$|^(?:sent from my|von meinem|enviado desde mi|envoyé de mon|inviato da|sendt fra min)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)
_CHARSETS = ("utf-8", "cp1252")
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "ul", "ol", "table"})
_SILENT = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"(<[^<>]{0,5000}>)")
_TAG_NAME = re.compile(r"<([/!?]?)\s*([\w-]*)[^<>]*>\Z")
_BLANK_LINES = re.compile(r"\n{3,}")
#: No letter is nested deeper, or goes on for longer.
_PARTS = 200
_LONGEST = 1_000_000


def own_words(text: str) -> tuple[str, str]:
    """Return what the writer of a mail says in it, and what it quotes."""
    text = text.replace("\r\n", "\n")
    below = _BELOW.search(text)
    quoted_below = text[below.end() :] if below else ""
    text = text[: below.start()] if below else text
    text = _without_introductions(text)
    own: list[str] = []
    quoted: list[str] = []
    for line in text.split("\n"):
        (quoted if line.startswith(">") else own).append(line)
    words = "\n".join(own)
    signature = _SIGNATURE.search(words)
    words = words[: signature.start()] if signature else words
    first_level = [line[1:].strip() for line in quoted if not line.startswith((">>", "> >"))]
    return words.strip(), "\n".join(first_level).strip() or quoted_below.strip()


def _without_introductions(text: str) -> str:
    """Take out the lines that introduce a quotation: who wrote it, and when; programs fold them into two."""
    for found in reversed(list(_WROTE.finditer(text))):
        start = text.rfind("\n", 0, found.start()) + 1
        before = text.rfind("\n", 0, max(start - 1, 0)) + 1
        if start and _ADDRESSED.search(text, before, start) and not _ADDRESSED.search(text, start, found.end()):
            start = before
        text = text[:start] + text[found.end() :]
    return text


def text_of_mail(mail: Mail) -> str:
    """Return the text of a mail: its plain part, else its HTML without the tags."""
    html = ""
    for number, part in enumerate(mail.walk()):
        if number >= _PARTS:
            break
        kind = part.get_content_type()
        if part.get_filename() or kind not in ("text/plain", "text/html"):
            continue
        text = _decoded(part)
        if kind == "text/plain" and text.strip():
            return _unflowed(text, part) if part.get_param("format") == "flowed" else text
        html = html or text
    return _without_tags(html)


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


def _without_tags(markup: str) -> str:
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
