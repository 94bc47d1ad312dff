"""Headers of WhatsApp's files as telephones in many countries write them, and the order of their dates."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.errors import ExportFault
from idiolect.memories.importers import SOURCES, Asked, Export, Message
from idiolect.memories.importers.times import iso


def read(path: Path, text: str, *, day_first: bool | None = None) -> list[Message]:
    path.write_text(text, encoding="utf-8")
    with Export(path) as export:
        assert SOURCES["whatsapp"].found(export)
        found = list(SOURCES["whatsapp"].read(export, Asked(me=("Ada",), day_first=day_first)))
    return [m for m in found if isinstance(m, Message)]


@pytest.mark.parametrize(
    "header",
    [
        "12/31/23, 11:59 PM - ",
        "12/31/23, 11:59\u202fPM - ",
        "31/12/2023, 23:59 - ",
        "31/12/23, 11:59 p. m. - ",
        "31/12/23, 11:59\u00a0p.\u00a0m. - ",
        "31/12/2023 à 23:59 - ",
        "31.12.23, 23:59 - ",
        "31.12.2023 klo 23.59 - ",
        "31.12.23, 23:59 Uhr - ",
        "31.12.23 г., 23:59 ч. - ",
        "31. 12. 2023 23:59 - ",
        "31-12-2023 23:59 - ",
        "2023-12-31, 23:59 - ",
        "2023-12-31 11:59 p.m. - ",
        "2023/12/31, 23:59 – ",
        "2023. 12. 31. 오후 11:59 - ",
        "2023/12/31 下午11:59 - ",
        "31/12/2566 23:59 - ",
        "[31.12.23, 23:59:00] ",
        "[12/31/23, 11:59:00 PM] ",
        "[31/12/23 23:59:00] ",
        "\u200e[2023-12-31, 11:59:00 PM] ",
        "[31/12/2023, 11:59:00 م] ",
    ],
)
def test_headers_of_many_countries(header: str, tmp_path: Path) -> None:
    (message,) = read(tmp_path / "chat.txt", f"{header}Ada Lunde: Happy new year\nto all\n")
    assert iso(message.when or 0.0) == "2023-12-31T23:59:00Z"
    assert (message.who.name, message.text) == ("Ada Lunde", "Happy new year\nto all")


def test_noon_and_midnight(tmp_path: Path) -> None:
    noon, midnight = read(tmp_path / "c.txt", "12/31/23, 12:05 PM - A: noon\n1/1/24, 12:05 AM - A: midnight\n")
    assert (iso(noon.when or 0.0), iso(midnight.when or 0.0)) == ("2023-12-31T12:05:00Z", "2024-01-01T00:05:00Z")


def test_the_order_of_day_and_month_is_found_by_time_running_on(tmp_path: Path) -> None:
    days = [f"{d}/{m}/24, 09:00 - Ada: {n}\n" for n, (d, m) in enumerate([(9, 1), (11, 1), (2, 2), (10, 2), (1, 3)])]
    messages = read(tmp_path / "c.txt", "".join(days))
    assert [iso(m.when or 0.0)[:10] for m in messages] == [
        "2024-01-09",
        "2024-01-11",
        "2024-02-02",
        "2024-02-10",
        "2024-03-01",
    ]


def test_where_nothing_tells_it_is_asked_for(tmp_path: Path) -> None:
    text = "3/4/24, 09:00 - Ada: hi\n3/4/24, 10:00 - Anna: hi\n"
    with pytest.raises(ExportFault, match="day or the month"):
        read(tmp_path / "c.txt", text)
    assert iso(read(tmp_path / "c.txt", text, day_first=True)[0].when or 0.0)[:10] == "2024-04-03"
    assert iso(read(tmp_path / "c.txt", text, day_first=False)[0].when or 0.0)[:10] == "2024-03-04"


def test_a_chat_is_the_same_chat_whatever_the_copy_is_called(tmp_path: Path) -> None:
    text = "31/12/23, 09:00 - Ada: hi\n31/12/23, 10:00 - Anna: hi\n"
    names = (
        "WhatsApp Chat with Anna.txt",
        "WhatsApp Chat with Anna (2).txt",
        "Chat de WhatsApp con Anna.txt",
        "renamed.txt",
    )
    assert {read(tmp_path / name, text)[0].thread.key for name in names} == {"Anna"}
    group = f"{text}31/12/23, 11:00 - Bob: hi\n"
    assert {read(tmp_path / f"{n}.txt", group)[0].thread.key for n in "ab"} == {""}
