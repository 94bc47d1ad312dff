"""`python -m idiolect.training`: which base a bundle is trained on, and how a fault is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from idiolect.training import Failed, Finished, Note, decode, mend
from idiolect.training.events import append
from tests.training.jobs import FAST, texts, write_job


def run(bundle: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "idiolect.training", str(bundle), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_bundle_that_names_no_base_asks_for_it(tmp_path: Path, tiny_base: Path) -> None:
    bundle = write_job(tmp_path / "bundle", tiny_base)
    done = run(bundle)
    assert done.returncode == 2
    assert "does not name its base model" in done.stderr
    (failed,) = decode((bundle / "events.jsonl").read_bytes())
    assert isinstance(failed, Failed)
    assert "--base FOLDER" in failed.remedy


def test_another_base_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    bundle, other = write_job(tmp_path / "bundle", tiny_base), tmp_path / "other"
    shutil.copytree(tiny_base, other)
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    tokenizer["added_tokens"].pop()
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    done = run(bundle, "--base", str(other))
    assert done.returncode == 2
    assert "has another tokenizer" in done.stderr


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path / "nowhere").returncode == 2
    assert not (tmp_path / "nowhere").exists()


def test_a_torn_line_is_cut_off_and_what_comes_after_is_whole(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    assert mend(events) == 0
    append(events, Note("one"))
    size = events.stat().st_size
    with events.open("ab") as log:
        log.write(b'{"type":"step","st')
    assert mend(events) == size
    append(events, Finished(seconds=1))
    assert list(decode(events.read_bytes())) == [Note("one"), Finished(seconds=1)]


def test_a_bundle_carries_the_name_and_the_template_of_a_public_base(tmp_path: Path, tiny_base: Path) -> None:
    from idiolect.training import write_bundle
    from idiolect.training.bundle import open_bundle

    folder = tmp_path / "bundle"
    tokenizer = tiny_base / "tokenizer.json"
    write_bundle(folder, "adapter", FAST, texts(), tokenizer, base="embedded", chat_template="{{ messages }}")
    assert open_bundle(folder).base == "embedded"
    assert (folder / "chat_template.jinja").read_text() == "{{ messages }}"
