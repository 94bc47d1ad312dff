"""A home folder in which nobody is yet: the studio says what to do."""

from __future__ import annotations

import pytest

from tests.studio.conftest import Picture, Tab

pytestmark = pytest.mark.slow


def test_an_empty_home_says_what_to_do(tab: Tab, picture: Picture) -> None:
    page = tab.open("/")
    page.get_by_text("Nobody is here yet").wait_for()
    picture(tab, "home-empty")
    tab.open("/?person=../../etc").get_by_text("Nobody is here yet").wait_for()
