"""Publishing, killed at every point at which something could change: the old model is there, or the new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from idiolect.home import Home, Run
from idiolect.serving import Sampling, load, reply
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.registry import read_registry, voice
from idiolect.workflow.models.in_ollama import HELLO
from idiolect.workflow.models.publish import promote
from tests.conftest import MakeRun
from tests.ollama import OllamaStandIn, gguf_of, ollama_stand_in

NAMES = ["ada:latest", "ada:dual", "ada:emulation", "ada:agent"]

#: For each line `label n`: a process that promotes a run, and kills itself before the n-th thing that it sends to
#: Ollama or writes on the disk. They are forks of one that has imported what they need, which takes the longest.
PROMOTE = """
import os, signal, sys
from pathlib import Path
import xllamacpp
from idiolect.home import Home
from idiolect.workflow.models.publish import promote

home, port, fatal, passed = Home(Path(sys.argv[1])), int(sys.argv[2]), 0, 0

def count(event, args):
    global passed
    sent = event == "http.client.send" and args[0].port == port and b"_debug_render_only" not in bytes(args[1][:9999])
    wrote = event == "open" and str(home.root) in str(args[0]) and args[1] and args[1][0] in "wax"
    if fatal is not None and (sent or wrote or event in ("os.rename", "os.remove")):
        passed += 1
        if passed == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    label, number = line.split()
    child = os.fork()
    if child == 0:
        fatal = int(number)
        sys.addaudithook(count)
        promote(home, "ada", label)
        print(passed, flush=True)
        os._exit(0)
    print("began", child, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Promoter:
    """The process that others are forked from."""

    def __init__(self, home: Home, ollama: OllamaStandIn) -> None:
        words = [sys.executable, "-c", PROMOTE, str(home.root), ollama.address.rpartition(":")[2]]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, run: Run, fatal: int = 0) -> int:
        """Let a process promote a run; returns its id."""
        assert self.process.stdin
        self.process.stdin.write(f"{run.label} {fatal}\n")
        self.process.stdin.flush()
        return int(self._next("began")[0])

    def end(self) -> tuple[int, int]:
        """Wait for it; returns its exit code, and how many points it passed if it came through."""
        code, passed = self._next("ended")
        return int(code), passed

    def _next(self, word: str) -> tuple[str, int]:
        assert self.process.stdout
        passed = 0
        for line in self.process.stdout:
            if line.startswith(word):
                return line.split()[1], passed
            passed = int(line)
        raise AssertionError("it is gone")


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaStandIn]:
    with ollama_stand_in() as state:
        monkeypatch.setenv("OLLAMA_HOST", state.address)
        yield state


@pytest.fixture
def promoter(home: Home, ollama: OllamaStandIn) -> Iterator[Promoter]:
    promoter = Promoter(home, ollama)
    yield promoter
    promoter.process.communicate()


def stands_for(home: Home, ollama: OllamaStandIn, old: Run, new: Run) -> set[str]:
    """Return which of two runs the names stand for, here and in Ollama, having seen that each is whole."""
    runs = {gguf_of(run.gguf): run.label for run in (old, new)}
    assert all(ollama.model_of(name) for name in NAMES)
    there = voice(home, "ada")
    assert reply(load(there.gguf, warm_up=False), HELLO, Sampling(max_tokens=1)).tokens == 1
    published = read_registry(home.profile("ada")).published
    assert published
    return {runs[ollama.manifests[name]["model"]] for name in NAMES} | {published.label, there.gguf.parent.name}


@pytest.mark.slow
def test_killed_at_any_point_one_of_both_models_is_reachable(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, promoter: Promoter
) -> None:
    old, new = make_run("2026-10-01"), make_run("2026-10-02")
    promote(home, "ada", old.label)
    registry = home.profile("ada").registry
    before = (dict(ollama.manifests), dict(ollama.blobs), registry.read_bytes())
    promoter.begin(new)
    code, points = promoter.end()
    assert code == 0
    assert points >= 12
    seen = set()
    for fatal in range(1, points + 1):
        ollama.manifests, ollama.blobs = dict(before[0]), dict(before[1])
        registry.write_bytes(before[2])
        promoter.begin(new, fatal)
        assert promoter.end()[0] == -signal.SIGKILL
        found = stands_for(home, ollama, old, new)
        assert found <= {old.label, new.label}
        seen.add(frozenset(found))
        clean_up(home.profile("ada"))
        assert not any("trial" in name for name in ollama.manifests)
        promote(home, "ada", new.label)
        assert stands_for(home, ollama, old, new) == {new.label}
        assert not list(registry.parent.glob(".registry*"))
    assert frozenset({old.label}) in seen
    assert frozenset({old.label, new.label}) in seen


@pytest.mark.slow
def test_killed_while_ollama_works_its_names_keep_their_model(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, promoter: Promoter
) -> None:
    old, new = make_run("2026-10-01"), make_run("2026-10-02")
    promote(home, "ada", old.label)
    ollama.requests.clear()
    ollama.fault = "slow"
    running = promoter.begin(new)
    while "POST /api/create" not in ollama.requests:
        time.sleep(0.01)
    os.kill(running, signal.SIGKILL)
    assert promoter.end()[0] == -signal.SIGKILL
    assert stands_for(home, ollama, old, new) == {old.label}
    ollama.fault = ""
    promote(home, "ada", new.label)
    assert stands_for(home, ollama, old, new) == {new.label}
