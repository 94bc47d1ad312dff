"""A chat template is a stranger's program: it ends in time, within memory, with a text of some size, or is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from idiolect.curation import Message
from idiolect.dataset import rendering
from idiolect.dataset.rendering import render
from idiolect.errors import BaseModelFault

HELLO = ([Message("user", "Hello.")], True)
FAULTS = {
    "says half of a character": "{{ '\\ud83d' }}",
    "divides by zero": "{{ 1 / 0 }}",
    "adds a number to a text": "{{ 'x' + 1 }}",
    "calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "includes a file": "{% include 'x' %}",
    "imports a file": "{% import 'x' as y %}",
    "slices by nothing": "{{ messages[::0] }}",
    "breaks out of nothing": "{% break %}",
    "is nested deeply": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "reaches for Python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "asks for a gigabyte": "{{ 'a' * 1000000000 }}",
    "asks for ten": "{{ 'a' | center(10000000000) }}",
    "doubles": "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "counts far": "{% for i in range(99999999) %}{% endfor %}",
    "says a lot": "{% for i in range(90000) %}{{ 'abcdefgh' }}{% endfor %}",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_a_template_does_wrong_is_said_as_its_fault(fault: str) -> None:
    (shown,) = render(FAULTS[fault], {}, [HELLO], typed=False)
    assert shown.fault
    assert not shown.text
    assert render("{{ messages[0].content }}", {}, [HELLO], typed=False)[0].text == "Hello."


def test_a_template_that_does_not_end_is_ended_and_the_next_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_SECONDS", 1.0)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    begun = time.monotonic()
    with pytest.raises(BaseModelFault, match="does not end within 1 seconds"):
        render(endless, {}, [HELLO], typed=False)
    assert time.monotonic() - begun < 10
    assert render("{{ messages[0].content }}", {}, [HELLO], typed=False)[0].text == "Hello."


def test_a_process_that_was_ended_from_outside_is_started_again() -> None:
    render("x", {}, [HELLO], typed=False)
    process = rendering._process()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert render("{{ messages[0].content }}", {}, [HELLO], typed=False)[0].text == "Hello."


def test_many_prompts_and_many_threads_get_each_their_own_text() -> None:
    def ask(number: int) -> list[str]:
        prompts = [([Message("user", f"{number} {n} " + "é" * n)], True) for n in range(500)]
        return [r.text for r in render("{{ messages[0].content }}", {}, prompts, typed=False)]

    with ThreadPoolExecutor(4) as threads:
        for number, texts in enumerate(threads.map(ask, range(8))):
            assert texts == [f"{number} {n} " + "é" * n for n in range(500)]
    assert threading.active_count() < 20


def test_the_process_ends_with_the_one_that_started_it() -> None:
    code = (
        "from idiolect.curation import Message; from idiolect.dataset import rendering\n"
        "rendering.render('x', {}, [([Message('user', 'y')], True)], typed=False)\n"
        "import os; print(rendering._process().pid, flush=True); os._exit(9)"
    )
    import sys

    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("it is still there")
