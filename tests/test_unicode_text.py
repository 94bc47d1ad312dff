from __future__ import annotations

import pytest

from idiolect.unicode_text import composed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("cafe\u0301", "café"),
        ("a\u030a \u212b", "å Å"),  # the sign of the ångström is the letter
        ("\u1112\u1161\u11ab", "한"),
        ("ﬁ ｆｕｌｌ ½", "ﬁ ｆｕｌｌ ½"),  # another spelling, not another composition
        ("", ""),
    ],
)
def test_the_same_letters_have_one_spelling(typed: str, kept: str) -> None:
    assert composed(typed) == kept
    assert composed(kept) == kept
