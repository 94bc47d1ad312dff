"""Flags drawn from the options: typed ones reach the command by name, and what is on can be turned off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer.testing import CliRunner

from idiolect.cli.flags import with_option_flags


def test_a_switch_can_be_turned_off_and_what_is_not_typed_is_not_given() -> None:
    heard: dict[str, Any] = {}

    def command(flags: Mapping[str, Any]) -> None:
        heard.update(flags)

    app = typer.Typer()
    app.command()(with_option_flags(command, trains="adapter"))
    done = CliRunner().invoke(app, ["--no-keep-model", "--imatrix", "--lora-rank", "4"])
    assert done.exit_code == 0, done.output
    assert {name: value for name, value in heard.items() if value is not None} == {
        "keep_model": False,
        "imatrix": True,
        "lora_rank": 4,
    }
