"""`python -m idiolect.export` makes of a trained bundle what the steps of a run would make here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from idiolect.bases import copy_tokenizer
from idiolect.export import Order, export_gguf, made_gguf, made_model, write_order
from idiolect.files import sha256
from idiolect.training import Failed, Note, decode
from tests.tiny import CHAT_TEMPLATE
from tests.training.jobs import write_job

ORDER = Order(quantization="Q6_K", name="ada", chat_template=CHAT_TEMPLATE, merged=False, imatrix=False)


def export(bundle: Path, base: Path) -> int:
    words = [sys.executable, "-m", "idiolect.export", str(bundle), "--base", str(base)]
    return subprocess.run(words, check=False, capture_output=True).returncode


def test_a_whole_model_becomes_the_file_that_it_would_here(tmp_path: Path, tiny_base: Path) -> None:
    bundle = write_job(tmp_path / "bundle", tiny_base, "model")
    trained = bundle / "outputs" / "model"
    trained.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):  # training leaves no more
        shutil.copyfile(tiny_base / name, trained / name)
    write_order(bundle, ORDER)
    assert made_gguf(bundle, ORDER) is None
    assert export(bundle, tiny_base) == 0
    shutil.copytree(trained, tmp_path / "here")
    copy_tokenizer(tiny_base, tmp_path / "here", CHAT_TEMPLATE)
    export_gguf(tmp_path / "here", tmp_path / "here.gguf", "Q6_K", name="ada", chat_template=CHAT_TEMPLATE)
    made = made_gguf(bundle, ORDER)
    assert made
    assert sha256(made) == sha256(tmp_path / "here.gguf")
    assert made_model(bundle, ORDER) is None
    # What was made as something else was asked for is not taken.
    assert made_gguf(bundle, msgspec.structs.replace(ORDER, quantization="Q8_0")) is None
    assert made_gguf(bundle, msgspec.structs.replace(ORDER, name="bob")) is None
    assert made_gguf(bundle, msgspec.structs.replace(ORDER, keys={"general.sampling.temp": 0.7})) is None
    assert [type(e) for e in decode((bundle / "events.jsonl").read_bytes())] == [Note]


def test_a_bundle_that_asks_for_nothing_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    bundle = write_job(tmp_path / "bundle", tiny_base)
    assert export(bundle, tiny_base) == 2
    (failed,) = decode((bundle / "events.jsonl").read_bytes())
    assert isinstance(failed, Failed)
    assert "does not say what is to be made" in failed.problem
