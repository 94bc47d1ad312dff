from __future__ import annotations

from idiolect.dataset import TrainingText, chat_template
from idiolect.evaluation import planted, probes
from tests.tiny import CHAT_TEMPLATE, SPECIAL

TEMPLATE = chat_template(CHAT_TEMPLATE, {}, tuple(SPECIAL))
TEXTS = [
    TrainingText(
        id=f"{n}",
        split="held_out" if n % 10 == 0 else "train",
        mode="dual",
        text=f"{n}? Yes.",
        learned=((3, 8),),
    )
    for n in range(100)
]


def test_asked_are_general_questions_and_some_of_what_is_learned_spread_over_all() -> None:
    asked = probes(TEXTS, TEMPLATE, seed=1, audit=False)
    assert len({p.id for p in asked}) == len(asked) == 24
    general = [p for p in asked if p.id.startswith("general/")]
    assert all(p.text[p.learned[0][0] : p.learned[0][1]].endswith("<|im_end|>") for p in general)
    seen = {p.id.removeprefix("seen/") for p in asked if p.id.startswith("seen/")}
    assert seen <= {t.id for t in TEXTS if t.split == "train"}
    assert max(map(int, seen)) > 80


def test_canaries_are_asked_for_only_where_they_were_planted() -> None:
    asked = probes(TEXTS, TEMPLATE, seed=1, audit=True)
    assert sum(p.id.startswith("canary/") for p in asked) == 96
    assert planted(TEMPLATE, 1) == planted(TEMPLATE, 1) != planted(TEMPLATE, 2)
