"""What a machine that has trained a job bundle makes of the weights, where the bundle asks for it.

export.json              what is asked for
outputs/model.gguf       base and what was trained as one model file
outputs/merged/          the same in Transformers' form, if an adapter was trained and that is asked for
outputs/exported.json    what was asked for, written last
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from idiolect.errors import DataFault
from idiolect.files import write_json


class Order(msgspec.Struct, frozen=True):
    """What is to be made, and all that decides it besides the weights."""

    quantization: str
    name: str
    """What the model file calls itself."""
    chat_template: str
    merged: bool
    """Whether the model in Transformers' form is asked for, too."""
    imatrix: bool
    keys: dict[str, int | float] = {}
    """Further metadata of the model file."""


def write_order(bundle: Path, order: Order) -> None:
    write_json(bundle / "export.json", order)


def read_order(bundle: Path) -> Order:
    """Return what a bundle asks for. Raises DataFault for one that asks for nothing."""
    order = _read(bundle / "export.json")
    if order is None:
        raise DataFault(f"{bundle} does not say what is to be made of its weights.", "Make the bundle again.")
    return order


def write_done(bundle: Path, order: Order) -> None:
    """Say that all of an order is made."""
    write_json(bundle / "outputs" / "exported.json", order)


def made_gguf(bundle: Path, order: Order) -> Path | None:
    """Return the model file that was made elsewhere as it is asked for now, if there is one."""
    return _made(bundle, order, "model.gguf")


def made_model(bundle: Path, order: Order) -> Path | None:
    """Return the merged model that was made elsewhere as it is asked for now, if there is one."""
    return _made(bundle, order, "merged")


def _made(bundle: Path, order: Order, name: str) -> Path | None:
    made = bundle / "outputs" / name
    return made if _read(bundle / "outputs" / "exported.json") == order and made.exists() else None


def _read(path: Path) -> Order | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Order)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
