"""llama.cpp's own converter, for architectures that are not known here: a program beside us, if its source is at hand.

LLAMA_CPP_DIR names the folder of llama.cpp's source with convert_hf_to_gguf.py. It runs in this Python, with the `gguf`
that it brings, in a process of its own.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from idiolect.errors import BaseModelFault, OptionFault

VARIABLE = "LLAMA_CPP_DIR"
SCRIPT = "convert_hf_to_gguf.py"
_NO_ROOM = 1_000_000


def converter() -> Path | None:
    """Return the converter, if LLAMA_CPP_DIR is set. Raises OptionFault if it is not there."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    script = Path(folder).expanduser() / SCRIPT
    if not script.is_file():
        raise OptionFault(
            f"{VARIABLE} is {folder}, and there is no {SCRIPT} in it.",
            "Let it name the folder of llama.cpp's source, or unset it.",
        )
    return script


def check(script: Path, base: Path) -> None:
    """Let the converter convert the tokenizer alone, which takes seconds and asks all that it asks of a model.

    Raises BaseModelFault with the converter's own word.
    """
    with tempfile.TemporaryDirectory() as folder:
        _run(script, base, Path(folder) / "vocabulary.gguf", "--vocab-only")


def convert(script: Path, model: Path, target: Path) -> None:
    """Write a model in Transformers' form as a GGUF in float32.

    Raises BaseModelFault with the converter's own word, and OSError if the disk became full.
    """
    _run(script, model, target, "--outtype", "f32")


def _run(script: Path, model: Path, target: Path, *how: str) -> None:
    command = [sys.executable, str(script), str(model), "--outfile", str(target), *how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # What it says of a full disk depends on which library wrote: there is no room left, that is all they share.
    if done.returncode and shutil.disk_usage(target.parent).free < _NO_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    if done.returncode or not target.is_file():
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise BaseModelFault(
            f"llama.cpp's converter cannot convert the model in {model}: {said[-1].strip()}",
            f"Choose another base model, or let {VARIABLE} name a newer llama.cpp. To see all it says, run {script}.",
        )
