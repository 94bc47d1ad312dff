"""How long curation takes over merely reading and parsing every memory file once.

    python benchmarks/curation.py [--files 100000] [--diary DIARY.jsonl]

Writes event files (sentences of a diary of {"time", "text"} lines, or of the sample person, put together anew, so
that hardly two are alike), then, in one run: reads and parses each once with json.loads; curates them all; curates
them again after one in a hundred new files has come. Prints times, the ratios, and the most memory that was used.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from idiolect.config import CurationRules, Options
from idiolect.curation import prepare_all, settle
from idiolect.files import write_json, write_jsonl
from idiolect.home import Home, Profile
from idiolect.memories.sample_person import sample_events


def sentences(diary: Path | None) -> list[str]:
    if diary:
        texts = [json.loads(line)["text"] for line in diary.read_text(encoding="utf-8").splitlines()]
    else:
        texts = [str(e.get("response") or e.get("content") or "") for e in sample_events()]
    return [s.strip() + "." for text in texts for s in text.split(".") if len(s.split()) > 2]


def write_events(profile: Profile, pool: list[str], numbers: range) -> None:
    draw = random.Random(numbers.start)
    for number in numbers:
        text = " ".join(draw.choices(pool, k=draw.randrange(1, 4)))
        text = " ".join(draw.sample(text.split(), len(text.split())))
        day = f"{2000 + number % 20}/{1 + number % 12:02}/{1 + number % 28:02}"
        event = {"id": f"evt-{number:015}", "timestamp": f"{day.replace('/', '-')}T08:00:00Z", "type": "journal"}
        path = profile.memories / day / f"evt-{number:015}-event.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**event, "content": text, "tags": ["diary"], "importance": 0.5}, indent=2))


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


def curate(profile: Profile) -> int:
    prepared = prepare_all(profile, Options(), CurationRules())
    found = settle(prepared, Options(), CurationRules())
    write_json(profile.root / "curated_memories.json", found.samples)
    write_jsonl(profile.root / "ledger.jsonl", found.fates)
    return len(found.samples)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--files", type=int, default=100_000)
    asked.add_argument("--diary", type=Path)
    how = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        profile = Home(Path(folder)).profile("diarist")
        pool = sentences(how.diary)
        write_events(profile, pool, range(how.files))
        read_and_parse(profile)  # into the system's memory
        began = time.perf_counter()
        count = read_and_parse(profile)
        floor = time.perf_counter() - began
        began = time.perf_counter()
        samples = curate(profile)
        first = time.perf_counter() - began
        write_events(profile, pool, range(how.files, how.files + how.files // 100))
        began = time.perf_counter()
        curate(profile)
        second = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{count:,} files, {samples:,} samples, {os.cpu_count()} cores")
    print(f"read and parse       {floor:6.2f} s  {1e6 * floor / count:6.1f} µs a file")
    print(f"curate, first time   {first:6.2f} s  {first / floor:5.2f} x")
    print(f"curate, 1 % are new  {second:6.2f} s  {second / first:5.2f} x the first")
    print(f"most memory: {used / 1024:,.0f} MB in this process and the largest of its children")


if __name__ == "__main__":
    main()
