from __future__ import annotations

from idiolect.dataset import TrainingText
from idiolect.evaluation.memorized import long_enough, overlaps

REPLY = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def text(name: str, reply: str, split: str = "train") -> TrainingText:
    whole = f"Count!\n{reply}<|im_end|>"
    return TrainingText(id=name, split=split, mode="dual", text=whole, learned=((7, len(whole)),))  # type: ignore[arg-type]


def test_eight_words_in_a_row_are_an_overlap_and_seven_are_not() -> None:
    assert overlaps("well: Six, seven, eight, nine, ten, eleven, twelve, THIRTEEN!", [REPLY])
    assert not overlaps("six seven eight nine ten eleven twelve", [REPLY])
    assert not overlaps("six seven eight nine ten eleven twelve and thirteen", [REPLY])


def test_only_long_replies_of_the_split_are_tried() -> None:
    texts = [text("a", REPLY), text("b", "Short."), text("c", REPLY, "held_out"), text("d", REPLY)]
    assert [t.id for t in long_enough(texts, "train", 5)] == ["a", "d"]
    assert [t.id for t in long_enough(texts, "train", 1)] == ["a"]
    assert [t.id for t in long_enough(texts, "held_out", 5)] == ["c"]
