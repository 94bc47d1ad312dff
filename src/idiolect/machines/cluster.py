"""A job on a Ray cluster: handed to its Jobs API, trained by Ray Train where Ray places it, its files on a shared disk.

<folder>/jobs/<name>/    as on a computer behind ssh: see far_job.py
<folder>/bases/<digest>/ the base model, reused

What runs there is on_ray.py. Ray sees to workers that are lost.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from idiolect.arrivals import Arrival, Refused, announced, placed
from idiolect.errors import MachineFault, MissingPart, RunFailed
from idiolect.files import make_folder, remove, whole, write_text
from idiolect.machines import on_site
from idiolect.machines.described import RayCluster
from idiolect.machines.far_job import EVENTS_AT_ONCE, Heard, checkpoint_names
from idiolect.machines.resources import Resources, decoded
from idiolect.machines.ssh import Errand
from idiolect.machines.wheel import requirements, write_wheel
from idiolect.training import Event, Moved, Note, decode

_POLL_SECONDS = 1.0
_CHUNK = 4 << 20
#: How long a cluster that does not answer is asked again; the job there goes on all the same.
_SEEK_SECONDS = 600
_EXTRAS = ("train", "export")
_WIPES = 30
#: A cluster that grows with its work takes minutes to have a node; Ray Train by itself waits one.
_WORKERS_START_IN = 900
_ENVIRON = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(_WORKERS_START_IN),
}
_GO_ON = "The job goes on there; `idiolect runs resume` attaches to it again."


class _Job:
    """One job's folder on the shared disk, and what Ray calls it."""

    def __init__(self, cluster: RayCluster, errand: Errand) -> None:
        self.name = f"idiolect-{errand.name}"
        self.folder = Path(cluster.folder) / "jobs" / errand.name
        self.bundle = self.folder / "bundle"
        self.contents = self.folder / "contents"
        self.base = Path(cluster.folder) / "bases" / errand.base_digest

    @property
    def is_trained(self) -> bool:
        return (self.bundle / "outputs" / "result.json").exists()


def check_cluster(cluster: RayCluster, name: str) -> Resources:
    """Return what its disk has for the job of that name. MissingPart without Ray.

    Raises MachineFault unless the cluster answers and its disk is here.
    """
    _client(cluster)
    if not Path(cluster.folder).is_dir():
        raise MachineFault(
            f"{cluster.folder} is not here: the disk that is shared with {cluster.address}.",
            "Mount it, or name another folder in machines.toml.",
        )
    return decoded(on_site.has(Path(cluster.folder), name))


def train_on_ray(cluster: RayCluster, errand: Errand, report: Callable[[Event], None]) -> str:
    """Train a bundle there, or attach to it if it is there already; its outputs come back into the bundle.

    When this side is interrupted the job goes on there. Raises RunFailed if it fails; whatever came of it, nothing of
    the bundle stays there. Return a sentence about that.
    """
    client, job = _client(cluster), _Job(cluster, errand)
    _under_way(client, cluster, job, errand, report)
    heard = Heard(errand.bundle / "events.jsonl")
    ended = _followed(client, job, errand, report, heard)
    if ended == "ABSENT":
        raise RunFailed(
            f"{cluster.address} does not know the job any more.", "Hand it over again: idiolect runs resume"
        )
    trained = job.is_trained
    said = "" if ended == "SUCCEEDED" else _why(client, job)
    _bring(job, errand, report)
    deleted = _forgotten(client, job)
    report(Note(deleted))
    if said and trained:
        report(Note(f"The cluster trained, and could not merge ({said}): that is done here."))
    elif said:
        raise RunFailed(f"Training on {cluster.address} came to nothing: {said}", f"{deleted} Mend it and try again.")
    return deleted


def end_on_ray(cluster: RayCluster, errand: Errand) -> str:
    """Stop a job, fetch what it has come to, and wipe it there; say what became of the data set if there was one."""
    job = _Job(cluster, errand)
    if not job.folder.exists():
        return ""
    client = _client(cluster)
    _stop(client, job)
    _bring(job, errand, lambda _: None)
    return _forgotten(client, job)


def _under_way(client: Any, cluster: RayCluster, job: _Job, errand: Errand, report: Callable[[Event], None]) -> None:
    """See to it that the job runs there, or has ended: hand over what it needs, unless it was begun before."""
    state = _state(client, job)
    same = job.contents.exists() and job.contents.read_text(encoding="utf-8") == errand.contents
    if same and state in ("PENDING", "RUNNING", "SUCCEEDED"):
        report(Note(f"Attached to the job on {cluster.address}."))
        return
    _stop(client, job)
    if not same:
        _wipe(job)
    _put(errand.base, job.base, report, "base model")
    _put(errand.bundle, job.bundle, report, "job")
    write_text(job.contents, errand.contents)
    with _our_package() as package:
        environment: dict[str, Any] = {"working_dir": str(package), "env_vars": _ENVIRON}
        if cluster.install:
            environment["pip"] = [r for r in requirements(_EXTRAS) if not r.startswith("ray==")]
        client.submit_job(submission_id=job.name, entrypoint=_entry(cluster, job, errand), runtime_env=environment)


def _entry(cluster: RayCluster, job: _Job, errand: Errand) -> str:
    words = [cluster.python, "-m", "idiolect.machines.on_ray", job.bundle, "--base", job.base]
    words += ["--workers", cluster.workers, "--cpus", cluster.cpus, "--retries", cluster.retries]
    words += ["--gpu"] if cluster.gpu else []
    words += ["--merge"] if errand.merges else []
    return shlex.join(map(str, words))


def _followed(client: Any, job: _Job, errand: Errand, report: Callable[[Event], None], heard: Heard) -> str:
    """Report each event that was not heard yet, and mirror checkpoints, until the job has ended; return how."""
    lost_since = 0.0
    while True:
        try:
            state = _state(client, job)
            lost_since = 0.0
        except (OSError, RuntimeError) as error:
            state, lost_since = "UNKNOWN", lost_since or time.monotonic()
            if time.monotonic() - lost_since > _SEEK_SECONDS:
                raise RunFailed(f"The Ray cluster does not answer: {error}", _GO_ON) from error
        events = job.bundle / "events.jsonl"
        new = b""
        if events.is_file():
            with events.open("rb") as file:
                file.seek(heard.position)
                new = file.read(EVENTS_AT_ONCE)
            for event in decode(heard.lines(new)):
                report(event)
        if len(new) == EVENTS_AT_ONCE:
            continue
        if state in ("SUCCEEDED", "FAILED", "STOPPED", "ABSENT"):
            return state
        if errand.mirrored:
            _bring_checkpoints(job, errand)
        time.sleep(_POLL_SECONDS)


def _bring(job: _Job, errand: Errand, report: Callable[[Event], None]) -> None:
    """Have here the outputs of a job that has trained, or else its last checkpoint."""
    if job.is_trained:
        _take(job.bundle / "outputs", errand.bundle / "outputs", report, "results")
    else:
        _bring_checkpoints(job, errand)


def _bring_checkpoints(job: _Job, errand: Errand) -> None:
    here, held = errand.bundle / "checkpoints", job.folder / "held"
    names = checkpoint_names(on_site.snapshot(job.bundle / "checkpoints", held), "The cluster")
    for name in (n for n in names if not (here / n).exists()):
        _take(held / name, here / name, lambda _: None, "checkpoint")
    for old in (c for c in here.glob("checkpoint-*") if names and c.name not in names):
        remove(old)


def _put(source: Path, target: Path, report: Callable[[Event], None], what: str) -> None:
    """Copy a folder to where it is not yet; it has its name when all of it is there, byte for byte."""
    if target.exists():
        return
    make_folder(target.parent)
    total = sum(f.stat().st_size for f in source.rglob("*") if f.is_file())
    with whole(target) as partial:
        shutil.copytree(source, partial, ignore=shutil.ignore_patterns("*.partial"))
        if on_site.listing(partial) != on_site.listing(source):
            raise RunFailed(f"{target} is not what {source} is.", "Try again; what is done is kept.")
    report(Moved(f"{what}, over the shared disk", total, total))


def _take(source: Path, target: Path, report: Callable[[Event], None], what: str) -> None:
    """Copy a folder that others can write to; nothing of it leads elsewhere. Raises RunFailed if something would."""
    if target.exists():
        return
    try:
        files = announced(on_site.listing(source))
        with whole(target) as partial:
            partial.mkdir()
            for file in files:
                with placed(source, file.name).open("rb") as there, Arrival(partial, file) as arriving:
                    while part := there.read(_CHUNK):
                        arriving.write(part)
    except Refused as error:
        raise RunFailed(f"What lies on the shared disk is not taken: {error}.", f"See to {source}.") from error
    total = sum(file.size for file in files)
    report(Moved(f"{what}, over the shared disk", total, total))


def _state(client: Any, job: _Job) -> str:
    """Return PENDING, RUNNING, SUCCEEDED, FAILED, STOPPED as Ray says, or ABSENT."""
    try:
        return str(client.get_job_status(job.name).value)
    except RuntimeError as error:
        if "does not exist" in str(error):
            return "ABSENT"
        raise


def _stop(client: Any, job: _Job) -> None:
    """Let no job of that name be there."""
    state = _state(client, job)
    if state in ("PENDING", "RUNNING"):
        client.stop_job(job.name)
        while state in ("PENDING", "RUNNING"):
            time.sleep(_POLL_SECONDS)
            state = _state(client, job)
    if state != "ABSENT":
        client.delete_job(job.name)


def _forgotten(client: Any, job: _Job) -> str:
    """Let nothing of a job be there; say what became of the data set."""
    _stop(client, job)
    _wipe(job)
    return f"The data set {'COULD NOT BE DELETED from' if job.folder.exists() else 'is deleted from'} its disk."


def _wipe(job: _Job) -> None:
    """Overwrite and remove a job's folder; workers that were stopped may write there for a moment yet."""
    for _ in range(_WIPES):
        if not job.folder.exists() or on_site.wipe(job.folder):
            return
        time.sleep(_POLL_SECONDS)


def _why(client: Any, job: _Job) -> str:
    """Return the last that a job which failed said."""
    said = [line for line in str(client.get_job_logs(job.name)).splitlines() if line.strip()]
    return said[-1] if said else str(client.get_job_info(job.name).message)


@contextmanager
def _our_package() -> Iterator[Path]:
    """Yield a folder with our package as it is installed here."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "package")
        zipfile.ZipFile(write_wheel(Path(made))).extractall(folder)
        yield folder


def _client(cluster: RayCluster) -> Any:
    """Return a client of the cluster's Jobs API. Raises MissingPart without Ray, and MachineFault if none answers."""
    try:
        from ray.job_submission import JobSubmissionClient
    except ModuleNotFoundError as missing:
        raise MissingPart("A Ray cluster is reached by Ray.", "Install it: pip install 'idiolect[ray]'") from missing
    try:
        return JobSubmissionClient(cluster.address)
    except (OSError, RuntimeError) as error:
        raise MachineFault(
            f"No Ray cluster answers at {cluster.address}: {error}", "Start it, or mend its address in machines.toml."
        ) from error
