"""The .env of a MetaHuman OS checkout: what it sets for us, where the environment does not.

Only names that mean something here are taken; the rest, other programs' secrets among them, is never looked at again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from idiolect.config.options import Options, typed
from idiolect.errors import OptionFault
from idiolect.home import Home

PREFIXES = ("METAHUMAN_", "IDIOLECT_")

#: What is taken beside options.
_OTHERS = (
    "METAHUMAN_DUAL_MODE",
    "RUNPOD_API_KEY",
    "RUNPOD_GPU_TYPE",
    "RUNPOD_GPU_TYPE_FULL",
    "RUNPOD_TEMPLATE_ID",
)


def option_names() -> tuple[str, ...]:
    """Return the environment variables that are options of ours."""
    names = [typed(field).env for field in Options.model_fields.values()]
    return tuple(prefix + name for prefix in PREFIXES for name in names if name)


def stated_in_dotenv(home: Home) -> dict[str, str]:
    """Return what a home's .env sets for us; what stands there to be filled in (YOUR_…_HERE) counts as nothing.

    Raises OptionFault, which names the file and none of its values, if it cannot be read.
    """
    values = _values(home.dotenv)
    known = (*option_names(), *_OTHERS)
    return {name: value for name in known if (value := (values.get(name) or "").strip()) and not _to_fill_in(value)}


def environment(home: Home, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment, over what a home's .env sets for us."""
    return stated_in_dotenv(home) | {k: v for k, v in (os.environ if environ is None else environ).items() if v}


def _values(path: Path) -> Mapping[str, str | None]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # only where there is such a file

    try:
        # Not interpolated: what else stands in the environment is not for a file to gather.
        return dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise OptionFault(f"{path} cannot be read: {reason}.", "Mend it, or move it away.") from None


def _to_fill_in(value: str) -> bool:
    return value.startswith("YOUR_") and value.endswith("_HERE")
