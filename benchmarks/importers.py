"""How long an import takes over merely parsing the same file with msgspec, and how much memory.

    python -m benchmarks.importers [--megabytes 100] [--rounds 3] [--source chatgpt]

For each JSON source writes an export of about so many megabytes with all that real ones have (`exports.py`) and, in
turns, several rounds in one run: reads its files and decodes them with msgspec into plain objects; reads and counts
its messages (what `--detect` does); imports it into a new profile, files, ledger and all. Prints the best round of
each by the clock, with the processor seconds of the reading and of the writing process, the ratios, and the most
memory that the importing processes used. Above `--whole` megabytes nothing is parsed whole, because that takes many
times its size.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.exports import ADA, SOURCES, write
from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, bring_in, survey

ME = Asked(me=(ADA, "ada@example.org"))


def files_of(path: Path) -> list[Path]:
    return sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]


class Took(NamedTuple):
    """Seconds by the clock, and of processor in this process and in its children."""

    wall: float
    here: float
    beside: float


def timed(work: Callable[[], int]) -> tuple[Took, int]:
    gc.collect()
    began, here, beside = time.perf_counter(), time.process_time(), _of_children()
    count = work()
    return Took(time.perf_counter() - began, time.process_time() - here, _of_children() - beside), count


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parse(path: Path) -> int:
    """Parse all files, each whole; with the collector off, which would look through what is parsed again and again."""
    gc.disable()
    for file in files_of(path):
        whole = file.read_bytes()
        if file.suffix == ".jsonl":
            msgspec.json.Decoder().decode_lines(whole)
        else:
            msgspec.json.decode(whole)
    gc.enable()
    return 0


def read(source: str, path: Path) -> int:
    with Export(path) as export:
        return survey(source, export, ME).messages


def bring(source: str, path: Path, home: Path) -> int:
    with Export(path) as export:
        done = bring_in(source, export, Home(home).profile("ada"), ME, pause=6 * 3600)
    assert done.own + done.context + sum(done.rules.values()) == done.survey.messages  # noqa: S101
    return done.survey.messages


def memory(source: str, path: Path, folder: Path) -> float:
    """Return the most megabytes that each process of an import used, added up (VmHWM: of this program alone)."""
    program = (
        "import sys; from pathlib import Path; from benchmarks.importers import bring\n"
        "if __name__ == '__main__':\n"
        "    bring(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    most: dict[int, int] = {}
    with subprocess.Popen([sys.executable, "-c", program, source, str(path), str(folder)]) as importing:
        while importing.poll() is None:
            for process in (importing.pid, *_children(importing.pid)):
                most[process] = max(most.get(process, 0), _high_water(process))
            time.sleep(0.05)
    return sum(most.values()) / 1024


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _high_water(process: int) -> int:
    """Return the most kilobytes that a process has held; 0 for one that has ended, or is not running Python."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found and "python" in status.partition("\n")[0] else 0


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--megabytes", type=int, default=100)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--whole", type=int, default=500)
    asked.add_argument("--source", choices=SOURCES, action="append")
    asked.add_argument("--folder", type=Path, help="where memories are written (default: where temporary files are)")
    how = asked.parse_args()
    print(f"{os.cpu_count()} cores, best of {how.rounds} rounds")
    for source in how.source or SOURCES:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir=how.folder) as homes:
            path = write(source, Path(folder), how.megabytes * 1_000_000)
            report(source, path, Path(homes), how.rounds, whole=how.megabytes <= how.whole)


def report(source: str, path: Path, homes: Path, rounds: int, *, whole: bool) -> None:
    took: dict[str, list[Took]] = {"parse only": [], "read and count": [], "import": []}
    messages = 0
    for number in range(rounds):
        home = homes / str(number)
        if whole:
            took["parse only"].append(timed(lambda: parse(path))[0])
        took["read and count"].append(timed(lambda: read(source, path))[0])
        one, messages = timed(lambda home=home: bring(source, path, home))  # type: ignore[misc]
        took["import"].append(one)
        shutil.rmtree(home)
    print(f"{source}: {messages:,} messages, {sum(f.stat().st_size for f in files_of(path)) / 1e6:,.0f} MB")
    floor = min(took["parse only"], default=None)
    for what, times in took.items():
        if times:
            best = min(times)
            ratio = f"{best.wall / floor.wall:5.2f} x" if floor else ""
            rate = f"{messages / best.wall:9,.0f} messages/s"
            print(f"  {what:<14} {best.wall:7.2f} s {rate} {ratio}  processor {best.here:.2f} + {best.beside:.2f} s")
    print(f"  most memory: {memory(source, path, homes / 'memory'):,.0f} MB")


if __name__ == "__main__":
    main()
