from __future__ import annotations

import pytest

from idiolect.errors import DataFault
from idiolect.unbroken import LONGEST, check_breaks


@pytest.mark.parametrize(
    "kind", ["a", "北", "é", "-", "🐝", " ", "\n", "7", "a\u0301", "aÅ", "!\u0301", "\u200d", "\x00"]
)
def test_characters_of_one_kind_in_a_row_have_an_end(kind: str) -> None:
    check_breaks(kind * (LONGEST // len(kind)))
    with pytest.raises(DataFault, match="in a row without a break"):
        check_breaks(f"Before. {kind * (LONGEST + 1)} after.")


@pytest.mark.parametrize(
    "text", ["A sentence, as people write them. " * 10_000, "段落、句子。" * 10_000, "a1" * 10_000, ""]
)
def test_a_text_of_any_length_with_breaks_in_it_passes(text: str) -> None:
    check_breaks(text)
