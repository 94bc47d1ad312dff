"""Imports point one way: down the house, and on the floor of the rooms only to rooms that data left before."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "idiolect"

GROUND = ["errors", "unicode_text", "unbroken", "files", "arrivals", "home", "config"]
ROOMS = [
    "memories",
    "curation",
    "dataset",
    "bases",
    "training",
    "machines",
    "export",
    "serving",
    "evaluation",
]
ABOVE = ["workflow", "studio", "cli"]
HOUSE = [*GROUND, *ROOMS, *ABOVE]
#: The workflow's own rooms, in the order in which a run walks through them; the cycle stands between the last two.
WORKFLOW = ["records", "planning", "archive", "data", "models", "calendar"]


def imports(module: Path) -> Iterator[tuple[str, str]]:
    """Yield (imported part of the house, whole name)."""
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" if node.module == "idiolect" else str(node.module) for a in node.names]
        for name in names:
            if name.startswith("idiolect.") and not name.endswith("__version__"):
                yield name.split(".")[1], name


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if place not in ("__init__", "__main__"):
            found.append((place, path))
    return found


def test_every_part_of_the_house_is_known() -> None:
    assert {place for place, _ in modules()} == set(HOUSE)


@pytest.mark.parametrize(("place", "module"), modules(), ids=lambda x: str(getattr(x, "name", x)))
def test_no_arrow_points_up(place: str, module: Path) -> None:
    up = [name for part, name in imports(module) if HOUSE.index(part) > HOUSE.index(place)]
    assert not up


@pytest.mark.parametrize(("place", "module"), modules(), ids=lambda x: str(getattr(x, "name", x)))
def test_rooms_see_only_the_doors_of_rooms(place: str, module: Path) -> None:
    if place not in ROOMS:
        return
    inside = [name for part, name in imports(module) if part in ROOMS and part != place and name.count(".") > 1]
    assert not inside


@pytest.mark.parametrize("room", WORKFLOW)
def test_no_arrow_points_up_within_the_workflow(room: str) -> None:
    earlier = WORKFLOW[: WORKFLOW.index(room) + 1]
    for module in (SOURCE / "workflow" / room).glob("*.py"):
        seen = {name.split(".")[2] for part, name in imports(module) if part == "workflow"}
        assert seen <= {*earlier} or room == "calendar", module


@pytest.mark.parametrize(("place", "module"), modules(), ids=lambda x: str(getattr(x, "name", x)))
def test_the_studio_is_a_room_apart(place: str, module: Path) -> None:
    """Only `idiolect studio` opens it, and what it is made of is imported nowhere else."""
    tree = ast.walk(ast.parse(module.read_text()))
    web = [n.lineno for n in tree if isinstance(n, ast.Import | ast.ImportFrom) and _imports_web(n)]
    studio = [name for part, name in imports(module) if part == "studio"]
    assert place == "studio" or not web
    assert place == "studio" or not studio or module == SOURCE / "cli" / "studio.py"


def _imports_web(node: ast.Import | ast.ImportFrom) -> bool:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
    return any(name.split(".")[0] in {"nicegui", "fastapi", "starlette", "uvicorn", "socketio"} for name in names)
