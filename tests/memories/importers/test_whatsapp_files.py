"""WhatsApp's files as telephones write them: causes by which they came in wrong, in cases that are not in cases/."""

from __future__ import annotations

from typing import Any

import pytest

from idiolect.memories.importers.sources.whatsapp import PASTED, UNLIKE
from tests.memories.importers.conftest import Bring, Brought


def chat(bring: Bring, text: str, me: str = "Ada", **asked: Any) -> Brought:
    return bring("whatsapp", {"WhatsApp Chat with Anna.txt": text}, me, **asked)


def test_a_line_sent_late_is_a_message_of_its_own(bring: Bring) -> None:
    text = "1/13/24, 20:00 - Anna: a\n1/13/24, 20:01 - Anna: b\n1/13/24, 14:30 - Ada: boarding\n"
    text += "1/13/24, 20:05 - Ada: here\n"
    done = chat(bring, text)
    assert done.done.survey.messages == 4
    assert "boarding" in done.words
    assert not any("boarding" in c for c in done.context)
    assert not done.done.survey.remarks


def test_a_chat_of_strangers_that_was_pasted_is_joined_and_said(bring: Bring) -> None:
    text = (
        "1/13/24, 20:00 - Anna: look\n1/13/24, 20:01 - Ada: what they wrote:\n"
        "1/7/20, 10:00 - Eve: no cake\n1/7/20, 10:01 - Bob: none\n1/13/24, 20:05 - Anna: oh\n"
    )
    done = chat(bring, text)
    assert (done.done.survey.messages, done.done.survey.remarks) == (3, {PASTED: 2})
    assert done.done.survey.examples[PASTED] == "1/7/20, 10:00 - Eve: no cake"
    assert done.own == ["what they wrote:"]


def test_what_was_said_before_in_the_same_chat_and_pasted_is_joined(bring: Bring) -> None:
    old = "1/7/24, 10:00 - Anna: no cake\n1/7/24, 10:01 - Ada: none\n"
    done = chat(bring, f"{old}1/13/24, 20:01 - Ada: you said\n{old}1/13/24, 20:05 - Anna: oh\n")
    assert (done.done.survey.messages, done.done.survey.remarks) == (4, {PASTED: 2})


def test_a_head_in_another_form_is_joined_and_said(bring: Bring) -> None:
    text = "[13.01.24, 20:00:00] Anna: ?\n[13.01.24, 20:01:00] Ada: from my phone:\n1/7/24, 10:00 AM - Bob: hm\n"
    assert chat(bring, text).done.survey.remarks == {UNLIKE: 1}


@pytest.mark.parametrize(
    ("head", "when"),
    [
        ("31.12.2023 ÖS 1:10 - ", "2023-12-31T13:10:00Z"),
        ("31.12.2023 ÖÖ 12:10 - ", "2023-12-31T00:10:00Z"),
        ("2023. 12. 31. de. 12:05 - ", "2023-12-31T00:05:00Z"),
        ("\u200f٣١\u200f/١٢\u200f/٢٠٢٣، ٩:٥٩ ص - ", "2023-12-31T09:59:00Z"),
        ("[31/12/2023، 11:59:01 م] ", "2023-12-31T23:59:01Z"),
        ("۱۴۰۲/۱۰/۱۰،\u200f ۲۳:۵۹ - ", "2023-12-31T23:59:00Z"),
        ("31/12/23, 11:59 CH - ", "2023-12-31T23:59:00Z"),
        ("31/12/23, 10:05 SA - ", "2023-12-31T10:05:00Z"),
        ("31/12/23, 9:00 PG - ", "2023-12-31T09:00:00Z"),
        ("31/12/23, 9:00 π.μ. - ", "2023-12-31T09:00:00Z"),
        ("31/12/2023, 3:07 μ.μ. - ", "2023-12-31T15:07:00Z"),
        ("2023/12/31 凌晨1:15 - ", "2023-12-31T01:15:00Z"),
        ("[2023/12/31 中午12:30:00] ", "2023-12-31T12:30:00Z"),
        ("2023/12/31 清晨6:20 - ", "2023-12-31T06:20:00Z"),
        ("2023/12/31 半夜12:20 - ", "2023-12-31T00:20:00Z"),
        ("23. 12. 31. 오후 11:59 - ", "2023-12-31T23:59:00Z"),
        ("23:59, 31/12/2023 - ", "2023-12-31T23:59:00Z"),
        ("2023-12-31 23 h 59 - ", "2023-12-31T23:59:00Z"),
        ("31.12.2023. u 23:59 - ", "2023-12-31T23:59:00Z"),
        ("12/31/23, 11:58:34 PM: ", "2023-12-31T23:58:34Z"),
    ],
)
def test_a_clock_of_any_country(bring: Bring, head: str, when: str) -> None:
    assert chat(bring, f"{head}Anna: ?\n{head}Ada: ja\n").when == [when]


def test_a_year_that_comes_first_in_two_digits_stays_while_days_run(bring: Bring) -> None:
    days = "".join(f"21-03-{day} 10:00 - {who}: {day}\n" for day, who in [(14, "Anna"), (14, "Ada"), (15, "Ada")])
    assert chat(bring, days).when == ["2021-03-14T10:00:00Z", "2021-03-15T10:00:00Z"]


def test_days_that_come_first_in_two_digits_are_not_years(bring: Bring) -> None:
    days = "".join(f"{day}-03-21 10:00 - {who}: {day}\n" for day, who in [(14, "Anna"), (14, "Ada"), (15, "Ada")])
    assert chat(bring, days).when == ["2021-03-14T10:00:00Z", "2021-03-15T10:00:00Z"]


@pytest.mark.parametrize(
    "marker", ["<Ta wiadomość została edytowana>", "<Zpráva upravena>", "<Xyz abc def>", "<تم تعديل الرسالة>"]
)
def test_what_several_messages_end_with_is_a_marker_in_whatever_language(bring: Bring, marker: str) -> None:
    lines = [
        "Anna: a?",
        f"Ada: red {marker}",
        "Anna: b?",
        f"Ada: blue {marker}",
        "Ada: I love you <3",
        "Ada: so <sigh>",
    ]
    done = chat(bring, "".join(f"13/01/24, 20:0{n} - {line}\n" for n, line in enumerate(lines)))
    assert done.words == "red\nblue\nI love you <3\nso <sigh>"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Du raderade detta meddelande", "deleted by who wrote it"),
        ("このメッセージを削除しました", "deleted by who wrote it"),
        ("이 메시지를 삭제했습니다", "deleted by who wrote it"),
        ("Túto správu ste odstránili.", "deleted by who wrote it"),
        ("Διαγράψατε αυτό το μήνυμα", "deleted by who wrote it"),
        ("imagem ocultada", "no words, only media"),
        ("изображение отсутствует", "no words, only media"),
        ("画像は含まれていません", "no words, only media"),
        ("live location shared", "written by the program"),
        ("Wachten op dit bericht. Dit kan even duren.", "written by the program"),
    ],
)
def test_what_the_telephone_writes_without_a_mark(bring: Bring, text: str, kind: str) -> None:
    done = chat(bring, f"13/01/24, 20:00 - Anna: ?\n13/01/24, 20:01 - Ada: {text}\n13/01/24, 20:02 - Ada: y\n")
    assert done.own == ["y"]
    assert done.done.rules == {kind: 1}


@pytest.mark.parametrize(
    "text", ["I deleted this message by mistake", "das Bild hab ich weggelassen", "dosya ekli mi?"]
)
def test_sentences_about_such_things_are_somebodys(bring: Bring, text: str) -> None:
    assert chat(bring, f"13/01/24, 20:00 - Anna: ?\n13/01/24, 20:01 - Ada: {text}\n").own == [text]


def test_of_a_poll_the_question_is_theirs(bring: Bring) -> None:
    poll = "UMFRAGE:\nWohin?\nOPTION: Rom (2 Stimmen)\nOPTION: Oslo: Hafen (0 Stimmen)\n"
    assert chat(bring, f"13.01.24, 20:00 - Anna: ?\n13.01.24, 20:01 - Ada: {poll}\n").own == ["Wohin?"]
    own = "POLL:\nwhat do you think\nI say: no (really)\n"
    text = f"13.01.24, 21:00 - Anna: ?\n13.01.24, 21:01 - Ada: {own}\n"
    assert chat(bring, text).own[-1] == own.strip()


def test_what_ios_puts_after_somebodys_words_is_its_own(bring: Bring) -> None:
    lines = [
        "Anna: ?",
        "Ada: Plan.docx • \u200e12 pages \u200edocument omitted",
        "Ada: here it is \u200e<attached: 00000012-PHOTO.jpg>",
        "Ada: and here \u200evideo omitted",
        "Ada: a \u200eb",
    ]
    done = chat(bring, "".join(f"[13.01.24, 20:0{n}:00] {line}\n" for n, line in enumerate(lines)))
    assert done.words == "here it is\nand here\na b"


def test_lines_of_the_program_with_colons_are_nobodys(bring: Bring) -> None:
    text = (
        '13/01/24, 09:00 - Bob changed the subject from "A: 1" to "B: 2"\n'
        "13/01/24, 09:01 - Anna Berg hat die Gruppenbeschreibung geändert: neu\n"
        "13/01/24, 10:00 - Anna Berg: ?\n13/01/24, 10:01 - Anna: I am another\n13/01/24, 10:02 - Ada: me: yes\n"
    )
    done = chat(bring, text)
    assert done.own == ["me: yes"]
    assert [who.name for who, _ in done.done.survey.people()] == ["Anna Berg", "Anna", "Ada"]
    assert done.done.rules == {"written by the program": 2}


@pytest.mark.parametrize("text", ["see setup.py (mine)", "open index.html (the old one)\nthen wait"])
def test_a_file_in_a_sentence_is_no_attachment(bring: Bring, text: str) -> None:
    assert chat(bring, f"13/01/24, 20:00 - Anna: ?\n13/01/24, 20:01 - Ada: {text}\n").own == [text]


def test_what_follows_several_names_of_files_is_the_programs_in_whatever_language(bring: Bring) -> None:
    lines = [
        "Anna: ?",
        "Ada: a.pdf (qwert asdf)",
        "Ada: b.pdf (qwert asdf)\nread it",
        "Ada: IMG-20240113-WA0001.jpg (zxcv)",
    ]
    done = chat(bring, "".join(f"13/01/24, 20:0{n} - {line}\n" for n, line in enumerate(lines)))
    assert done.own == ["read it"]


def test_chats_whose_files_have_the_name_before_the_programs_are_several(bring: Bring) -> None:
    text = "13/01/24, 20:00 - {0}: ?\n13/01/24, 20:01 - Ada: same words\n"
    names = {
        "Kim": "Kim님과의 WhatsApp 대화.txt",
        "Lee": "Lee님과의 WhatsApp 대화.txt",
        "Asha": "Asha के साथ WhatsApp चैट.txt",
    }
    done = bring("whatsapp", {file: text.format(name) for name, file in names.items()}, "Ada")
    assert done.own == ["same words"] * 3


def test_a_file_is_known_though_thousands_joined_before_anybody_wrote(bring: Bring) -> None:
    joined = "".join(f"[13.01.24, 09:00:{n % 60:02}] \u200e+47 900 {n} ist beigetreten\n" for n in range(2_000))
    assert chat(bring, f"{joined}[13.01.24, 20:00:00] Anna: ?\n[13.01.24, 20:01:00] Ada: ja\n").own == ["ja"]


def test_an_own_text_with_an_invisible_mark_is_said(bring: Bring) -> None:
    assert chat(bring, "13/01/24, 20:00 - Anna: ?\n13/01/24, 20:01 - Ada: \u200f\u200eשלום Ada\n").own == ["שלום Ada"]


@pytest.mark.parametrize(
    ("name", "me"),
    [
        ("\u202a+1\u00a0(555)\u00a0010\u20119999\u202c", "+15550109999"),
        ("Ju\u0301lia", "JÚLIA"),
        ("Team: Ada", "Team: Ada"),
    ],
)
def test_a_name_is_found_however_it_is_written(bring: Bring, name: str, me: str) -> None:
    assert chat(bring, f"13/01/24, 20:00 - Anna: ?\n13/01/24, 20:01 - {name}: pong\n", me).own == ["pong"]


def test_a_colon_without_a_space_ends_a_known_name(bring: Bring) -> None:
    text = "13/01/24, 20:00 - Anna:?\n13/01/24, 20:01 - Anna: !\n13/01/24, 20:02 - Ada:Hi\n13/01/24, 20:03 - Ada: ho\n"
    assert chat(bring, text).own == ["Hi\nho"]


def test_of_a_picture_with_a_caption_the_caption_is_said(bring: Bring) -> None:
    lines = [
        "Anna: ?",
        "Ada: <Medien ausgeschlossen>\nschau her",
        "Ada: <b>\nis HTML",
        "Ada: c.pdf (Datei angehängt)\nlies",
    ]
    done = chat(bring, "".join(f"13/01/24, 20:0{n} - {line}\n" for n, line in enumerate(lines)))
    assert done.own == ["schau her\n<b>\nis HTML\nlies"]
