"""What a run on a rented GPU will take, foreseen before anything is rented."""

from __future__ import annotations

from idiolect.bases import BaseModel, dissect, read_stated
from idiolect.config import Options
from idiolect.errors import BaseModelFault, MachineFault
from idiolect.home import Profile
from idiolect.machines import Candidate
from idiolect.training import Computer, Forecast, Trains, forecasts
from idiolect.workflow.planning.workload import data_of

_GIB = 1 << 30


def foreseen(profile: Profile, options: Options, trains: Trains, base: BaseModel, gpu: Candidate) -> str:
    """Say what memory, time and money a run takes on a GPU. Raises MachineFault where its memory does not suffice."""
    forecast = _forecast(profile, options, trains, base, gpu)
    if forecast is None or forecast.rented_seconds is None:
        return "How long it takes is not known of this GPU or model."
    needs = f"{forecast.memory.peak / _GIB:.1f} of its {forecast.room / _GIB:.0f} GiB"
    if not forecast.fits:
        raise MachineFault(
            f"{gpu.gpu} is too small for this: it would take {needs}.",
            f"What would fit: {forecast.change or 'a smaller base model'}. See: idiolect plan",
        )
    hours = forecast.rented_seconds / 3600
    return f"Estimated: {needs}, {_duration(hours)}, {hours * gpu.price:.2f} $."


def _forecast(profile: Profile, options: Options, trains: Trains, base: BaseModel, gpu: Candidate) -> Forecast | None:
    """Return the forecast for a GPU by RunPod's name, which has the words of ours in it; None for one unknown."""
    try:
        anatomy = dissect(read_stated(base.name, base.folder).config, base.name)
    except BaseModelFault:
        return None
    made = forecasts(anatomy, options, trains, data_of(profile, base.folder), Computer(0, None))
    words = set(gpu.gpu.replace("-", " ").split())
    known = [f for f in made if words >= set(f.machine.split())]
    return max(known, key=lambda f: len(f.machine), default=None)


def _duration(hours: float) -> str:
    return f"{hours * 60:.0f} minutes" if hours < 2 else f"{hours:.1f} hours"
