"""Who is the person: an identity, found by a name, never the name itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, Imported, Person, Selves, UnknownSelf, bring_in
from idiolect.memories.importers.identity import folded


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Zoë", "Zoe\u0308"),
        ("+47 912 34 567", "\u202a+47\u00a0912\u00a034\u2011567\u202c"),
        ("+4791234567", "+47 912 34 567"),
        ("ada  lunde ", "Ada\u00a0Lunde"),
        ("ＡＤＡ", "ada"),
        ("Anne-Marie", "Anne\u2011Marie"),
        ("İpek", "i̇pek"),
    ],
)
def test_names_are_compared_as_people_see_them(typed: str, written: str) -> None:
    assert Selves((typed,))(Person(written, written))
    assert folded(typed) == folded(written)


def test_other_names_are_others() -> None:
    mine = Selves(("Ada", "+47 912 34 567"))
    assert not any(mine(Person(n, n)) for n in ("Adam", "Ada L", "+47 912 34 568", "91234567", ""))


def imported(home: Home, tmp_path: Path, messages: list[tuple[str, str, str]], me: tuple[str, ...]) -> Imported:
    """Import a Telegram group of (id, shown name, text)."""
    rows = [
        {"id": n, "type": "message", "date_unixtime": str(1_700_000_000 + n), "from": name, "from_id": i, "text": text}
        for n, (i, name, text) in enumerate(messages)
    ]
    whole = {"name": "Club", "type": "private_group", "id": 9, "messages": rows}
    (tmp_path / "result.json").write_text(json.dumps(whole), encoding="utf-8")
    with Export(tmp_path / "result.json") as export:
        return bring_in("telegram", export, home.profile("ada"), Asked(me=me), pause=6 * 3600)


def test_who_changes_their_name_stays_who_they_are(home: Home, tmp_path: Path) -> None:
    messages = [("user1", "Countess", "one"), ("user2", "Anna", "hm"), ("user1", "Ada", "two"), ("user1", "A.", "3")]
    done = imported(home, tmp_path, messages, ("Ada",))
    assert (done.own, done.context) == (3, 1)
    files = [p.read_text() for p in done.folder.rglob("*.json")]
    assert len(files) == done.memories


def test_a_name_of_two_is_refused_with_the_choices(home: Home, tmp_path: Path) -> None:
    messages = [("user1", "Ada", "one"), ("user8", "Ada", "two"), ("user2", "Anna", "hm")]
    with pytest.raises(UnknownSelf) as refused:
        imported(home, tmp_path, messages, ("Ada",))
    assert "Ada, user1 (1), Ada, user8 (1)" in refused.value.remedy
    assert "Anna" not in refused.value.remedy
    assert not home.profile("ada").imported("telegram").exists()
    assert imported(home, tmp_path, messages, ("user8",)).own == 1


def test_a_name_means_only_the_one_who_is_also_said_by_id(home: Home, tmp_path: Path) -> None:
    messages = [("user8", "Ada", "two"), ("user1", "Ada", "one"), ("user1", "Countess", "one more")]
    assert imported(home, tmp_path, messages, ("Ada", "user1")).own == 2
