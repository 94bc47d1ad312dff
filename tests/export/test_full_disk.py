"""A disk that is really full half-way: a clear word, no file left of the new one, and what was there stays."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from idiolect import export
from idiolect.errors import NoRoom
from idiolect.files import sha256
from tests.export.test_weights import trained_adapter
from tests.tiny import write_model, write_tokenizer

STAND_IN = Path(__file__).parent / "stand_in"
Fill = Callable[[int, int], None]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:peft"),
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def adapter(small_disk: Path, tiny_base: Path) -> Path:
    trained_adapter(tiny_base, small_disk / "adapter")
    return small_disk / "adapter"


def filling(disk: Path) -> Fill:
    """Return a listener that fills the disk to its last byte once half is written."""

    def fill(done: int, total: int) -> None:
        rest = disk / "somebody else's"
        if done <= total / 2 or rest.exists():
            return
        with suppress(OSError), rest.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(shutil.disk_usage(disk).free or 4096))

    return fill


def exported(base: Path, adapter: Path, target: Path, fill: Fill) -> None:
    export.export_gguf(base, target, "F16", adapter=adapter, name="tiny", on_progress=fill)


def merged(base: Path, adapter: Path, target: Path, fill: Fill) -> None:
    export.merge_model(base, adapter, target, chat_template="", on_progress=fill)


@pytest.mark.parametrize("way", [exported, merged])
def test_full_half_way(
    tiny_base: Path, small_disk: Path, adapter: Path, way: Callable[[Path, Path, Path, Fill], None]
) -> None:
    before = {path.name: sha256(path) for path in adapter.iterdir()}
    target = small_disk / "out" / "new"
    with pytest.raises(NoRoom, match=f"The disk became full while {target} was written"):
        way(tiny_base, adapter, target, filling(small_disk))
    assert list(target.parent.iterdir()) == []
    assert {path.name: sha256(path) for path in adapter.iterdir()} == before


@pytest.mark.slow
def test_full_while_llama_cpps_converter_writes(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_model(tmp_path / "base", "Olmo2", vocab_size=8192)
    write_tokenizer(base)
    monkeypatch.setenv("LLAMA_CPP_DIR", str(STAND_IN))
    # As if there were room when it was asked for: the converter finds out.
    monkeypatch.setattr("idiolect.export.foreign.needed_bytes", lambda _: 1)
    with pytest.raises(NoRoom, match="The disk became full"):
        export.export_gguf(base, small_disk / "out" / "m.gguf", "Q8_0", name="tiny")
    assert list((small_disk / "out").iterdir()) == []
