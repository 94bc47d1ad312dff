"""The command line answers at once: nothing heavy is loaded to print help."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "peft", "accelerate", "numpy", "gguf", "xllamacpp", "tokenizers", "rensa", "ray"}
WEB = {"nicegui", "fastapi", "uvicorn"}


@pytest.mark.parametrize(
    "words", [["--help"], ["full-cycle", "--help"], ["chat", "--help"], ["plan", "--help"], ["studio", "--help"]]
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    program = (
        f"import sys; sys.argv = ['idiolect', *{words!r}]\n"
        "from idiolect.cli import app\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *_, loaded = done.stdout.rpartition("LOADED")
    assert "Usage" in done.stdout
    assert not (HEAVY | WEB) & set(loaded.split())


def test_ray_is_loaded_only_to_reach_a_cluster() -> None:
    program = "import idiolect.cli, idiolect.workflow.cycle, idiolect.machines.on_ray, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ray" not in done.stdout.split()
