"""The commands, typed as a person types them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from idiolect.home import Home
from tests.conftest import Event, MakePerson


def idiolect(
    *words: str, given: str = "", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(environ or {}), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "idiolect", *words],
        input=given,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_version_and_options_are_printed() -> None:
    assert idiolect("--version").stdout == "0.1.0\n"
    listed = idiolect("options").stdout
    assert "| `learning_rate` | `0.0002` | `--learning-rate` |" in listed
    assert "`METAHUMAN_BASE_MODEL`, `IDIOLECT_BASE_MODEL`" in listed


def test_a_mistake_takes_two_lines_and_exit_code_2(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    make_person("ada", talks)
    for words in (["--username", "adda"], ["--username", "ada", "--base-model", "nothing"]):
        done = idiolect("full-cycle", *words, environ={"IDIOLECT_HOME": str(home.root)})
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 2
        assert "Traceback" not in done.stderr
    assert idiolect("full-cycle", "--username", "ada", "--lora-rank", "0", "--home", str(home.root)).returncode == 2
    assert not home.profile("ada").out.exists()


def test_chat_without_a_model_says_how_to_get_one(home: Home, make_person: MakePerson, talks: list[Event]) -> None:
    done = idiolect("chat", "--username", make_person("ada", talks), "--home", str(home.root))
    assert done.returncode == 2
    assert "idiolect full-cycle --username ada" in done.stderr


@pytest.mark.slow
def test_a_cycle_and_a_talk_from_the_command_line(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks, num_train_epochs=1, base_model=str(tiny_base))
    done = idiolect("full-cycle", "--username", person, "--home", str(home.root), "--seed", "7")
    assert done.returncode == 0, done.stderr
    for shown in ("40 samples of 40 memories", "held-out loss before training", "learned from", "idiolect chat"):
        assert shown in done.stdout
    (run,) = home.profile(person).runs()
    assert '"seed": 7' in run.summary.read_text()
    talk = idiolect(
        "chat", "-u", person, "--home", str(home.root), given="Hi.\n/mode dual\n/mode loud\n/new\nAnd?\n/exit\n"
    )
    assert talk.returncode == 0, talk.stderr
    assert "mode dual" in talk.stdout
    assert "/mode dual|emulation|agent" in talk.stdout


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    person = make_person("ada", talks, num_train_epochs=500, base_model=str(tiny_base))
    words = [sys.executable, "-m", "idiolect", "full-cycle", "-u", person, "--home", str(home.root)]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0)
    assert running.stdout
    assert running.stderr
    for line in running.stdout:
        if "step 10/" in line:
            break
    os.killpg(running.pid, signal.SIGINT)
    said = running.stderr.read()
    assert running.wait(timeout=20) == 130
    running.stdout.close()
    running.stderr.close()
    assert "Interrupted" in said
    assert "Traceback" not in said
    (run,) = home.profile(person).runs()
    left = {p.name for p in run.folder.iterdir()}
    assert left == {
        "curated_memories.json",
        "formatted_samples.json",
        "schema_applied.json",
        "ledger.jsonl",
        run.dataset.name,
        "run.log",
    }


def test_a_file_of_a_run_that_is_not_there_takes_two_lines(
    home: Home, make_person: MakePerson, talks: list[Event]
) -> None:
    person = make_person("ada", talks)
    words = ["export", "-u", person, "--home", str(home.root), "--run", "2026-01-01-000000-abcdef"]
    done = idiolect(*words, "--quantization", "Q5_K_M")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].endswith("ada has no run 2026-01-01-000000-abcdef.")
    assert len(done.stderr.strip().splitlines()) == 2
    assert "Q4_K_M" in idiolect(*words, "--quantization", "Q3").stderr
