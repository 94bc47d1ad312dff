from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

import idiolect
from idiolect.machines.wheel import requirements, write_wheel


def test_the_wheel_installs_and_holds_all_of_the_package(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    before = wheel.read_bytes()
    assert write_wheel(tmp_path).read_bytes() == before
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*pip, "--target", str(tmp_path / "there"), str(wheel)], check=True, capture_output=True)
    here = Path(idiolect.__file__).parent
    files = {f.relative_to(here) for f in here.rglob("*") if f.is_file() and "__pycache__" not in f.parts}
    installed = tmp_path / "there" / "idiolect"
    assert {f.relative_to(installed) for f in installed.rglob("*") if f.is_file()} == files


def test_requirements_are_pinned_all_the_way_down_but_for_pytorch() -> None:
    needed = {r.name: r for r in map(Requirement, requirements(("train", "export")))}
    assert str(needed["torch"].specifier).startswith(">=")
    assert str(needed["transformers"].specifier).startswith("==")
    assert "jinja2" in needed
    assert "MarkupSafe".lower() in needed  # what Jinja needs
    assert "pytest" not in needed
    assert all(str(r.specifier).startswith("==") for name, r in needed.items() if name != "torch")
