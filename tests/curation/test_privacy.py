from __future__ import annotations

import pytest

from idiolect.curation.privacy import mask


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("Write to ada.l+x@mail.example.org.", "Write to [email]."),
        ("Ring +47 10 47 22 63 or +1 (650) 253-0000 now", "Ring [phone] or [phone] now"),
        ("key sk-" + "a1B2" * 10 + " ends", "key [key] ends"),
        ("token ghp_" + "x" * 36, "token [key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[key]"),
        ("at 192.168.1.20:8080", "at [ip]:8080"),
        # Numbers that the standards themselves give as examples; the last digit of the others is wrong.
        ("card 4111 1111 1111 1111 or 5500-0000-0000-0004", "card [card] or [card]"),
        ("no card 4111 1111 1111 1112, no 1234567890123", None),
        ("to GB82 WEST 1234 5698 7654 32, or DE89370400440532013000.", "to [iban], or [iban]."),
        ("not to GB82 WEST 1234 5698 7654 33", None),
        ("Version 1.2.3 of 2026-05-01, 12 + 30 = 42, sk-ating @ten", None),
    ],
)
def test_what_must_not_be_learned_is_replaced_by_its_kind(said: str, masked: str | None) -> None:
    found: dict[str, int] = {}
    text = mask(said, found)
    assert text == (masked or said)
    assert sum(found.values()) == text.count("[")
