"""Notes: their dates in names, folders and front matter; what in them is no prose."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from idiolect.errors import ExportFault
from idiolect.memories.importers import SOURCES, Asked, Export, Message
from idiolect.memories.importers.sources.markdown import plain
from idiolect.memories.importers.times import iso


def read(folder: Path, day_first: bool | None = None) -> list[Message]:
    with Export(folder) as export:
        assert SOURCES["markdown"].found(export)
        items = list(SOURCES["markdown"].read(export, Asked(zone=UTC, day_first=day_first)))
    return [i for i in items if isinstance(i, Message)]


def note(folder: Path, name: str, text: str = "Words of the day.") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "25-06-2023.md",
        "25.06.2023.md",
        "25.6.2023 Oslo.md",
        "2023.6.25.md",
        "June 25th, 2023.md",
        "Sunday 25 June 2023.md",
        "25 juin 2023.md",
        "25. Juni 2023.md",
        "25 de junio de 2023.md",
        "2023年6月25日.md",
        "25 июня 2023.md",
        "2023/06/25.md",
        "journal/2023/06-June/25 Sunday.md",
        "2023/June/25.md",
        "2023/06/2023-06-25.md",
        "2023-June-25.md",
        "Log of 2023-06-25, in Oslo.md",
    ],
)
def test_the_date_in_a_notes_name(tmp_path: Path, name: str) -> None:
    note(tmp_path, name)
    assert [m.when and iso(m.when) for m in read(tmp_path)] == ["2023-06-25T12:00:00Z"]


@pytest.mark.parametrize(
    "name", ["Chapter 12.md", "v1.2.10.md", "Recipe 5-6 people.md", "May.md", "2023/ideas/12 things.md"]
)
def test_a_name_without_a_date(tmp_path: Path, name: str) -> None:
    note(tmp_path, name)
    note(tmp_path, "2020-01-01.md", "Old.")
    assert {m.text: m.when is None for m in read(tmp_path)} == {"Words of the day.": True, "Old.": False}


def test_names_that_could_be_two_days_are_asked_for(tmp_path: Path) -> None:
    note(tmp_path, "05-06-2023.md")
    with pytest.raises(ExportFault, match="05-06-2023"):
        read(tmp_path)
    assert [m.when and iso(m.when) for m in read(tmp_path, day_first=True)] == ["2023-06-05T12:00:00Z"]
    note(tmp_path, "25-06-2023.md")
    assert [m.when and iso(m.when)[:10] for m in read(tmp_path)] == ["2023-06-05", "2023-06-25"]


@pytest.mark.parametrize(
    ("matter", "when"),
    [
        ("date: 2024-3-5", "2024-03-05T12:00:00Z"),
        ("date: 2024/03/05", "2024-03-05T12:00:00Z"),
        ('created: "March 5, 2024 1:02 PM"  # in Oslo', "2024-03-05T13:02:00Z"),
        ("date: 5 mars 2024", "2024-03-05T12:00:00Z"),
        ("date: 25.03.2024 13:02", "2024-03-25T13:02:00Z"),
        ("creation date: 1709643723000", "2024-03-05T13:02:03Z"),
        ("date_created: 2024-03-05T13:02:03+01:00", "2024-03-05T12:02:03Z"),
        ("Created At: Tuesday 5 March 2024, 13:02", "2024-03-05T13:02:00Z"),
        ("datum: 2024-03-05 13:02", "2024-03-05T13:02:00Z"),
        ("date: 2024\ntitle: x", "2020-01-01T12:00:00Z"),
    ],
)
def test_the_date_in_front_matter(tmp_path: Path, matter: str, when: str) -> None:
    note(tmp_path, "2020-01-01.md", f"---\n{matter}\n---\nWords.")
    assert [m.when and iso(m.when) for m in read(tmp_path)] == [when]


@pytest.mark.parametrize(
    ("written", "prose"),
    [
        ("* mood:: 3\nSlept (hours:: 7) well.", "Slept well."),
        ("- TODO call\n  :LOGBOOK:\n  CLOCK: [x]\n  :END:\n- done", "- TODO call\n- done"),
        ("- a\n\t  background-color:: red\n- b {{embed ((6523-ab))}}", "- a\n- b"),
        ("Today {{date}} it rained.", "Today  it rained."),
        ("> [!tip]- Bread\n> Knead it.\n>> [!warning]\n>> Not too long.", "Bread\nKnead it.\n\nNot too long."),
        ("> [!quote] Anna\n> Her words.\n\nMine.", "> Anna\n> Her words.\n\nMine."),
        ("See [there](dayone2://view?x=1), [here](./a.md), [f](x).", "See there, here, [f](x)."),
        ("C++ is a::b here.", "C++ is a::b here."),
        ("Ratio 3::4", "Ratio 3::4"),
    ],
)
def test_what_is_no_prose_is_taken_out(written: str, prose: str) -> None:
    assert plain(written) == prose


def test_a_template_is_no_note(tmp_path: Path) -> None:
    note(tmp_path, "templates/daily.md", "# <% tp.date.now('YYYY-MM-DD') %>\n\nWhat was good today?")
    note(tmp_path, "templates/core.md", "# {{title}}\n\nWhat was good today?")
    note(tmp_path, "2024-03-05.md", "<% tp.file.cursor() %>\n\nBread.")
    assert [(m.kind, m.rule, m.text) for m in read(tmp_path)] == [
        ("said", "", "Bread."),
        ("hidden", "a template for notes", ""),
        ("hidden", "a template for notes", ""),
    ]
