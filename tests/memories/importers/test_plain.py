"""Tables of other programs: whose words a row has, when it was, and how its bytes are read."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.errors import ExportFault
from idiolect.memories.importers import SOURCES, Asked, Export, Message
from idiolect.memories.importers.encodings import guessed, is_utf8
from idiolect.memories.importers.message import Remark
from idiolect.memories.importers.times import iso


def read(path: Path, *columns: str, me: tuple[str, ...] = (), day_first: bool | None = None) -> list[Message]:
    given = tuple(c.partition("=")[::2] for c in columns)
    with Export(path) as export:
        items = list(SOURCES["plain"].read(export, Asked(me=me, zone=UTC, day_first=day_first, columns=given)))
    return [i for i in items if isinstance(i, Message)]


def table(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


ROWS = ("hi there", "Anna Berg"), ("hello", "Ada"), ("how so", "Anna Berg"), ("because", "Ada")


@pytest.mark.parametrize(
    "column",
    ["username", "Sender Name", "From_Name", "author", "Nickname", "display_name", "USER"],
)
def test_a_column_of_senders_is_known_by_many_names(tmp_path: Path, column: str) -> None:
    text = f"Message Date,{column},Message Text\n" + "".join(f"2024-03-05,{who},{words}\n" for words, who in ROWS)
    assert [m.who.name for m in read(table(tmp_path, text))] == [who for _, who in ROWS]


@pytest.mark.parametrize("column", ["Absender", "Écrit par", "Kto", "发言人", "Participant", "UserPhone", "x"])
@pytest.mark.parametrize("me", [(), ("Ada",)])
def test_a_column_that_looks_like_senders_is_asked_for(tmp_path: Path, column: str, me: tuple[str, ...]) -> None:
    path = table(tmp_path, f"date,{column},text\n" + "".join(f"2024-03-05,{who},{words}\n" for words, who in ROWS))
    with pytest.raises(ExportFault) as refused:
        read(path, me=me)
    assert column in refused.value.problem
    assert f"--column who={column}" in refused.value.remedy.replace("'", "")
    assert [m.who.name for m in read(path, f"who={column}", me=me)] == [who for _, who in ROWS]
    assert all(m.who.me for m in read(path, "who=", me=me))


@pytest.mark.parametrize(
    "rows",
    [
        ["date,text", "2024-03-05,Rain."],
        ["date,mood,weather,text", *(f"2024-03-0{n},Good,Sunny,Rain {n}." for n in range(1, 7))],
        ["date,rating,text", *(f"2024-03-0{n},{n % 2},Rain {n}." for n in range(1, 7))],
    ],
)
def test_a_journal_is_all_yours(tmp_path: Path, rows: list[str]) -> None:
    assert all(m.who.me and m.thread.type == "journal" for m in read(table(tmp_path, "\n".join(rows))))


def test_words_that_come_again_are_asked_for_if_it_is_said_who_is_me(tmp_path: Path) -> None:
    path = table(tmp_path, "date,mood,text\n" + "".join(f"2024-03-05,{m},x\n" for m in ("good", "bad") * 3))
    assert read(path)
    with pytest.raises(ExportFault, match="mood"):
        read(path, me=("Ada",))


@pytest.mark.parametrize(
    ("who", "says", "kind"),
    [("user", True, "said"), ("Human", True, "said"), ("assistant", False, "said"), ("system", False, "system")],
)
def test_role_says_who_is_the_machine(tmp_path: Path, who: str, says: bool, kind: str) -> None:
    path = table(tmp_path, json.dumps({"role": who, "content": "words"}) + "\n", "t.jsonl")
    [message] = read(path)
    assert (message.who.me, message.kind, message.thread.type) == (says, kind, "request")


def test_a_direction_marks_what_was_sent(tmp_path: Path) -> None:
    path = table(tmp_path, "date,chat,is_from_me,text\n2024-03-05,Anna,0,hi\n2024-03-05,Anna,1,hello\n")
    assert [(m.who.me, m.text) for m in read(path)] == [(None, "hi"), (True, "hello")]


def test_two_of_one_name_are_two(tmp_path: Path) -> None:
    path = table(
        tmp_path, "date,author,author_id,text\n2024-03-05,Ada,1,a\n2024-03-05,Ada,2,b\n2024-03-05,Countess,1,c\n"
    )
    assert [m.who.id for m in read(path)] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("dates", "read_as"),
    [
        (("25.03.2024 13:02", "03.04.2024 13:02"), "2024-04-03T13:02:00Z"),
        (("3/25/2024 1:02 PM", "4/3/2024 1:02 PM"), "2024-04-03T13:02:00Z"),
        (("25 mars 2024 à 13:02", "3 avril 2024 à 13:02"), "2024-04-03T13:02:00Z"),
        (("2024年3月25日 13:02", "2024年4月3日 13:02"), "2024-04-03T13:02:00Z"),
        (("1709643723", "1709643723000"), "2024-03-05T13:02:03Z"),
    ],
)
def test_dates_as_programs_write_them(tmp_path: Path, dates: tuple[str, str], read_as: str) -> None:
    path = table(tmp_path, "time;who;text\n" + "".join(f"{date};Ada;x\n" for date in dates))
    when = read(path)[-1].when
    assert when is not None
    assert iso(when) == read_as


def test_a_date_and_a_time_in_columns_of_their_own(tmp_path: Path) -> None:
    path = table(tmp_path, "Date,Time,Sender,Content\n25/03/2024,1:02 PM,Ada,x\n")
    assert [m.when and iso(m.when) for m in read(path)] == ["2024-03-25T13:02:00Z"]


def test_an_order_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    path = table(tmp_path, "time,who,text\n03/04/2024 13:01,Ada,x\n03/04/2024 13:02,Ada,y\n")
    with pytest.raises(ExportFault, match="03/04/2024"):
        read(path)
    assert [m.when and iso(m.when)[:10] for m in read(path, day_first=False)] == ["2024-03-04"] * 2


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", "hvordan går det, æøå – “fint”"),
        ("cp1250", "dziękuję, będę późno w łóżku"),
        ("cp1251", "привет, как дела? завтра я приеду"),
        ("cp1253", "γεια σου, τι κάνεις"),
        ("cp1254", "teşekkürler, görüşürüz çok güzel"),
        ("cp932", "了解です。明日は何時ですか？"),
        ("gb18030", "好的，我知道了，我们明天见"),
        ("big5", "好的，我知道了，我們明天見"),
        ("cp949", "안녕하세요 오늘 날씨가 좋네요"),
        ("mac_roman", "schön, grüß dich"),
        ("utf-16", "schön, 你好"),
        ("utf-8-sig", "schön, 你好"),
    ],
)
def test_the_encodings_of_excel(tmp_path: Path, encoding: str, words: str) -> None:
    path = table(
        tmp_path, f"time;who;text\n2024-03-05 13:01;Anna;na?\n2024-03-05 13:02;Ada;{words}\n", "t.csv", encoding
    )
    assert [m.text for m in read(path)] == ["na?", words]
    with Export(path) as export:
        items = list(SOURCES["plain"].read(export, Asked()))
    assert any(isinstance(i, Remark) for i in items) != encoding.startswith("utf")


def test_an_encoding_that_cannot_be_told_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"time,who,text\n2024-03-05,Ada,\x81\x8d\xd0\xff\x9e\xb8\xa4 \xf0\x9d\xc3A\xdeZ\n")
    with pytest.raises(ExportFault, match="UTF-8"):
        read(path)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportFault, match="Inhalt"):
        read(table(tmp_path, "time,text\n2024-03-05,x\n"), "text=Inhalt")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    if not is_utf8(content):
        encoding = guessed(content)
        assert not encoding or content.decode(encoding, "replace")
