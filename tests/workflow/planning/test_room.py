"""What a run needs of a disk is asked before it begins; what it has written already is not asked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from idiolect.config import Options
from idiolect.errors import NoRoom
from idiolect.home import FINE_TUNE, Home
from idiolect.workflow.planning.room import check_room, left_to_write
from tests.conftest import Event, MakePerson


def test_what_a_run_has_written_needs_no_room_again(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    run, options = home.profile(make_person("ada", talks)).run(FINE_TUNE, "2026-01-02-030405-abcdef"), Options()
    wanted = left_to_write(tiny_base, run, options)
    run.bundle.mkdir(parents=True)
    (run.bundle / "weights").write_bytes(bytes(1000))
    assert left_to_write(tiny_base, run, options) == wanted - 1000
    (run.bundle / "weights").write_bytes(bytes(wanted + 1))
    assert left_to_write(tiny_base, run, options) == 0


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match="MB are needed"):
        check_room(tmp_path / "not" / "yet", 10**18)
    check_room(tmp_path / "not" / "yet", 10**6)
