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
        ("Version 1.2.3 of 2026-05-01, 12 + 30 = 42, sk-ating @ten", None),
    ],
)
def test_what_must_not_be_learned_is_replaced_by_its_kind(said: str, masked: str | None) -> None:
    text, found = mask(said)
    assert text == (masked or said)
    assert sum(found.values()) == text.count("[")
