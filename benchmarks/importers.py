"""How long an import takes over merely parsing the same file with msgspec, and how much memory.

    python -m benchmarks.importers [--megabytes 100] [--rounds 3] [--source chatgpt]

For each JSON source writes an export of about so many megabytes (words of the sample person, put together anew) and,
in turns, several rounds in one run: reads its files and decodes them with msgspec into plain objects; reads and counts
its messages (what `--detect` does); imports it into a new profile, files, ledger and all. Prints the best round of
each by the clock, with the processor seconds of the reading and of the writing process, the ratios, and the most
memory that the importing processes used. Above `--whole` megabytes nothing is parsed whole, because that takes many
times its size.

ChatGPT's and Telegram's exports have all that real ones have, and are written piece by piece, as large as one likes.
The others are those of the tests, with the fields that are read and no more, so that parsing them alone takes less.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from idiolect.home import Home
from idiolect.memories.importers import Asked, Export, bring_in, survey
from idiolect.memories.sample_person import sample_events
from tests.memories.importers import exports
from tests.memories.importers.exports import Said, Write

WORDS = " ".join(f"{e.get('content', '')} {e.get('response', '')}" for e in sample_events()).split()


def text(draw: random.Random, words: int) -> str:
    start = draw.randrange(len(WORDS) - words)
    return f"{' '.join(WORDS[start : start + words])} {draw.randrange(10**9)}"


def chatgpt(draw: random.Random) -> Iterator[str]:
    yield "["
    for number in itertools.count():
        before = f"root-{number}"
        mapping: dict[str, Any] = {before: {"message": None, "parent": None, "children": []}}
        for turn in range(draw.choice((4, 6, 8, 12, 20))):
            name = f"{draw.getrandbits(128):032x}"
            mapping[name] = _node(draw, name, before, number * 5000 + turn * 60, mine=turn % 2 == 0)
            before = name
        conversation = {
            "title": text(draw, 4),
            "create_time": 1.6e9 + number * 5000,
            "mapping": mapping,
            "moderation_results": [],
            "current_node": before,
            "conversation_id": f"c-{number}",
            "is_archived": False,
            "safe_urls": [],
            "default_model_slug": "gpt-4o",
        }
        yield (", " if number else "") + json.dumps(conversation)


def _node(draw: random.Random, name: str, parent: str, seconds: int, *, mine: bool) -> dict[str, Any]:
    message = {
        "id": name,
        "author": {"role": "user" if mine else "assistant", "name": None, "metadata": {}},
        "create_time": 1.6e9 + seconds,
        "update_time": None,
        "content": {"content_type": "text", "parts": [text(draw, 20 if mine else 150)]},
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": {
            "request_id": name,
            "message_type": None,
            "model_slug": "gpt-4o",
            "citations": [],
            "parent_id": parent,
        },
        "recipient": "all",
        "channel": None,
    }
    return {"id": name, "message": message, "parent": parent, "children": []}


def telegram(draw: random.Random) -> Iterator[str]:
    yield '{"about": "", "personal_information": {"user_id": 1}, "chats": {"about": "", "list": [{"name": "Anna",'
    yield ' "type": "personal_chat", "id": 7, "messages": ['
    when = 1_600_000_000
    for number in itertools.count():
        when += draw.choice((20, 60, 300, 300, 3000, 30000))
        mine, said = draw.random() < 0.5, text(draw, draw.choice((3, 8, 12, 20, 30)))
        message = {
            "id": number,
            "type": "message",
            "date": "2024-03-05T13:02:03",
            "date_unixtime": str(when),
            "from": "Ada" if mine else "Anna",
            "from_id": "user1" if mine else "user2",
            "text": said,
            "text_entities": [{"type": "plain", "text": said}],
        }
        yield (",\n" if number else "\n") + json.dumps(message, indent=1)


#: Source: (name of the file, what is in it, what closes it).
STREAMED: dict[str, tuple[str, Callable[[random.Random], Iterator[str]], str]] = {
    "chatgpt": ("conversations.json", chatgpt, "]"),
    "telegram": ("result.json", telegram, "]}]}}"),
}
WRITTEN: dict[str, Write] = {
    "claude": exports.claude,
    "discord": exports.discord,
    "signal": exports.signal,
    "facebook": exports.facebook,
    "google-chat": exports.google_chat,
    "slack": exports.slack,
    "day-one": exports.day_one,
    "plain": exports.jsonl,
}
SOURCES = [*STREAMED, *WRITTEN]
ME = Asked(me=(exports.ADA, "ada@example.org"))
#: Messages by which the size of a source's message is measured.
A_FEW = 2000


def write(source: str, folder: Path, size: int) -> Path:
    if source in WRITTEN:
        few = WRITTEN[source](folder / "few", life(A_FEW))
        return WRITTEN[source](folder / "all", life(A_FEW * size // sum(f.stat().st_size for f in files_of(few))))
    name, pieces, end = STREAMED[source]
    path = folder / name
    with path.open("w", encoding="utf-8") as file:
        for piece in pieces(random.Random(7)):
            file.write(piece)
            if file.tell() > size:
                break
        file.write(end)
    return path


def life(messages: int) -> list[Said]:
    draw = random.Random(7)
    return [Said(n, n % 2 == 1, text(draw, draw.choice((3, 8, 12, 20, 30)))) for n in range(messages)]


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
    for file in files_of(path):
        whole = file.read_bytes()
        if file.suffix == ".jsonl":
            msgspec.json.Decoder().decode_lines(whole)
        else:
            msgspec.json.decode(whole)
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
