from __future__ import annotations

import re

from idiolect.training import Event, HeldOut, Note, Started, Stepped, loss_picture


def step(number: int, loss: float) -> Stepped:
    return Stepped(
        step=number, steps=4, epoch=number / 4, loss=loss, learning_rate=1.0, tokens_per_second=1.0, seconds_left=0
    )


def lines(svg: str) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for points, kind in re.findall(r'<polyline points="(.*?)" class="(\w+)"/>', svg):
        pairs = [p.split(",") for p in points.split()]
        found[kind] = [(float(x), float(y)) for x, y in pairs]
    return found


def test_a_falling_loss_falls_and_steps_made_twice_are_drawn_once() -> None:
    told: list[Event] = [
        Started(samples=4, held_out=1, steps=4, learned_tokens=9, trained_parameters=1),
        HeldOut(epoch=0, loss=5.0),
        *(step(n, 5.0 - n) for n in (1, 2, 3)),
        Note("Going on from checkpoint-2."),
        HeldOut(epoch=0, loss=5.0),
        *(step(n, 5.0 - n) for n in (3, 4)),
        HeldOut(epoch=1, loss=2.0),
    ]
    svg = loss_picture(told)
    drawn = lines(svg)
    assert len(drawn["step"]) == 4
    assert [y for _, y in drawn["step"]] == sorted(y for _, y in drawn["step"])
    (x0, y0), (x1, y1) = drawn["held"]
    assert x0 < x1
    assert y0 < y1
    assert ">2.000<" in svg
    assert all(0 <= x <= 720 and 0 <= y <= 400 for points in drawn.values() for x, y in points)


def test_nothing_makes_a_picture_too() -> None:
    assert "nothing was trained" in loss_picture([])
