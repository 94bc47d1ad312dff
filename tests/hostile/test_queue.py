"""Promise: a damaged queue is two lines; what it held is in the runs' own journals."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile.cases import cases
from tests.hostile.command import assert_two_lines, idiolect


def another_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE songs (title TEXT)")
        database.commit()


def other_columns(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE workflow_status (id INTEGER)")
        database.commit()


def text(file: Path) -> None:
    file.write_text("not a database, and longer than a header of one is")


def random_bytes(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 64)


@pytest.mark.parametrize("damage", cases([text, another_program, random_bytes, other_columns], 2))
def test_a_damaged_queue_is_two_lines(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    (tmp_path / "state").mkdir()
    damage(tmp_path / "state" / "queue.sqlite")
    done = idiolect("worker", home=tmp_path, seconds=60)
    assert_two_lines(done)
    assert "Move it away" in done.stderr
