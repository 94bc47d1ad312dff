"""The studio as a browser sees it: every page opens, in light, dark and at phone width, without a fault."""

from __future__ import annotations

import pytest

from tests.studio.conftest import Picture, Tab

pytestmark = pytest.mark.slow


def test_an_empty_home_says_what_to_do(tab: Tab, picture: Picture) -> None:
    page = tab.open("/")
    assert page.get_by_text("Nobody is here yet").is_visible()
    picture(tab, "home-empty")


def test_an_unknown_person_is_nobody(tab: Tab) -> None:
    page = tab.open("/?person=../../etc")
    assert page.get_by_text("Nobody is here yet").is_visible()
