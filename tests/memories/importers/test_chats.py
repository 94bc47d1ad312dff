"""Discord, Telegram, Slack, Google Chat, Signal: causes by which chats came in wrong; none is in cases/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idiolect.errors import ExportFault
from idiolect.home import Home
from idiolect.memories.importers import UnknownSelf
from idiolect.memories.importers.survey import UNDATED
from idiolect.workflow.data.importing import import_memories, import_options, nothing_known
from tests.memories.importers.conftest import Bring


def discord(*said: tuple[str, str, str, str], mentions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    messages = [
        {
            "id": str(n),
            "type": "Default",
            "timestamp": f"2024-03-08T13:{n:02}:00+00:00",
            "content": text,
            "author": {"id": i, "name": handle, "nickname": nick, "isBot": False},
            "mentions": list(mentions),
        }
        for n, (i, handle, nick, text) in enumerate(said)
    ]
    return {"guild": {"id": "1"}, "channel": {"id": "9", "type": "GuildTextChat", "name": "c"}, "messages": messages}


def test_one_id_is_one_person_in_every_channel(bring: Bring) -> None:
    first = discord(("111", "ada_l", "The Countess", "one"), ("222", "b", "Bob", "?"))
    second = discord(("222", "b", "Bob", "?"), ("111", "ada_l", "Ada", "two"))
    done = bring(
        "discord", {"a.json": first, "b.json": second | {"channel": {"id": "8", "type": "GuildTextChat"}}}, "Ada"
    )
    assert sorted(done.own) == ["one", "two"]


def test_a_handle_names_one_of_two_with_a_nickname(bring: Bring) -> None:
    whole = discord(("222", "b", "Ada", "not me"), ("111", "ada_l", "Ada", "me"))
    assert bring("discord", {"a.json": whole}, "ada_l").own == ["me"]


@pytest.mark.parametrize("folder", ["Wiadomości", "Mensajes", "Сообщения", "deeper/Messages"])
def test_discords_package_is_known_by_its_columns(bring: Bring, folder: str) -> None:
    files = {f"{folder}/c900/messages.csv": "ID,Timestamp,Contents,Attachments\n1,2024-03-08 13:01:03,hej,\n"}
    assert bring("discord", files | {f"{folder}/index.json": {"900": "Direct Message with b"}}).own == ["hej"]


def test_mentions_leave_no_hole(bring: Bring) -> None:
    rows = [{"ID": 1, "Timestamp": "2024-03-08 13:01:03", "Contents": "<@!12> hey <@&34>, <a:wave:56> </roll dice:7>"}]
    assert bring("discord", {"messages/c9/messages.json": rows}).own == ["hey, :wave: /roll dice"]


def test_who_is_mentioned_is_named_where_the_export_says_how(bring: Bring) -> None:
    whole = discord(
        ("222", "b", "Bob", "?"), ("111", "a", "Ada", "<@333> and <@222>"), mentions=({"id": "333", "nickname": "Eve"},)
    )
    assert bring("discord", {"a.json": whole}, "a").own == ["@Eve and @Bob"]


def telegram(*said: dict[str, Any], kind: str = "private_group") -> dict[str, Any]:
    rows = [
        {"id": n, "type": "message", "date_unixtime": str(1_700_000_000 + 60 * n)} | one for n, one in enumerate(said)
    ]
    return {"name": "C", "type": kind, "id": 9, "messages": rows}


def by(name: str, identity: str, text: Any, **more: Any) -> dict[str, Any]:
    return {"from": name, "from_id": identity, "text": text} | more


def test_two_of_a_name_in_a_group_are_asked_for_by_id(bring: Bring) -> None:
    whole = telegram(by("Ada", "user1", "one"), by("Anna", "user2", "?"), by("Ada", "user8", "two"))
    with pytest.raises(UnknownSelf, match="Several"):
        bring("telegram", {"result.json": whole}, "ada")
    assert bring("telegram", {"result.json": whole}, "user1").own == ["one"]


def test_a_slack_name_of_two_is_found_by_its_address(bring: Bring) -> None:
    users = [{"id": f"U{n}", "profile": {"display_name": "Ada", "email": f"ada{n}@example.org"}} for n in (1, 2)]
    rows = [{"type": "message", "user": f"U{n}", "text": f"by {n}", "ts": f"1709899200.00000{n}"} for n in (1, 2)]
    files = {"users.json": users, "dms.json": [], "general/2024-03-08.json": rows}
    with pytest.raises(UnknownSelf, match="Several"):
        bring("slack", files, "Ada")
    assert bring("slack", files, "ADA2@example.org").own == ["by 2"]


def test_in_a_group_an_answer_has_before_it_what_it_answers_and_no_more(bring: Bring) -> None:
    said = [
        by("Anna", "user2", "the cat is ill"),
        by("Bob", "user3", "the car needs oil"),
        by("Bob", "user3", "much oil"),
    ]
    done = bring(
        "telegram", {"result.json": telegram(*said, by("Ada", "user1", "which?", reply_to_message_id=2))}, "Ada"
    )
    assert done.context == ["Bob: the car needs oil\nBob: much oil"]
    assert done.done.rules == {"the person does not answer it": 1}


def test_in_a_group_few_lines_stand_before_what_answers_none(bring: Bring) -> None:
    said = [by("Anna", "user2", f"line {n}") for n in range(30)]
    done = bring("telegram", {"result.json": telegram(*said, by("Ada", "user1", "ok"))}, "Ada")
    assert done.context == ["\n".join(f"Anna: line {n}" for n in range(22, 30))]


def test_a_command_to_a_bot_is_nobodys_words(bring: Bring) -> None:
    command = [{"type": "bot_command", "text": "/help"}, " ", {"type": "bot_command", "text": "/start"}]
    said = [by("Ada", "user1", command), by("Ada", "user1", [{"type": "bot_command", "text": "/ask"}, " what is rye?"])]
    assert bring("telegram", {"any name.json": telegram(*said, kind="bot_chat")}, "Ada").own == ["/ask what is rye?"]


def test_an_account_is_known_behind_thousands_of_contacts(bring: Bring) -> None:
    contacts = [{"first_name": f"C{n}", "phone_number": "+47 900", "date": "2020-01-01T00:00:00"} for n in range(5_000)]
    chats = {"about": "x", "list": [telegram(by("B", "user2", "?"), by("Ada", "user1", "hello"), kind="personal_chat")]}
    whole = {"about": "Here", "contacts": {"about": "x", "list": contacts}, "chats": chats}
    assert bring("telegram", {"export/result.json": whole}, "Ada").own == ["hello"]


def test_of_a_topic_in_a_space_the_last_of_somebody_else_is_answered(bring: Bring) -> None:
    def said(n: int, name: str, topic: str, text: str) -> dict[str, Any]:
        date = f"Tuesday, March 5, 2024 at 1:0{n}:03\u202fPM UTC"
        who = {"name": name, "email": f"{name}@example.org", "user_type": "Human"}
        return {"creator": who, "created_date": date, "text": text, "topic_id": topic, "message_id": f"m{n}"}

    rows = [
        said(1, "anna", "1", "rye?"),
        said(2, "bob", "2", "oil?"),
        said(3, "ada", "1", "yes"),
        said(4, "ada", "2", "no"),
    ]
    base = "Takeout/Google Chat"
    files = {
        f"{base}/Groups/Space 1/messages.json": {"messages": rows},
        f"{base}/Users/User 1/user_info.json": {"user": {"name": "ada", "email": "ada@example.org"}},
    }
    done = bring("google-chat", files)
    assert (done.context, done.own) == (["anna: rye?", "bob: oil?"], ["yes", "no"])


@pytest.mark.parametrize(
    "date",
    [
        "Dienstag, 5. März 2024 um 13:02:03 UTC",
        "2024年3月5日火曜日 13:02:03 UTC",
        "2024년 3월 5일 화요일 오후 1시 2분 3초 UTC",
        "wtorek, 5 marca 2024 13:02:03 UTC",
        "вторник, 5 марта 2024 г. в 13:02:03 UTC",
        "5 Mart 2024 Salı 13:02:03 UTC",
        "tiistai 5. maaliskuuta 2024 klo 13.02.03 UTC",
        "terça-feira, 5 de março de 2024 às 13:02:03 UTC",
        "الثلاثاء، 5 مارس 2024 في 1:02:03 م UTC",
        "मंगलवार, 5 मार्च 2024 को 1:02:03 pm बजे UTC",
        "Thứ Ba, 5 tháng 3, 2024 lúc 13:02:03 UTC",
        "utorak, 5. ožujka 2024. u 14:02:03 UTC+1",
    ],
)
def test_a_date_in_the_words_of_an_account(bring: Bring, date: str) -> None:
    who = {"name": "Ada", "email": "ada@example.org", "user_type": "Human"}
    rows = [{"creator": who, "created_date": date, "text": "hi", "message_id": "1"}]
    done = bring("google-chat", {"Takeout/Google Chat/Groups/DM 1/messages.json": {"messages": rows}}, "Ada")
    assert done.when == ["2024-03-05T13:02:03Z"]


def test_a_date_that_cannot_be_read_is_said(bring: Bring) -> None:
    who = {"name": "Ada", "email": "ada@example.org", "user_type": "Human"}
    rows = [{"creator": who, "created_date": "the fifth at noon", "text": "hi", "message_id": "1"}]
    done = bring("google-chat", {"Takeout/Google Chat/Groups/DM 1/messages.json": {"messages": rows}}, "Ada")
    assert done.done.survey.remarks == {UNDATED: 1}


@pytest.mark.parametrize(
    ("name", "page", "source", "word"),
    [
        ("ChatExport/messages.html", '<div class="page_wrap">', "telegram", "Machine-readable JSON"),
        ("general.html", '<div class="chatlog__message-group">', "discord", "--format Json"),
        ("inbox/anna_1/message_12.html", "<html>", "facebook", "JSON"),
        ("Anna/index.html", "<div class='msg'><span class=sender>Anna</span>", "signal", "data.json"),
    ],
)
def test_html_is_told_how_to_become_what_can_be_read(  # noqa: PLR0913, PLR0917 - the columns of a table
    home: Home, tmp_path: Path, name: str, page: str, source: str, word: str
) -> None:
    (tmp_path / "e" / name).parent.mkdir(parents=True)
    (tmp_path / "e" / name).write_text(page, encoding="utf-8")
    with pytest.raises(ExportFault, match="as HTML") as refused:
        import_memories(home, "u", source, tmp_path / "e", import_options({}))
    assert word in refused.value.remedy
    assert nothing_known(tmp_path / "e").remedy == refused.value.remedy


def test_slackbot_and_its_reminders_are_no_persons(bring: Bring) -> None:
    rows: list[dict[str, Any]] = [
        {"type": "message", "user": "USLACKBOT", "text": "Reminder: tar", "ts": "1709899200.000001"},
        {"type": "message", "user": "U1", "text": "", "ts": "1709899200.000002", "blocks": BLOCKS},
    ]
    files = {"users.json": [{"id": "U1", "name": "ada"}], "g/2024-03-08.json": rows}
    done = bring("slack", files, "ada")
    assert done.own == ["see the page @ada :wave:\none"]
    assert done.done.rules == {"written by a bot": 1}


BLOCKS = [
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "see "},
                    {"type": "link", "url": "https://example.org", "text": "the page"},
                    {"type": "text", "text": " "},
                    {"type": "user", "user_id": "U1"},
                    {"type": "text", "text": " "},
                    {"type": "emoji", "name": "wave"},
                ],
            },
            {
                "type": "rich_text_list",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
            },
        ],
    }
]


def test_signal_names_who_is_mentioned_and_keeps_story_replies(bring: Bring) -> None:
    def said(n: int, author: str, **item: Any) -> dict[str, Any]:
        return {"chatItem": {"chatId": "10", "authorId": author, "dateSent": str(1_700_000_000_000 + n)} | item}

    ranges = [{"start": 4, "length": 1, "mentionAci": "zz"}, {"length": 1, "mentionAci": "aa"}]
    frames = [
        {"backupTimeMs": "1"},
        {"recipient": {"id": "1", "self": {}}},
        {"recipient": {"id": "2", "contact": {"aci": "aa", "profileGivenName": "Anna"}}},
        {"chat": {"id": "10", "recipientId": "2"}},
        said(1, "2", standardMessage={"text": {"body": "?"}}),
        said(2, "1", standardMessage={"text": {"body": "\ufffc or \ufffc?", "bodyRanges": ranges}}),
        said(3, "2", directStoryReplyMessage={"emoji": "🔥"}),
    ]
    done = bring("signal", {"main.jsonl": "".join(f"{json.dumps(f)}\n" for f in frames)})
    assert done.own == ["@Anna or?"]


def test_calls_and_deleted_messages_of_signal_export_are_nobodys_words(bring: Bring) -> None:
    rows = [
        {"date": "2024-03-08T13:01:00", "sender": "Anna", "body": "hi  ", "quote": ""},
        {
            "date": "2024-03-08T13:02:00",
            "sender": "Me",
            "body": "Outgoing video call (declined)  ",
            "quote": "",
            "call": True,
        },
        {"date": "2024-03-08T13:03:00", "sender": "Me", "body": "", "quote": "", "deleted": True},
        {"date": "2024-03-08T13:04:00", "sender": "No-Sender", "body": "You changed the timer", "quote": ""},
        {"date": "2024-03-08T13:05:00", "sender": "Me", "body": "I missed a call  ", "quote": "", "missed": False},
    ]
    done = bring("signal", {"Anna/data.json": "".join(f"{json.dumps(r)}\n" for r in rows)})
    assert done.own == ["I missed a call"]
    assert done.done.rules == {"written by the program": 2, "deleted by who wrote it": 1}
