"""docs/import.md, typed line by line by somebody who has nothing but two exports."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from idiolect.home import Home
from idiolect.memories.sample_person import sample_events
from idiolect.workflow.archive.runs import newest
from tests.memories.importers.exports import Said, chatgpt, whatsapp

ROOT = Path(__file__).parents[2]
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "import.md").read_text(encoding="utf-8"), re.DOTALL)


def test_what_the_page_installs_can_be_installed() -> None:
    first = COMMANDS.splitlines()[0]
    wanted = re.fullmatch(r"pip install '(\w+)\[(\w+)\]'", first)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wanted
    assert wanted[1] == project["name"]
    assert wanted[2] in project["optional-dependencies"]


@pytest.mark.slow
def test_the_page_leads_from_two_exports_to_a_model(tmp_path: Path, tiny_base: Path) -> None:
    talks = [e for e in sample_events() if "response" in e]
    life = [Said(n, n % 2 == 1, str(talks[n // 2]["response" if n % 2 else "content"])) for n in range(96)]
    folder = chatgpt(tmp_path / "gpt", life[:48])
    with zipfile.ZipFile(tmp_path / "chatgpt-export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "conversations.json", "conversations.json")
    whatsapp(tmp_path, life[48:]).rename(tmp_path / "WhatsApp Chat with Anna.txt")
    environment = os.environ | {"IDIOLECT_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
    said = ""
    for line in COMMANDS.splitlines()[1:]:
        words = shlex.split(line.replace("embedded", str(tiny_base)))
        assert words[0] == "idiolect"
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            input="Hello?\n/exit\n",
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
        said += done.stdout
    assert "ChatGPT: idiolect import chatgpt" in said
    assert said.count("24  yours") == 2
    finished = newest(Home(tmp_path / "home"), "ada")
    assert finished.run.gguf.stat().st_size > 100_000
    training = finished.summary.training
    assert training
    assert training.samples >= 10
