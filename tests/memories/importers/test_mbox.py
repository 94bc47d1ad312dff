"""A mailbox: which mails are somebody's words to somebody, whose they are, and where each ends."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from idiolect.memories.importers import SOURCES, Asked, Export, Message, Unreadable
from idiolect.memories.importers.times import iso

ADA = "ada@example.org"
HEAD = {
    "From": f"Ada Lunde <{ADA}>",
    "To": "x@example.org",
    "Subject": "Plans",
    "Date": "Tue, 05 Mar 2024 13:02:03 +0000",
}


def mail(body: str = "Yes, gladly.", first: str = "From - Tue Mar 05 13:02:03 2024", **headers: str) -> str:
    given = HEAD | {name.replace("_", "-"): value for name, value in headers.items()}
    return first + "\n" + "".join(f"{n}: {v}\n" for n, v in given.items() if v) + f"\n{body}\n\n"


def read(path: Path, me: tuple[str, ...] = (ADA,)) -> list[Message]:
    with Export(path) as export:
        assert SOURCES["mbox"].found(export)
        items = list(SOURCES["mbox"].read(export, Asked(me=me)))
    assert not [i for i in items if isinstance(i, Unreadable)]
    return [i for i in items if isinstance(i, Message)]


def box(folder: Path, *mails: str, name: str = "mail.mbox") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(mails), encoding="utf-8")
    return path


def own(messages: list[Message]) -> list[str]:
    return [m.text for m in messages if m.who.me and m.kind == "said"]


def encoded(name: str, charset: str) -> str:
    return f"=?{charset}?B?{codecs.encode(name.encode(charset), 'base64').decode().strip()}?="


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        (f"{encoded('Müller, Ada (extern)', 'iso-8859-1')} <{ADA}>", "Müller, Ada (extern)", ADA),
        (f"{encoded('Лунде, Ада <дома>', 'koi8-r')} <ADA@Example.org>", "Лунде, Ада <дома>", ADA),
        (f'"Lunde, Ada" <{ADA}>', "Lunde, Ada", ADA),
        (f"{encoded('Ada', 'utf-8')}\n {encoded(' Lunde', 'utf-8')} <{ADA}>", "Ada Lunde", ADA),
        (f"{ADA} (Ada Lunde)", "Ada Lunde", ADA),
    ],
)
def test_who_wrote_is_taken_apart_before_it_is_decoded(tmp_path: Path, written: str, name: str, address: str) -> None:
    [message] = read(box(tmp_path, mail(From=written)))
    assert (message.who.name, message.who.id) == (name, address)


@pytest.mark.parametrize("name", ["Sent", "Gesendet", "INBOX.sbd/Sent Items", "Sent.mbox", "post.txt", "a.b.c"])
def test_a_mailbox_is_known_by_how_it_begins(tmp_path: Path, name: str) -> None:
    assert own(read(box(tmp_path, mail(), name=name)))


def test_a_profile_of_thunderbird(tmp_path: Path) -> None:
    (tmp_path / "Mail").mkdir()
    (tmp_path / "Mail/Sent.msf").write_text("// <!-- <mdb:mork:z v='1.4'/> -->")
    box(tmp_path / "Mail", mail("One."), mail("Gone.", X_Mozilla_Status="0009"), name="Sent")
    box(tmp_path / "Mail", mail("Two.", first="From "), mail("Three.", first="From "), name="Archives.sbd/2023")
    box(tmp_path / "Mail", mail("Unfinished"), name="Drafts")
    box(tmp_path / "Mail", mail("Away with it"), name="Trash")
    messages = read(tmp_path)
    assert own(messages) == ["Two.", "Three.", "One."]
    assert sorted(m.kind for m in messages) == ["deleted", "deleted", "draft", "said", "said", "said"]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Gesendet,Ungelesen,Spam", "spam"),
        ("=?UTF-8?Q?Ge=C3=B6ffnet,Papierkorb?=", "deleted"),
        ("Corbeille", "deleted"),
        ("=?UTF-8?B?0KfQtdGA0L3QvtCy0LjQutC4?=", "draft"),
        ("Borradores", "draft"),
        ("迷惑メール", "spam"),
        ("Inbox,Important", "said"),
    ],
)
def test_labels_say_what_nobody_said(tmp_path: Path, label: str, kind: str) -> None:
    assert [m.kind for m in read(box(tmp_path, mail(X_Gmail_Labels=label)))] == [kind]


@pytest.mark.parametrize(
    "label", ["Gesendet", "Enviados", "Inviati", "Wysłane", "Отправленные", "送信済み", "보낸편지함", "Skickat"]
)
def test_gmails_label_of_what_was_sent_says_who_is_me(tmp_path: Path, label: str) -> None:
    sent = mail("Mine.", X_Gmail_Labels=encoded(f"Archiv,{label}", "utf-8"))
    assert own(read(box(tmp_path, mail("Not mine.", From="Anna <anna@example.org>"), sent), ())) == ["Mine."]


INVITATION = """--b
Content-Type: text/plain; charset=utf-8

Ada Lunde has declined this invitation.
--b
Content-Type: text/calendar; charset=utf-8; method=REPLY

BEGIN:VCALENDAR
METHOD:REPLY
END:VCALENDAR
--b--"""


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("Away.", {"Auto_Submitted": "auto-generated (vacation)"}),
        ("Away.", {"X_Autoreply": "yes"}),
        ("Away.", {"Precedence": "auto_reply"}),
        ("Not delivered.", {"Content_Type": "multipart/report; report-type=delivery-status; boundary=b"}),
        (INVITATION, {"Content_Type": 'multipart/alternative; boundary="b"'}),
        ("BEGIN:VCALENDAR", {"Content_Type": "text/calendar; method=REQUEST"}),
        ("Buy!", {"X_Spam_Flag": "YES"}),
    ],
)
def test_what_a_program_has_sent_is_not_the_persons(tmp_path: Path, body: str, headers: dict[str, str]) -> None:
    assert own(read(box(tmp_path, mail(body, **headers), mail("I.", Auto_Submitted="no")))) == ["I."]


ATTACHED = """--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain

See what Eve writes.
--c
Content-Type: text/html

<p>See what <b>Eve</b> writes.</p>
--c--
--b
Content-Type: message/rfc822

From: eve@example.org
Content-Type: text/plain

Words of Eve.
--b
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

A file.
--b
Content-Type: text/html

<p>Look at the picture above.</p>
--b--"""


def test_own_parts_are_all_read_and_attached_ones_are_not(tmp_path: Path) -> None:
    messages = read(box(tmp_path, mail(ATTACHED, Content_Type="multipart/mixed; boundary=b")))
    assert own(messages) == ["See what Eve writes.\n\nLook at the picture above."]


@pytest.mark.parametrize(
    "line",
    [
        "From here on it is mine.",
        "From 13:00 to 2024 sheep",
        "From Monday 4 March 2024 we are away, 10:30 at the latest",
    ],
)
def test_a_line_that_begins_with_from_ends_no_mail(tmp_path: Path, line: str) -> None:
    body = f"Dear Anna,\n\n{line}\n\nBest wishes"
    assert own(read(box(tmp_path, mail(body), mail()))) == [body, "Yes, gladly."]


@pytest.mark.parametrize(
    ("first", "when"),
    [
        ("From 123@xxx Thu May 28 15:08:30 +0000 2020", "2020-05-28T15:08:30Z"),
        ("From ada@example.org Thu May  8 15:08:30 2020", "2020-05-08T15:08:30Z"),
        ("From MAILER-DAEMON Thu May 28 15:08:30 2020 +0200", "2020-05-28T13:08:30Z"),
        ("From ", None),
    ],
)
def test_a_mail_without_a_date_has_that_of_its_from_line(tmp_path: Path, first: str, when: str | None) -> None:
    [one, two] = read(box(tmp_path, mail(first=first, Date=""), mail(first=first, Date="soon")))
    assert [m.when and iso(m.when) for m in (one, two)] == [when, when]
