"""Messenger and Instagram: torn texts, the program's sentences, edited messages; none of these is in cases/."""

from __future__ import annotations

import pytest

from tests.memories.importers.conftest import Bring, Brought


def torn(text: str) -> str:
    """Return a text as Meta writes it."""
    return text.encode("utf-8").decode("latin-1")


def messenger(
    bring: Bring, said: list[tuple[str, str]], people: tuple[str, ...] = ("Ada Lunde", "Anna Berg")
) -> Brought:
    messages = [
        {"sender_name": torn(name), "timestamp_ms": 1_700_000_000_000 + 60_000 * n, "content": torn(text)}
        for n, (name, text) in enumerate(said)
    ]
    whole = {"participants": [{"name": torn(p)} for p in people], "messages": messages[::-1], "title": "x"}
    return bring("facebook", {"messages/inbox/x_1/message_1.json": whole}, "Ada Lunde")


@pytest.mark.parametrize("text", ["до встречи х", "Có em ấm", "שלום נ", "κακά ą", "ok ✅", "voilà", "…à\u00a0là"])
def test_a_text_is_repaired_before_it_is_stripped(bring: Bring, text: str) -> None:
    assert messenger(bring, [("Anna Berg", "?"), ("Ada Lunde", text)]).own == [text]


def test_a_name_that_ends_in_such_a_letter_is_whole(bring: Bring) -> None:
    people = ("Ada Lunde", "Anna Coà")
    done = messenger(bring, [("Anna Coà", "na?"), ("Ada Lunde", "ja")], people).done
    assert [who.name for who, _ in done.survey.people()] == ["Anna Coà", "Ada Lunde"]


SAID = [
    "You called me twice yesterday",
    "Anna missed your cake",
    "we named the group of stars",
    "they sent a photo of you to my boss",
    "Anna added sugar to the group's coffee",
    "Bob reacted badly to your message, I think",
    "You sent me a link, remember?",
    "Du hast mir die Gruppe gezeigt, weißt du noch?",
    "who left the group",
]
PROGRAMS = [
    "Ada Lunde ha creado una encuesta: ¿Dónde?",
    "Ada Lunde a quitté le groupe.",
    "Anna sent a GIF.",
    "Anna Berg pinned a message.",
    "You named the group Swans.",
    "You set your nickname to Bean.",
    "Anna removed Bob from the group.",
    "You changed the theme to Love.",
    "Du hast Anna angerufen.",
    "Anna hat einen Anhang gesendet.",
    "Anna ha enviado un archivo adjunto.",
    "Reaccionó con ❤️ a tu mensaje ",
    "A réagi avec 😆 à votre message",
    "Curtiu uma mensagem",
    "Le gustó un mensaje",
    "Bir mesajı beğendi",
    "The video call ended.",
    "Messages and calls are secured with end-to-end encryption. Nobody else can read them.",
]


def test_only_what_begins_with_somebody_is_the_programs(bring: Bring) -> None:
    done = messenger(bring, [("Anna Berg", "?"), *(("Ada Lunde", text) for text in SAID)])
    assert done.words.split("\n") == SAID


def test_what_the_program_says_is_nobodys(bring: Bring) -> None:
    done = messenger(bring, [("Anna Berg", "?"), *(("Ada Lunde", text) for text in PROGRAMS), ("Ada Lunde", "mine")])
    assert done.own == ["mine"]
    assert done.done.rules["written by the program"] == len(PROGRAMS)
    assert done.done.examples["written by the program"] == PROGRAMS[0]


def test_of_an_edited_message_the_last_version_is_learned_in_any_language(bring: Bring) -> None:
    said = [("Anna Berg", "?"), ("Ada Lunde", "bis morgen um sex"), ("Ada Lunde", "bis morgen um sechs (geändert)")]
    said += [("Ada Lunde", "I like it (mostly)")]
    assert messenger(bring, said).own == ["bis morgen um sechs\nI like it (mostly)"]


def test_an_encrypted_chat_is_known_in_any_folder(bring: Bring) -> None:
    said = [
        {"senderName": n, "text": t, "timestamp": 1_700_000_000_000 + k}
        for k, (n, t) in enumerate([("B", "?"), ("A", "!")])
    ]
    whole = {"participants": ["A", "B"], "threadName": "B_7", "messages": said}
    assert bring("facebook", {"Nachrichten verschlüsselt/B_7.json": whole}, "A").own == ["!"]
