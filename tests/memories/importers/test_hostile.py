"""Texts made to be slow: each is gone through in a time that grows as its length does."""

from __future__ import annotations

import time
from collections.abc import Callable
from email import message_from_string
from typing import Any

import pytest

from idiolect.memories.importers import imessage_text
from idiolect.memories.importers.facebook_words import is_programs
from idiolect.memories.importers.lengths import pieces, trimmed
from idiolect.memories.importers.mail_text import text_of_mail
from idiolect.memories.importers.mail_words import own_words
from idiolect.memories.importers.quotes import is_link, without_quotes
from idiolect.memories.importers.sources import discord, mbox, slack
from idiolect.memories.importers.sources.markdown import plain
from idiolect.memories.importers.whatsapp_file import SAID
from idiolect.memories.importers.whatsapp_lines import head_of
from idiolect.memories.importers.whatsapp_words import Habits, judged

LENGTH = 60_000


def html(text: str) -> str:
    return text_of_mail(message_from_string(f"Content-Type: text/html\n\n{text}"))


SLOW: list[tuple[Callable[[str], Any], str]] = [
    (own_words, "On 2024 x wrote wrote\n"),
    (own_words, "From: a\n"),
    (own_words, "-"),
    (plain, "%% "),
    (plain, "![["),
    (plain, "![]("),
    (plain, "[a](http://"),
    (plain, "- "),
    (plain, "```dataview\n"),
    (html, "<"),
    (html, "<a "),
    (html, "<!--"),
    (html, "<blockquote>x"),
    (lambda text: list(pieces(text, 2500)), "é \n \n"),
    (lambda text: trimmed(text, 1500), "a. "),
    (is_link, "http://"),
    (without_quotes, "> "),
    (head_of, "1/1/24, 1:02   "),
    (lambda text: judged("A", text, Habits()), "a.bb ("),
    (lambda text: judged("A", text, Habits(ios=True)), "<"),
    (lambda text: judged("A", f"{text}x", Habits()), " "),
    (lambda text: judged("A", f"{text}>", Habits()), "\u200e <a b"),
    (lambda text: judged("A", text, Habits(ios=True)), "\u200e12 "),
    (lambda text: judged("A", f"POLL:\n{text}", Habits()), "A: b (1 c)\n"),
    (lambda text: judged("A", f"POLL:\n{text}", Habits()), "b (1 "),
    (SAID.match, "a "),
    (lambda text: is_programs(text[:300], "A B", {"A B", "C"}), "C added "),
    (lambda text: is_programs(text, "A B", {"A B", "C"}), "C "),
    (lambda text: discord.plain(text, {}), "<:a"),
    (lambda text: slack._MARKUP.sub("", text), "<a"),
    (lambda text: mbox._SUBJECT.sub("", text), "re: "),
    (lambda text: imessage_text._words(["a", text], "a"), "A1 "),
    (lambda text: imessage_text._words([text], "a"), "Sticker from "),
    (lambda text: imessage_text._words(["Reactions:", text], "a"), "a by "),
    (imessage_text._OLD_ANNOUNCED.fullmatch, "a added "),
]


@pytest.mark.parametrize(("read", "piece"), SLOW)
def test_no_text_takes_the_square_of_its_length(read: Callable[[str], Any], piece: str) -> None:
    began = time.process_time()
    read(piece * (LENGTH // len(piece)))
    # The square would be minutes; a busy machine may take some times the usual hundredth of a second.
    assert time.process_time() - began < 3
