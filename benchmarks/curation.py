"""How long curation takes over merely reading and parsing every memory file once.

    python benchmarks/curation.py [--files 100000] [--rounds 3] [--diary DIARY.jsonl]

Writes event files (sentences of a diary of {"time", "text"} lines, or of the sample person, put together anew, so
that hardly two are alike; one in a hundred says nearly what another does), then, in one run: reads and parses each
once with json.loads; curates them all; curates them again after one in a hundred new files has come. Some rounds with
masking switched off in curation.json, and as it comes, in turn. Prints the medians of the times and of each round's
ratios, and the most memory that this process and its children had at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from idiolect.config import CurationRules, Options
from idiolect.curation import prepare_all, settle
from idiolect.files import write_json_records, write_jsonl
from idiolect.home import Home, Profile
from idiolect.memories.sample_person import sample_events


def sentences(diary: Path | None) -> list[str]:
    if diary:
        texts = [json.loads(line)["text"] for line in diary.read_text(encoding="utf-8").splitlines()]
    else:
        texts = [str(e.get("response") or e.get("content") or "") for e in sample_events()]
    return [s.strip() + "." for text in texts for s in text.split(".") if len(s.split()) > 2]


def write_events(profile: Profile, pool: list[str], numbers: range) -> list[Path]:
    draw = random.Random(numbers.start)
    written, words = [], ["Nothing."]
    for number in numbers:
        if number % 100:
            text = " ".join(draw.choices(pool, k=draw.randrange(1, 4)))
            words = draw.sample(text.split(), len(text.split()))
        else:
            words[draw.randrange(len(words))] = "nearly"
        day = f"{2000 + number % 20}/{1 + number % 12:02}/{1 + number % 28:02}"
        event = {"id": f"evt-{number:015}", "timestamp": f"{day.replace('/', '-')}T08:00:00Z", "type": "journal"}
        path = profile.memories / day / f"evt-{number:015}-event.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        more = {"content": " ".join(words), "tags": ["diary"], "importance": 0.5}
        path.write_text(json.dumps(event | more, indent=2))
        written.append(path)
    return written


def read_and_parse(profile: Profile) -> int:
    count = 0
    for path in _files(str(profile.memories)):
        with open(path, "rb") as file:  # noqa: PTH123 - the floor is the floor
            json.loads(file.read())
        count += 1
    return count


def _files(folder: str) -> Iterator[str]:
    for parent, _, files in os.walk(folder):
        yield from (os.path.join(parent, name) for name in files)  # noqa: PTH118


def curate(profile: Profile, rules: CurationRules) -> int:
    found = settle(prepare_all(profile, Options(), rules), Options(), rules)
    write_json_records(profile.root / "curated_memories.json", [d.sample for d in found.chosen])
    write_jsonl(profile.root / "ledger.jsonl", found.fates)
    return len(found.chosen)


def timed(work: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


class Memory(threading.Thread):
    """Looks ten times a second what this process and its children hold, and keeps the most (bytes; Linux only)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.start()

    def run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while True:
            pids = ["self", *Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
            statms = [_text(Path("/proc") / pid / "statm") for pid in pids]
            self.most = max(self.most, sum(page * int(s.split()[1]) for s in statms if s))
            time.sleep(0.1)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


@dataclass(frozen=True)
class Round:
    """Seconds that each part of a round took, and how many files and samples there were."""

    floor: float
    first: float
    second: float
    files: int
    samples: int


def measure(profile: Profile, pool: list[str], files: int, rules: CurationRules) -> Round:
    profile.prepared.unlink(missing_ok=True)
    before, count = timed(lambda: read_and_parse(profile))
    first, samples = timed(lambda: curate(profile, rules))
    after, _ = timed(lambda: read_and_parse(profile))
    new = write_events(profile, pool, range(files, files + files // 100))
    second, _ = timed(lambda: curate(profile, rules))
    for path in new:
        path.unlink()
    return Round((before + after) / 2, first, second, count, samples)


def show(named: str, rounds: list[Round]) -> None:
    def middle(figure: Callable[[Round], float]) -> float:
        return statistics.median(map(figure, rounds))

    floor = middle(lambda r: r.floor)
    print(f"{named}: {rounds[0].samples:,} samples")
    print(f"  read and parse       {floor:6.2f} s  {1e6 * floor / rounds[0].files:6.1f} µs a file")
    print(f"  curate, first time   {middle(lambda r: r.first):6.2f} s  {middle(lambda r: r.first / r.floor):5.2f} x")
    again = middle(lambda r: r.second / r.first)
    print(f"  curate, 1 % are new  {middle(lambda r: r.second):6.2f} s  {again:5.2f} x the first")


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--files", type=int, default=100_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--diary", type=Path)
    how = asked.parse_args()
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        profile = Home(Path(folder)).profile("diarist")
        pool = sentences(how.diary)
        write_events(profile, pool, range(how.files))
        read_and_parse(profile)  # into the system's memory
        print(f"{how.files:,} files, {os.cpu_count()} cores, medians of {how.rounds} rounds")
        ways = {"without masking": CurationRules(mask=()), "with masking": CurationRules()}
        rounds: dict[str, list[Round]] = {named: [] for named in ways}
        for _ in range(how.rounds):
            for named, rules in ways.items():
                rounds[named].append(measure(profile, pool, how.files, rules))
        for named, measured in rounds.items():
            show(named, measured)
    print(f"most memory: {memory.most / 1e6:,.0f} MB in this process and its children")


if __name__ == "__main__":
    main()
