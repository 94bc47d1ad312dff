"""What is asked of an import before anything is read, what is refused, and what is done about one that was cut off."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from idiolect.errors import ExportFault, OptionFault, UserFault
from idiolect.home import Home
from idiolect.memories.importers import Survey
from idiolect.workflow.data.importing import CutOff, coming_in, detect, import_memories, import_options, settle
from idiolect.workflow.records.lock import only_run
from tests.memories.importers.exports import ADA, ANNA, LIFE, chatgpt, whatsapp


def test_mistakes_are_named_and_nothing_is_written(home: Home, tmp_path: Path) -> None:
    export, chat = chatgpt(tmp_path / "gpt", LIFE), whatsapp(tmp_path / "chat", LIFE)
    wrong = [
        ("ada", "chatgtp", export, {}, "Did you mean 'chatgpt'?"),
        ("ada", "claude", export, {}, "It looks like: chatgpt."),
        ("ada", "chatgpt", tmp_path / "gone.zip", {}, "There is no"),
        ("ada", "whatsapp", chat, {}, rf"{ANNA} \(12\)"),
        ("ada", "whatsapp", chat, {"me": ["Adda"]}, "Nobody in this WhatsApp export is called 'Adda'"),
        ("../ada", "chatgpt", export, {}, "cannot be the name of a folder"),
        (".", "chatgpt", export, {}, "cannot be the name of a folder"),
    ]
    for person, source, path, flags, said in wrong:
        with pytest.raises(UserFault, match=said):
            import_memories(home, person, source, path, import_options(flags))
    assert not list(home.root.rglob("*.json*"))
    assert not home.profile("ada").memories.exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"timezone": "Mars/Base"}, "'Mars/Base' is no time zone"),
        ({"column": ["texts=body"]}, "'texts=body' is not"),
        ({"pause_hours": 0, "others": "hide"}, "others: .*; pause_hours: "),
    ],
)
def test_options_are_checked(flags: dict[str, object], said: str) -> None:
    with pytest.raises(OptionFault, match=said):
        import_options(flags)


def test_who_the_person_is_is_asked_where_somebody_can_answer(home: Home, tmp_path: Path) -> None:
    shown: list[Survey] = []

    def ask(seen: Survey) -> str:
        shown.append(seen)
        return ADA

    done = import_memories(home, "ada", "whatsapp", whatsapp(tmp_path, LIFE), import_options({}), ask)
    assert done.own == 12
    assert [who.name for who, _ in shown[0].people()] == [ANNA, ADA]


def test_what_an_export_is_is_said_without_writing(tmp_path: Path) -> None:
    chatgpt(tmp_path / "gpt", LIFE)
    whatsapp(tmp_path / "chat", LIFE)
    before = sorted(tmp_path.rglob("*"))
    found = dict(detect(tmp_path, import_options({})))
    assert list(found) == ["chatgpt", "whatsapp"]
    assert all(isinstance(seen, Survey) and seen.messages == 24 for seen in found.values())
    (tmp_path / "WhatsApp Chat with X.txt").write_text("3/4/24, 9:00 AM - Ada: hi\n")
    fault = dict(detect(tmp_path, import_options({})))["whatsapp"]
    assert isinstance(fault, ExportFault)
    assert "--day-first" in fault.remedy
    (tmp_path / "WhatsApp Chat with X.txt").unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_what_cut_off_imports_have_left_is_settled_once(home: Home, tmp_path: Path) -> None:
    import_memories(home, "ada", "chatgpt", chatgpt(tmp_path, LIFE), import_options({}))
    profile = home.profile("ada")
    came = sorted(profile.imported("chatgpt").rglob("*.json"))
    # As it was before anything had been moved; and of another, before its ledger was whole.
    staging = profile.importing("chatgpt")
    staging.mkdir(parents=True)
    shutil.move(profile.imported("chatgpt") / "ledger.jsonl", staging / "ledger.jsonl")
    shutil.move(profile.imported("chatgpt"), staging / "memories")
    shutil.copytree(staging / "memories", profile.importing("claude") / "memories")
    assert coming_in(profile, "claude") == len(came)
    with only_run(profile, "import claude"):
        assert settle(home) == []
    assert settle(home) == [CutOff("ada", "chatgpt", whole=True), CutOff("ada", "claude", whole=False)]
    assert sorted(profile.imported("chatgpt").rglob("*.json")) == came
    assert not profile.imported("claude").exists()
    assert settle(home) == []
