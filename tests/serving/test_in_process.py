"""Model files in this process: what llama.cpp holds, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.errors import DataFault
from idiolect.serving import load

OVERWRITTEN = """
import sys
from pathlib import Path
from idiolect.curation import Message
from idiolect.serving import Sampling, load, reply
model = load(Path(sys.argv[1]), 256, mapped=False)
with Path(sys.argv[1]).open("r+b") as file:
    file.truncate(100)
print(reply(model, [Message("user", "Hi.")], Sampling(max_tokens=3)).tokens)
"""


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF and nothing more")
    with pytest.raises(DataFault, match=r"model\.gguf cannot be loaded"):
        load(tmp_path / "model.gguf")


@pytest.mark.parametrize(("asked", "held"), [(32, 256), (256, 256), (300, 512), (100_000, 512)])
def test_a_model_says_how_much_it_holds(tiny_gguf: Path, asked: int, held: int) -> None:
    """llama.cpp rounds up to 256, and gives no more than the base was made for (512)."""
    assert load(tiny_gguf, asked, warm_up=False).context == held


def test_a_file_that_is_overwritten_in_its_place_does_not_end_the_process(tiny_gguf: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.gguf"
    copy.write_bytes(tiny_gguf.read_bytes())
    done = subprocess.run([sys.executable, "-c", OVERWRITTEN, str(copy)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 0
