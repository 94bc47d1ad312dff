"""Exports as HTML, which are for looking at: what they are from, and how to get what can be read instead."""

from __future__ import annotations

from dataclasses import dataclass

from idiolect.memories.importers.export import Export


@dataclass(frozen=True)
class HtmlForm:
    """How a source's HTML is known: by the names of its files, and by what is in their beginning; and what to do."""

    names: str
    marks: tuple[bytes, ...]
    instead: str


#: Of so many files is the beginning read.
_FILES = 40
FORMS: dict[str, HtmlForm] = {
    "facebook": HtmlForm(
        r"message_\d+\.html?",
        (),
        "Ask for the download again (Accounts Centre → Your information and permissions → Download your information), "
        "and choose JSON as its format, where HTML is chosen.",
    ),
    "telegram": HtmlForm(
        r"messages\d*\.html?",
        (b"page_wrap", b"tgme", b'class="history"'),
        "Export it again with Telegram Desktop (⋮ → Export chat history, or Settings → Advanced → Export Telegram "
        "data), and choose “Machine-readable JSON” as its format.",
    ),
    "discord": HtmlForm(
        r".*\.html?",
        (b"chatlog__", b"preamble__"),
        "Export it again with DiscordChatExporter, and choose JSON as its format (--format Json).",
    ),
    "imessage": HtmlForm(
        r".*\.html?",
        (b"imessage-exporter", b'<div class="message">'),
        "Export it again with imessage-exporter --format txt; or give a copy of ~/Library/Messages/chat.db.",
    ),
    "signal": HtmlForm(
        r".*\.html?",
        (b"<span class=sender>", b"href='../style.css'"),
        "Give the folder that signal-export wrote, with data.json in that of each chat; or let a newer signal-export "
        "export them again.",
    ),
    "slack": HtmlForm(
        r".*\.html?",
        (b"slack-export-viewer", b"message-gutter"),
        "Give the zip of JSON files that Slack made, from which these pages were.",
    ),
    "google-chat": HtmlForm(
        r"MyActivity\.html?|.*chat.*\.html?",
        (b"Google Chat", b"mdl-typography"),
        "Ask takeout.google.com for Google Chat, which comes as JSON.",
    ),
}


def html_of(export: Export) -> str | None:
    """Return the source whose HTML an export holds, if it is one's that is known."""
    for source, form in FORMS.items():
        for member in export.matching(form.names)[:_FILES]:
            head = export.head(member)
            if not form.marks or any(mark in head for mark in form.marks):
                return source
    return None


def holds_html(export: Export) -> bool:
    """Tell whether an export has pages of HTML."""
    return bool(export.matching(r".*\.html?"))
