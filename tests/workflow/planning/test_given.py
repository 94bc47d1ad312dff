"""A data set file of the person's own: every form that is promised, and every fault of a file by its line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.errors import DataFault, OptionFault
from idiolect.files import write_json, write_text
from idiolect.home import FINE_TUNE, Home
from idiolect.workflow.cycle import resume, run_cycle
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.planning.given import GivenDataset, read_given
from idiolect.workflow.planning.plan import Asked, plan_data
from tests.checkout import write_memories
from tests.conftest import MakePerson
from tests.tiny import SENTENCES

HELLO = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "It rains."}]
QUICK: dict[str, Any] = {"num_train_epochs": 1, "learning_rate": 1e-2, "warmup_steps": 0, "dtype": "float32"}


def given(home: Home, *records: Any) -> GivenDataset:
    path = home.root / "own.jsonl"
    write_text(path, "".join(json.dumps(r) + "\n" for r in records))
    return read_given(path, home)


def said(found: GivenDataset) -> list[tuple[str, list[str]]]:
    return [(s.mode, [m.content for m in s.messages]) for s in found.samples]


@pytest.mark.parametrize(
    ("record", "mode"),
    [
        ({"messages": HELLO}, "emulation"),
        ({"mode": "dual", "messages": [{"role": "system", "content": "You are x."}, *HELLO]}, "dual"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}, HELLO[1]]}, "emulation"),
        ({"messages": [*HELLO, {"role": "user", "content": "And?"}]}, "emulation"),
        ({"instruction": "Hello?", "input": "", "output": "It rains."}, "emulation"),
        ({"instruction": "", "input": "Hello?", "output": " It rains.\n"}, "emulation"),
        ({"input": "Hello?", "output": "It rains."}, "emulation"),
        ({"input": "<thought>: Hello?", "output": "<world>: It rains."}, "dual"),
        ({"input": "<|user|><instruction>: Hello?", "output": "<|assistant|><action>: It rains."}, "agent"),
        (
            {"instruction": "[INST] <user>: Hello? [/INST]", "input": "", "output": " <assistant>: It rains."},
            "emulation",
        ),
        ({"mode": "agent", "user_text": "Hello?", "assistant_text": "It rains.", "metadata": {}}, "agent"),
        ({"mode": "dual", "input": "x", "output": "y", "raw_input": "Hello?", "raw_output": "It rains."}, "dual"),
    ],
)
def test_each_form_is_read(home: Home, record: dict[str, Any], mode: str) -> None:
    names = ("user_prefix", "user_suffix", "assistant_prefix", "assistant_suffix")
    write_json(home.schemas / "llama.json", dict(zip(names, ("[INST] ", " [/INST]", " ", ""), strict=True)))
    write_json(home.schemas / "qwen.json", dict(zip(names, ("<|user|>", "", "<|assistant|>", ""), strict=True)))
    found = given(home, record)
    assert said(found) == [(mode, ["Hello?", "It rains."])]
    (fate,) = found.fates
    assert (fate.memory, fate.fate, fate.sample) == ("own.jsonl:1", "kept", found.samples[0].id)


def test_an_instruction_with_an_input_is_both(home: Home) -> None:
    (sample,) = given(home, {"instruction": "Translate.", "input": "Hei", "output": "Hello"}).samples
    assert sample.messages[0].content == "Translate.\n\nHei"


def test_what_looks_like_a_wrapper_stays_where_there_is_no_tag(home: Home) -> None:
    write_json(home.schemas / "gptj.json", {"user_prefix": "Human: ", "assistant_prefix": "\nAssistant: "})
    found = given(home, {"input": "Human: is that all?", "output": "<b>: It rains."})
    assert said(found) == [("emulation", ["Human: is that all?", "<b>: It rains."])]


def test_turns_are_taken_and_system_messages_counted(home: Home) -> None:
    system = {"role": "system", "content": "You are kind."}
    found = given(home, {"messages": [system, HELLO[0], HELLO[0], HELLO[1], HELLO[1], *HELLO]}, {"messages": HELLO})
    assert [len(s.messages) for s in found.samples] == [4, 2]
    assert found.samples[0].messages[0].content == "Hello?\nHello?"
    assert found.systems == 1


def test_lists_byte_order_marks_and_empty_lines_are_no_fault(home: Home) -> None:
    path = home.root / "own.json"
    write_text(path, "\ufeff" + json.dumps([{"messages": HELLO}, {"messages": HELLO}], indent=2))
    assert [f.memory for f in read_given(path, home).fates] == ["own.json:1", "own.json:2"]
    write_text(path, f"\n{json.dumps({'messages': HELLO})}\r\n\n{json.dumps({'messages': HELLO})}")
    found = read_given(path, home)
    assert [f.memory for f in found.fates] == ["own.json:2", "own.json:4"]
    assert len({s.id for s in found.samples}) == 2


FAULTS = {
    "": "",
    '{"messages": [{"role": "user"': "not JSON",
    "[1]": "not a JSON object",
    '{"text": "x"}': "neither messages nor input and output",
    '{"text": "x", "learned": [[0, 1]], "id": "a"}': "formatted_samples.json",
    '{"messages": {}}': "messages is no list",
    '{"messages": []}': "nothing in it is said by the assistant",
    '{"messages": [3]}': "message 1: not a JSON object",
    '{"messages": [{"role": "tool", "content": "x"}]}': "message 1: role 'tool'",
    '{"messages": [{"role": "user", "content": ""}]}': "message 1: no text",
    '{"messages": [{"role": "user", "content": null}]}': "message 1: no text",
    '{"messages": [{"role": "assistant", "content": "x"}]}': "begins with the assistant",
    '{"messages": [{"role": "user", "content": "x"}]}': "nothing in it is said by the assistant",
    '{"input": "x", "output": " "}': "output is empty",
    '{"input": 5, "output": "x"}': "input is no text",
    '{"mode": "loud", "input": "x", "output": "y"}': "mode 'loud'",
    '{"a": ' + "[" * 100_000: "nested too deep",
}


def test_all_faults_of_a_file_are_told_by_line(home: Home) -> None:
    path = home.root / "own.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\n".join([b'{"input": "\xff"}', *(line.encode() for line in FAULTS)]))
    with pytest.raises(DataFault) as fault:
        read_given(path, home)
    assert "own.jsonl" in fault.value.problem
    assert "line 1: not JSON" in fault.value.problem
    for number, why in enumerate(FAULTS.values(), start=2):
        assert (f"line {number}: " in fault.value.problem) == bool(why)
        assert why in fault.value.problem


@pytest.mark.parametrize("text", ["", "\n\n", "[]"])
def test_a_file_without_records_is_refused(home: Home, text: str) -> None:
    write_text(home.root / "own.jsonl", text)
    with pytest.raises(DataFault, match="no record in it"):
        read_given(home.root / "own.jsonl", home)


def test_a_file_that_is_not_there_is_refused_before_anything_is_done(home: Home, make_person: MakePerson) -> None:
    make_person("ada", [])
    home.profile("ada").root.mkdir(parents=True)
    with pytest.raises(OptionFault, match=r"nosuch\.jsonl cannot be read"):
        plan_data(home, Asked("ada", {}, {"dataset": "nosuch.jsonl"}))


def pairs(count: int) -> list[dict[str, Any]]:
    words = " ".join(SENTENCES).split()
    return [
        {
            "instruction": f"What of {n}?",
            "input": "",
            "output": " ".join(words[(5 * n + k * k) % len(words)] for k in range(9)),
        }
        for n in range(count)
    ]


def test_a_data_set_is_made_of_it_without_any_memory(
    home: Home, make_person: MakePerson, tiny_base: Path, tmp_path: Path
) -> None:
    home.profile("ada").root.mkdir(parents=True)
    own = tmp_path / "own.jsonl"
    write_text(own, "".join(json.dumps(p) + "\n" for p in pairs(24)))
    told: dict[str, str] = {}
    made, _ = make_dataset(
        home, Asked("ada", {}, {"base_model": str(tiny_base), "dataset": str(own)}), told.__setitem__
    )
    assert told["curate"] == "24 samples of own.jsonl, as they are"
    fates = [json.loads(line) for line in made.ledger.read_text().splitlines()]
    assert {f["memory"] for f in fates} == {f"own.jsonl:{n}" for n in range(1, 25)}
    assert Counter(f["fate"] for f in fates) == {"train": 18, "held_out": 6}


@pytest.mark.slow
def test_both_cycles_train_on_it_and_go_on_elsewhere(
    home: Home, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_memories(home.profile("ada").memories, 3)
    write_text(tmp_path / "own.jsonl", "".join(json.dumps(p) + "\n" for p in pairs(24)))
    monkeypatch.chdir(tmp_path)
    arguments = ["full-cycle", "-u", "ada", "--home", str(home.root), "--base-model", str(tiny_base)]
    quick = ["--num-train-epochs", "1", "--learning-rate", "0.01", "--dtype", "float32", "--dataset", "own.jsonl"]
    done = CliRunner().invoke(app, [*arguments, *quick])
    assert done.exit_code == 0, done.output
    (run,) = home.profile("ada").runs()
    summary = json.loads(run.summary.read_text())
    assert summary["memories"] == {"train": 18, "held_out": 6}
    assert summary["training"]["samples"] == 18
    assert summary["options"]["dataset"]["value"] == str(tmp_path / "own.jsonl")

    def stop(event: Any) -> None:
        if getattr(event, "step", "") == "format":
            raise KeyboardInterrupt

    asked = Asked("ada", {}, {"base_model": str(tiny_base), "dataset": "own.jsonl", **QUICK})
    with pytest.raises(KeyboardInterrupt):
        run_cycle(home, asked, FINE_TUNE, stop)
    monkeypatch.chdir("/")
    finished = resume(home, "ada", None, lambda _: None)
    assert finished.summary.memories == {"train": 18, "held_out": 6}
