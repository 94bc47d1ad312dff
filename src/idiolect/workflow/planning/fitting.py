"""Whether a training fits the machine that it was asked for on: memory, its own or its GPUs', and disk."""

from __future__ import annotations

from dataclasses import dataclass

from idiolect.bases import BaseModel, dissect, read_stated, reading_a_model
from idiolect.config import Options
from idiolect.errors import BaseModelFault, MachineFault
from idiolect.home import Profile, Run
from idiolect.machines import Resources, RunPodWishes
from idiolect.training import Computer, forecast_gpus, forecasts
from idiolect.workflow.planning import room
from idiolect.workflow.planning.workload import data_of

_GIB = 1 << 30
_GB = 1_000_000_000


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what, and whether it is merged where it trains."""

    profile: Profile
    run: Run
    options: Options
    base: BaseModel
    merges: bool = False

    @property
    def written(self) -> int:
        """How many bytes it writes where it trains, the base model apart."""
        return room.of_job(self.base.folder, self.run, self.options, merges=self.merges)


def check_memory(job: Job, where: str, has: Resources) -> None:
    """Raise MachineFault where a machine's GPUs, or without one its memory, do not suffice for a job."""
    if has.begun or 0 in has.gpus:
        return
    try:
        with reading_a_model(job.base.name):
            anatomy = dissect(read_stated(job.base.name, job.base.folder).config, job.base.name)
    except BaseModelFault:  # one that is not known well enough to tell
        return
    asked = (anatomy, job.options, job.run.cycle.trains, data_of(job.profile, job.base.folder))
    forecast = forecast_gpus(*asked, has.gpus) if has.gpus else forecasts(*asked, Computer(has.memory, None))[0]
    if not forecast.fits:
        whose = "each of its GPUs" if len(has.gpus) > 1 else "its GPU" if has.gpus else "it"
        raise MachineFault(
            f"{where} is too small for this: it would take {forecast.memory.peak / _GIB:.1f} GiB of memory, "
            f"and {whose} has {forecast.room / _GIB:.1f}.",
            f"What would fit: {forecast.change or 'a smaller base model'}. See: idiolect plan",
        )


def check_disk(job: Job, where: str, has: Resources) -> None:
    """Raise NoRoom where the disk of another computer, or one that is shared with it, does not suffice for a job."""
    if has.begun:
        return
    weights = room.weights_of(job.base.folder)
    wanted = job.written + (0 if weights in has.bases else weights)
    room.check_free(where, has.free, wanted, "Free some room there, or name another folder in machines.toml.")


def check_rented_disk(job: Job, wishes: RunPodWishes) -> None:
    """Raise NoRoom where the disk that is to be rented is too small for a job."""
    wanted = job.written + room.weights_of(job.base.folder)
    remedy = f"Write disk_gb = {-(-wanted // _GB)} below [runpod] in machines.toml."
    room.check_free("A pod of RunPod", wishes.disk_gb * _GB, wanted, remedy)
