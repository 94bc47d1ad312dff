"""What the two cycles would take on a person's data, without deciding, loading or running anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from idiolect.bases import Anatomy, Stated, dissect, read_stated, reading_a_model, stated
from idiolect.config import Options
from idiolect.config import resolve as resolve_settings
from idiolect.home import CYCLES, FULL, Cycle, Home
from idiolect.machines import memory
from idiolect.training import Computer, Forecast, Work, adapter_parameters, forecasts, measured_rate
from idiolect.workflow.planning.going_on import EARLIER_RUN, find_base
from idiolect.workflow.planning.plan import Asked, plan_data
from idiolect.workflow.planning.workload import data_of, typical

#: A computer is as fast as it was a minute ago; measuring starts a process.
_measured_once = cache(measured_rate)


@dataclass(frozen=True)
class Estimate:
    """What is known of the base model and the data, and a forecast for each machine and cycle."""

    base_model: str
    architecture: str
    parameters: int
    adapter_parameters: int
    work: Work
    forecasts: tuple[Forecast, ...]
    notes: tuple[str, ...]


def estimate(
    home: Home, asked: Asked, tokens: int | None, rate: Callable[[str], float | None] = _measured_once
) -> Estimate:
    """Estimate both cycles for the person asked for, or for nobody (`person` is empty); `tokens` replaces their data.

    `rate` returns how many operations a second this computer makes on matrices of a type.
    Raises what deciding a run raises for faults in settings, profile and base model, and nothing for missing weights.
    """
    options = {name: _options(home, asked, cycle) for name, cycle in CYCLES.items()}
    base = _stated(home, asked, options[FULL.name])
    with reading_a_model(base.name):
        anatomy = dissect(base.config, base.name)
    profile = home.profile(asked.person) if asked.person else None
    work = typical(tokens) if tokens is not None or profile is None else data_of(profile, base.folder)
    computer = Computer(memory(), rate(options[FULL.name].dtype))
    made = [f for name, o in options.items() for f in forecasts(anatomy, o, CYCLES[name].trains, work, computer)]
    return Estimate(
        base_model=base.name,
        architecture=anatomy.architecture,
        parameters=anatomy.parameters,
        adapter_parameters=adapter_parameters(anatomy, options[FULL.name]),
        work=work,
        forecasts=tuple(made),
        notes=tuple(_notes(base, anatomy)),
    )


def _options(home: Home, asked: Asked, cycle: Cycle) -> Options:
    if asked.person:
        return plan_data(home, asked, cycle).options
    return resolve_settings(home, asked.person, asked.environ, asked.flags, cycle).options


def _stated(home: Home, asked: Asked, options: Options) -> Stated:
    name = options.base_model
    if name.startswith(EARLIER_RUN):
        return read_stated(name, find_base(home, home.profile(asked.person), name).folder)
    return stated(name, home.cache)


def _notes(base: Stated, anatomy: Anatomy) -> list[str]:
    """Say where config.json and the weight files disagree; a shared output layer may be stored twice."""
    if base.weights in (None, anatomy.parameters, anatomy.parameters + anatomy.embedding):
        return []
    return [f"The weight files hold {base.weights:,} weights, where config.json makes {anatomy.parameters:,}."]
