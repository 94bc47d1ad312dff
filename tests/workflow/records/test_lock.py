from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idiolect.errors import UserFault
from idiolect.home import Home
from idiolect.workflow.records.lock import Holder, only_run
from idiolect.workflow.records.lock import holder as holder_of

HOLD = """
import sys, time
from pathlib import Path
from idiolect.home import Home
from idiolect.workflow.records.lock import only_run
with only_run(Home(Path(sys.argv[1])).profile("ada"), "first"):
    print("held", flush=True)
    time.sleep(600)
"""


def hold(home: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_run_is_told_who_holds_the_lock_until_that_one_dies(home: Home) -> None:
    holder = hold(home.root)
    ada, bea = home.profile("ada"), home.profile("bea")
    with pytest.raises(UserFault, match=rf"first, process {holder.pid}, since 20"), only_run(ada, "second"):
        pass
    with only_run(bea, "of another person"):
        pass
    found = holder_of(ada)
    assert found
    assert (found.label, found.process) == ("first", holder.pid)
    holder.kill()
    holder.communicate()
    assert holder_of(ada) is None
    with only_run(ada, "second") as died:
        assert died == found
    with only_run(ada, "third") as died:
        assert died is None
        assert b"third" in ada.lock.read_bytes()


def test_a_second_run_can_wait(home: Home) -> None:
    holder = hold(home.root)
    told: list[Holder | None] = []

    def waiting(who: Holder | None) -> None:
        told.append(who)
        holder.kill()
        holder.communicate()

    with only_run(home.profile("ada"), "second", waiting):
        assert [who.label for who in told if who] == ["first"]
