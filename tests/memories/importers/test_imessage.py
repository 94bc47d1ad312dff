"""iMessage: what its exporter writes between messages, and databases with a log; none of these is in cases/."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, bring_in
from tests.memories.importers.conftest import Bring, Brought


def imessage(bring: Bring, text: str) -> Brought:
    head = "Mar 05, 2024  1:02:03 PM (Read by you after 5 seconds)\nAnna\nhi\n\n"
    return bring("imessage", {"Anna.txt": head + text})


NOW = "Mar 05, 2024  1:03:03 PM\nMe\n"


@pytest.mark.parametrize(
    "words", ["You changed the group photo.", "Bob added Eve to the conversation.", "Eve hat etwas getan"]
)
def test_an_announcement_takes_no_message_with_it(bring: Bring, words: str) -> None:
    done = imessage(bring, f"{NOW}see you\n\nMar 05, 2024  1:04:03 PM {words}\n\nMar 05, 2024  1:05:03 PM\nMe\nbye\n\n")
    assert done.own == ["see you\nbye"]
    assert done.done.rules == {"written by the program": 1}


@pytest.mark.parametrize(
    ("lines", "own"),
    [
        ("https://example.org/b\nA page", []),
        ("Song\nAlbum\nBand\nhttps://music.apple.com/x", []),
        ("see https://example.org/b\nand tell me", ["see https://example.org/b\nand tell me"]),
        (
            "Mar 05, 2024  1:03:03 PM one\ntwo\nEdited 1 minute, 2 seconds later: 3\nEdited 5 s later: four\nfive",
            ["four\nfive"],
        ),
        ("hello\nTapbacks:\n    Loved by Anna\n    😀 by Bob\nand more", ["hello\nand more"]),
        ("hello\nReactions:\nLaughed by Anna\nSticker from Bob: a.heic\n\nand more", ["hello\nand more"]),
        ("They deleted a message.", []),
        ("Me unsent this message part 3 seconds after sending!", []),
        ("Apple Cash transaction: $5", []),
        ("com.apple.messages.polls message:\nWhere?", []),
        ("Stopped sharing location!", []),
        ("Outline Sticker from Me: attachments/1/x.heic", []),
        ("he deleted a message.", ["he deleted a message."]),
        ("my message: come home", ["my message: come home"]),
    ],
)
def test_of_the_exporters_lines_only_what_was_written(bring: Bring, lines: str, own: list[str]) -> None:
    done = imessage(bring, f"{NOW}{lines}\n\nMar 05, 2024  11:03:03 PM\nMe\nend\n\n")
    assert done.own == [*own, "end"]


def database(path: Path, chats: list[tuple[str, str]], said: list[tuple[int, str, int]], *, log: bool = False) -> None:
    """Write a chat.db: chats of (guid, identifier), messages of (chat, text, whether from me)."""
    with closing(sqlite3.connect(path)) as base:
        if log:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA wal_autocheckpoint = 0")
        base.executescript(
            "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid, text, attributedBody, date, is_from_me, handle_id,"
            " item_type, associated_message_type, thread_originator_guid);"
            "CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id);"
            "CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid, display_name, chat_identifier);"
            "CREATE TABLE chat_message_join (chat_id, message_id);"
            "INSERT INTO handle VALUES (1, '+4790000001');"
        )
        base.executemany("INSERT INTO chat (guid, chat_identifier) VALUES (?, ?)", chats)
        for n, (where, text, mine) in enumerate(said, start=1):
            row = (n, f"g{n}", text, (700_000_000 + n) * 10**9, mine, 0 if mine else 1)
            base.execute("INSERT INTO message VALUES (?, ?, ?, NULL, ?, ?, ?, 0, 0, NULL)", row)
            base.execute("INSERT INTO chat_message_join VALUES (?, ?)", (where, n))
        base.commit()
        if log:
            # As a copy made while Messages is open: closing would write the log into the database.
            for name in (path.name, f"{path.name}-wal"):
                target = path.parent / "copy" / name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes((path.parent / name).read_bytes())


def test_what_stands_only_in_the_log_beside_a_database_is_read_and_nothing_changed(home: Home, tmp_path: Path) -> None:
    database(tmp_path / "chat.db", [("i;-;+47", "+47")], [(1, "?", 0), (1, "in the log", 1)], log=True)
    copy = tmp_path / "copy"
    before = {p.name: p.read_bytes() for p in copy.iterdir()}
    with Export(copy) as export:
        done = bring_in("imessage", export, home.profile("u"), Asked(), pause=6 * 3600)
    assert Brought(done, home).own == ["in the log"]
    assert {p.name: p.read_bytes() for p in copy.iterdir()} == before


def test_one_person_is_one_conversation_and_groups_stay_apart(home: Home, tmp_path: Path) -> None:
    chats = [
        ("iMessage;-;+47", "+47"),
        ("SMS;-;+47", "+47"),
        ("iMessage;+;chat1", "chat1"),
        ("iMessage;+;chat2", "chat2"),
    ]
    said = [(2, "sms?", 0), (1, "yes", 1), (3, "group one?", 0), (4, "group two", 1)]
    database(tmp_path / "chat.db", chats, said)
    with Export(tmp_path / "chat.db") as export:
        done = bring_in("imessage", export, home.profile("u"), Asked(), pause=6 * 3600)
    found = Brought(done, home)
    assert (sorted(found.own), found.context) == (["group two", "yes"], ["sms?"])
    assert done.survey.threads == 3
