"""What is done on the other computer itself, with its Python alone: this file's text is what is run there.

python - wipe FOLDER                  overwrite and remove; prints whether it is still there
python - snapshot CHECKPOINTS TARGET  hold on to what training can go on from; prints the names, the newest last
python - list FOLDER                  prints size, SHA-256 and path of each file, separated by tabs
python - sha256 FILE [COUNT]          prints the digest of a file, or of its first so many bytes
python - has FOLDER JOB               prints as JSON what this computer has for a job of ours, all in bytes
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_PRIVATE = (".jsonl", ".json", "log")
#: Between two looks a training may have put another checkpoint in the place of one; so often is looked again.
_LOOKS = 50


def wipe(folder: Path) -> bool:
    """Overwrite what is private before it is removed, which is all one can do; return whether the folder is gone."""
    # A link may lead to what is not ours to overwrite.
    for file in (f for f in folder.rglob("*") if f.name.endswith(_PRIVATE) and f.is_file() and not f.is_symlink()):
        with suppress(FileNotFoundError), file.open("r+b") as opened:
            opened.write(bytes(file.stat().st_size))
            os.fsync(opened.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def snapshot(checkpoints: Path, target: Path) -> list[str]:
    """Link the newest whole checkpoint, and the best one that it goes back to, into `target`; return their names.

    Training removes a checkpoint by renaming it first: one that still has its name when all of it is linked was whole.
    """
    for _ in range(_LOOKS):
        names = _wanted(checkpoints)
        if _same(checkpoints, target, names):
            return names
        shutil.rmtree(target, ignore_errors=True)
        try:
            for name in names:
                shutil.copytree(checkpoints / name, target / name, copy_function=_link)
        except (shutil.Error, FileNotFoundError):
            continue
        if all((checkpoints / name).is_dir() for name in names):
            return names
    return []


def listing(folder: Path) -> list[str]:
    """Return a line for each file that is whole: what is half-written has .partial at the end of its name."""
    names = sorted(f.relative_to(folder) for f in folder.rglob("*") if f.is_file())
    whole_ones = [(name, folder / name) for name in names if not any(p.endswith(".partial") for p in name.parts)]
    return [f"{f.stat().st_size}\t{sha256(f)}\t{name}" for name, f in whole_ones]


def sha256(path: Path, count: int = 1 << 62) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while count and (part := file.read(min(count, 1 << 20))):
            digest.update(part)
            count -= len(part)
    return digest.hexdigest()


def has(folder: Path, job: str) -> str:
    """Say what is free on the folder's disk, of the computer's memory and of each GPU's, and what is there already."""
    bases = [d for d in folder.glob("bases/*") if d.is_dir()]
    found = {
        "free": shutil.disk_usage(folder).free,
        "memory": memory(),
        "gpus": list(gpus().values()) or unknown_gpu(),
        "bases": [sum(f.stat().st_size for f in base.glob("*.safetensors")) for base in bases],
        "begun": (folder / "jobs" / job).exists(),
    }
    return json.dumps(found)


def memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def gpus() -> dict[str, int]:
    """Return the memory of each GPU that nvidia-smi knows, by UUID; none where there is no driver, or it fails."""
    if not (asking := shutil.which("nvidia-smi")):
        return {}
    command = [asking, "--query-gpu=uuid,memory.total", "--format=csv,noheader,nounits"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = listed.stdout.splitlines() if listed.returncode == 0 else []
    rows = [[cell.strip() for cell in line.partition(",")[::2]] for line in lines]
    # Where GPU and computer share their memory, that is "[N/A]".
    return {uuid: int(mebibytes) << 20 if mebibytes.isdecimal() else 0 for uuid, mebibytes in rows}


def unknown_gpu() -> list[int]:
    """Return a GPU of which no memory is known where AMD's driver has one: ROCm's device (https://rocm.docs.amd.com)."""
    return [0] if Path("/dev/kfd").exists() else []


def _wanted(checkpoints: Path) -> list[str]:
    """Return the names of the best checkpoint and of the newest, which are often the same one."""
    for checkpoint in sorted(checkpoints.glob("checkpoint-*"), key=_step, reverse=True):
        try:
            best = json.loads((checkpoint / "trainer_state.json").read_bytes())["best_model_checkpoint"]
        except (OSError, ValueError):
            continue
        return list(dict.fromkeys([*([Path(best).name] if best else []), checkpoint.name]))
    return []


def _same(checkpoints: Path, target: Path, names: list[str]) -> bool:
    """Whether the checkpoints that are wanted are those that were linked before."""
    states = [[_stamp(folder / name / "trainer_state.json") for name in names] for folder in (checkpoints, target)]
    return states[0] == states[1] and None not in states[0]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a disk that knows no links
        shutil.copy2(source, target)


def main(verb: str, *given: str) -> None:
    match verb, given:
        case "wipe", [folder]:
            lines = [str(not wipe(Path(folder)))]
        case "snapshot", [checkpoints, target]:
            lines = snapshot(Path(checkpoints), Path(target))
        case "list", [folder]:
            lines = listing(Path(folder))
        case "sha256", [path, *count]:
            lines = [sha256(Path(path), *map(int, count))]
        case "has", [folder, job]:
            lines = [has(Path(folder), job)]
        case _:
            sys.exit(f"unknown: {verb}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
