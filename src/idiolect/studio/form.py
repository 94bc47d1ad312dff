"""A form drawn from declared options: each with its name, value, help, and the layer that its value comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from idiolect.config import Described
from idiolect.studio.pieces import explained

#: What a layer of settings is called beside an option.
_LAYERS = {"command line": "chosen here"}


class Form:
    """Shows options and keeps what was chosen; `chosen` holds that by name, ready to be flags of a cycle."""

    def __init__(self, options: Sequence[Described], values: Mapping[str, Any], changed: Callable[[], None]) -> None:
        self.chosen: dict[str, Any] = {}
        self._changed = changed
        self._layers: dict[str, ui.label] = {}
        with ui.element("div").classes("options"):
            for option in options:
                self._field(option, values.get(option.name, option.default))

    def show_layers(self, origins: Mapping[str, str]) -> None:
        """Show which layer of settings each value comes from."""
        for name, label in self._layers.items():
            layer = origins.get(name, "default")
            label.set_text(_LAYERS.get(layer, layer))
            label.props["title"] = label.text
            label.classes(
                remove="elsewhere" if layer == "default" else "", add="" if layer == "default" else "elsewhere"
            )

    def _field(self, option: Described, value: Any) -> None:
        with ui.element("div").classes("option"):
            with ui.element("div").classes("line between"):
                ui.label(option.name).classes("option-name")
                self._layers[option.name] = ui.label("default").classes("layer")
            self._input(option, value)
            explained(option.help)

    def _input(self, option: Described, value: Any) -> None:
        def take(event: Any) -> None:
            self._take(option, event.value)

        # Quotes would end the attribute; the names of options have none.
        named = f'aria-label="{option.name}"'
        field = f"outlined dense {named}"
        match option.kind:
            case "switch":
                ui.switch(value=bool(value), on_change=take).props(named)
            case "choice":
                choices = {choice: choice for choice in option.choices}
                if option.optional:
                    choices = {"": "not set", **choices}
                ui.select(choices, value=value or "", on_change=take).props(f"{field} options-dense")
            case "whole" | "number":
                step = 1 if option.kind == "whole" else None
                number = ui.number(value=value, step=step, on_change=take, placeholder="not set")
                number.props(f"{field} debounce=400 step=any" if step is None else f"{field} debounce=400")
            case _:
                shown = ", ".join(value) if option.kind == "list" else value
                ui.input(value=shown or "", on_change=take).props(f"{field} debounce=500")

    def _take(self, option: Described, value: Any) -> None:
        """Keep what was chosen, as the option's kind; nothing chosen is what the layers below say."""
        self.chosen.pop(option.name, None)
        if value not in (None, ""):
            self.chosen[option.name] = _of_kind(option, value)
        self._changed()


def _of_kind(option: Described, value: Any) -> Any:
    if option.kind == "whole" and float(value).is_integer():
        return int(value)
    if option.kind == "list":
        return tuple(part.strip() for part in str(value).split(",") if part.strip())
    return value == "true" if option.choices == ("true", "false") else value
