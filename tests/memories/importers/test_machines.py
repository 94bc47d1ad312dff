"""Chats with machines: one conversation in a file, marks of sources, words in odd places, pages in any language."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import ExportFault
from idiolect.memories.importers import SOURCES, Asked, Export, Message
from idiolect.memories.importers.sources.chatgpt import without_citations
from idiolect.memories.importers.times import iso


def read(source: str, path: Path) -> list[Message]:
    with Export(path) as export:
        assert [name for name, s in SOURCES.items() if s.found(export)] == [source]
        items = list(SOURCES[source].read(export, Asked(zone=UTC)))
    return [i for i in items if isinstance(i, Message)]


def written(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def said(role: str, text: str, parent: str | None) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    message = {
        "id": text,
        "author": {"role": role},
        "content": content,
        "recipient": "all",
        "create_time": 1700000000.0,
    }
    return {"id": text, "message": message, "parent": parent, "children": []}


CHAT = {"title": "T", "mapping": {"q": said("user", "q", None), "a": said("assistant", "a", "q")}, "current_node": "a"}


@pytest.mark.parametrize("name", ["ChatGPT-Rye bread.json", "conversations.json", "a/b/1.json"])
def test_one_conversation_in_a_file_of_any_name(tmp_path: Path, name: str) -> None:
    assert [m.text for m in read("chatgpt", written(tmp_path / name, CHAT))] == ["q", "a"]


def test_several_conversations_each_in_a_file(tmp_path: Path) -> None:
    for number in range(3):
        written(tmp_path / f"{number}.json", CHAT | {"conversation_id": str(number)})
    assert len({m.thread.key for m in read("chatgpt", tmp_path)}) == 3


@pytest.mark.parametrize(
    ("written_as", "shown"),
    [
        ("Yes \ue200cite\ue202turn0search0\ue202turn0search3\ue201.", "Yes."),
        ("Yes【4:0†report.pdf】, and【12†source】 no.", "Yes, and no."),
        ('By \ue200entity\ue202["organization","Bakers","of Oslo"]\ue201 alone.', "By Bakers alone."),
        ("Rye :contentReference[oaicite:0]{index=0} it is.", "Rye it is."),
        ("Rye citeturn0search0turn1view2 it is.", "Rye it is."),
        ("\ue200i\ue202turn0image0\ue202turn0image1\ue201\nRye.", "Rye."),
        ("He said【so】.", "He said【so】."),
    ],
)
def test_marks_of_sources_are_taken_out_of_answers(written_as: str, shown: str) -> None:
    assert without_citations(written_as) == shown


def claude(content: list[Any], text: str = "", **more: Any) -> list[Any]:
    asked = {"uuid": "m1", "sender": "human", "text": text, "content": content, "created_at": "2025-05-01T10:01:00Z"}
    return [{"uuid": "k1", "name": "T", **more, "chat_messages": [asked]}]


@pytest.mark.parametrize(
    ("content", "text", "words", "kind"),
    [
        ([{"type": "text", "text": "  \n"}], "in text", "in text", "said"),
        ([], "in text", "in text", "said"),
        ([{"type": "voice_note", "text": "spoken"}], "", "spoken", "said"),
        ([{"type": "tool_use", "input": {}}], "This block is not supported.", "", "empty"),
        ([{"type": "text", "text": ""}, {"type": "image"}], "This block is not supported.", "", "empty"),
    ],
)
def test_where_claude_has_words(tmp_path: Path, content: list[Any], text: str, words: str, kind: str) -> None:
    [message] = read("claude", written(tmp_path / "conversations.json", claude(content, text)))
    assert (message.text, message.kind) == (words, kind)


def test_one_conversation_of_claude_and_a_very_long_summary(tmp_path: Path) -> None:
    block = [{"type": "text", "text": "words"}]
    [whole] = claude(block, summary="long " * 40_000)
    assert [m.text for m in read("claude", written(tmp_path / "one" / "Claude chat.json", whole))] == ["words"]
    assert [m.text for m in read("claude", written(tmp_path / "all" / "conversations.json", [whole]))] == ["words"]


def day_one(text: str) -> dict[str, Any]:
    return {"entries": [{"uuid": "E", "creationDate": "2024-03-05T13:02:03Z", "text": text}], "metadata": {}}


def test_day_one_with_its_metadata_last_and_its_links(tmp_path: Path) -> None:
    text = (
        "![](dayone-moment:/audio/AB)\n\nSee [that](dayone://view?entryId=A) and [this](dayone2://view?x=1)\\.\n\n"
        + "x " * 9000
    )
    [first, _] = read("day-one", written(tmp_path / "Journal.json", day_one(text)))
    assert first.text == "See that and this."


def cell(title: str, when: str, answer: str, header: str = "Gemini Apps") -> str:
    return (
        '<div class="outer-cell mdl-cell"><div class="mdl-grid">'
        f'<div class="header-cell mdl-cell"><p>{header}<br></p></div>'
        f'<div class="content-cell mdl-cell mdl-typography--body-1">{title}<br>{when}<br>{answer}</div>'
        '<div class="content-cell mdl-cell mdl-typography--caption"><b>:</b></div></div></div>'
    )


PAGES = {
    "Prompted": ("May 19, 2026, 7:07:02\u202fPM GMT-03:00", "2026-05-19T22:07:02Z"),
    "Gav instruktionen": ("4 juli 2026 09:15:00 CEST", "2026-07-04T07:15:00Z"),
    "Eingegeben": ("19.05.2026, 19:07:02 MESZ", "2026-05-19T17:07:02Z"),
    "Requête :": ("19 mai 2026, 19:07:02 CEST", "2026-05-19T17:07:02Z"),
    "Enviou": ("10 de mai. de 2026, 03:46:09 BRT", "2026-05-10T06:46:09Z"),
    "入力": ("2026/05/19 19:07:02 JST", "2026-05-19T10:07:02Z"),
    "提问": ("2026年6月19日 12:23:08 CST", "2026-06-19T04:23:08Z"),
}


@pytest.mark.parametrize("said", PAGES)
def test_geminis_page_in_the_language_of_the_account(tmp_path: Path, said: str) -> None:
    when, read_as = PAGES[said]
    page = (
        "<html><style>.mdl-cell{}</style>"
        + cell(f"{said}&nbsp;What is rye?", when, "<p>A <b>grain</b>.</p>")
        + "</html>"
    )
    asked, answer = read("gemini", written(tmp_path / "Meine Aktivitäten.html", page))
    assert (asked.text, answer.text) == ("What is rye?", "A grain.")
    assert asked.when is not None
    assert iso(asked.when) == read_as


@pytest.mark.parametrize("said", PAGES)
def test_geminis_records_in_the_language_of_the_account(tmp_path: Path, said: str) -> None:
    prompts = ("What is rye?", "How so", "tell me of salt", "Bread", "why", "And water?")
    records = [
        {"header": "Gemini-Apps", "title": f"{said} {words}", "time": f"2026-05-19T1{n}:00:00.000Z",
         "products": ["Gemini-Apps"], "safeHtmlItem": [{"html": "<p>Yes.</p>"}]}
        for n, words in enumerate(prompts)
    ]  # fmt: skip
    records.append({"header": "Gemini-Apps", "title": "Zorbled a thing", "time": "2026-05-20T10:00:00Z"})
    messages = read("gemini", written(tmp_path / "MyActivity.json", records))
    assert [m.text for m in messages if m.who.me and m.kind == "said"] == list(prompts)
    assert [m.kind for m in messages][-1] == "system"


def test_a_silence_of_half_an_hour_parts_geminis_conversations(tmp_path: Path) -> None:
    times = ("2026-05-19T10:00:00Z", "2026-05-19T10:20:00Z", "2026-05-19T11:00:00Z")
    records = [{"header": "Bard", "title": "Asked x", "time": t, "products": ["Bard"]} for t in times]
    first, second, third = (m.thread for m in read("gemini", written(tmp_path / "MyActivity.json", records)))
    assert first is second
    assert second is not third


def test_geminis_dates_that_could_be_two_are_asked_for(tmp_path: Path) -> None:
    page = "<style>.mdl-cell{}</style>" + cell("Prompted&nbsp;x", "03/04/2026, 10:00:00 CET", "<p>y</p>")
    with pytest.raises(ExportFault, match="03/04/2026"):
        read("gemini", written(tmp_path / "MyActivity.html", page))
