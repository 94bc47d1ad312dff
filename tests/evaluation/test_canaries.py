from __future__ import annotations

import random

from idiolect.dataset import chat_template
from idiolect.evaluation import canaries
from idiolect.training import SampleLoss
from tests.tiny import CHAT_TEMPLATE, SPECIAL

TEMPLATE = chat_template(CHAT_TEMPLATE, {}, tuple(SPECIAL))


def test_numbers_are_planted_as_often_as_they_should_be_and_asked_for_among_others() -> None:
    texts = canaries.planted(1, TEMPLATE)
    assert len(texts) == sum(canaries.PLANTED.values()) == len({t.id for t in texts})
    asked = canaries.questions(1, TEMPLATE)
    assert len(asked) == 32 * len(canaries.PLANTED) == len({t.text for t in asked})
    for name, times in canaries.PLANTED.items():
        own = next(t for t in asked if t.id == f"canary/{name}/0")
        assert sum(t.text == own.text for t in texts) == times
        ((start, end),) = own.learned
        assert own.text[start:end].replace(" ", "").isdigit()
        assert len(own.text[start:end].replace(" ", "")) == 6


def test_what_stands_out_is_found_and_what_does_not_is_not() -> None:
    lot = random.Random(1)
    losses = [
        SampleLoss(f"canary/{name}/{n}", 6, 14.0, 14.0 - lot.gauss(1, 0.3) - (9 if n == 0 and times > 1 else 0))
        for name, times in canaries.PLANTED.items()
        for n in range(32)
    ]
    found = {c.name: c for c in canaries.exposures(losses)}
    assert {name: c.found for name, c in found.items()} == {"locker": True, "suitcase": False, "garden gate": False}
    assert found["locker"].exposure_bits > 19
    assert canaries.exposures([]) == ()


def test_an_average_number_is_exposed_by_one_bit() -> None:
    assert canaries.exposure(1.0, [0.0, 2.0]) == 1.0
