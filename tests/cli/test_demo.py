"""The demo as a newcomer runs it: the sample person, the embedded model, the whole cycle."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.home import Home
from idiolect.serving import load, reply
from idiolect.workflow.archive.registry import read_registry
from idiolect.workflow.archive.runs import newest
from tests.ollama import gguf_of, ollama_stand_in


@pytest.mark.slow
def test_the_demo_shows_what_it_promises(tmp_path: Path) -> None:
    environment = os.environ | {"COLUMNS": "140"}
    words = [sys.executable, "-m", "idiolect", "demo", "--home", str(tmp_path)]
    with ollama_stand_in() as ollama:
        environment["OLLAMA_HOST"] = ollama.address
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    shown = done.stdout

    assert "idiolect full-cycle --username marit --base-model embedded" in shown
    assert "318 memories" in shown
    assert "dropped: nearly said before" in shown
    assert re.search(r"step \d+/\d+  loss \d\.\d", shown)
    assert shown.count("what they really said") == 3
    assert f"idiolect chat --username marit --home {tmp_path}" in shown

    finished = newest(Home(tmp_path), "marit")
    published = read_registry(Home(tmp_path).profile("marit")).published
    assert published
    assert (published.label, published.ollama) == (finished.run.label, f"marit:{finished.run.label[:10]}")
    assert ollama.manifests["marit:latest"]["model"] == gguf_of(finished.run.gguf)
    training = finished.summary.training
    assert training
    assert training.loss_before - training.loss_after >= 0.4
    fates = [json.loads(line)["fate"] for line in finished.run.ledger.read_text().splitlines()]
    assert len(fates) == 318
    assert fates.count("train") == training.samples

    model = load(finished.run.gguf)
    systems = finished.summary.system_messages
    for asked in ("How are the bees?", "Did you sleep well?", "What is the weather like?"):
        answer = reply(model, [Message("system", systems["emulation"]), Message("user", asked)])
        assert answer.finish_reason == "stop", answer
        assert len(answer.text.split()) < 120
