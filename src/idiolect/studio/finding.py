"""The studio that runs for a home: found again by whoever owns it, its link in no process's arguments.

state/studio/lock        held by the studio that runs
state/studio/address     where it answers
state/studio/token       a token that opens it once, for whoever can write here
state/studio/open.html   leads a browser there: the file's path may be read by all, the file by its owner alone
"""

from __future__ import annotations

import fcntl
import hmac
import html
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idiolect.files import make_folder, remove, write_text
from idiolect.home import Home

_PAGE = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={link}"><title>Idiolect</title>'


@contextmanager
def found_again(home: Home, host: str) -> Iterator[None]:
    """Let others of this person find the studio that answers at `host`, if it is the first of this home."""
    folder = _private(home)
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield
            return
        write_text(folder / "address", host)
        try:
            yield
        finally:
            for name in ("address", "token", "open.html"):
                remove(folder / name)


def fresh_link(home: Home) -> str | None:
    """Return a link that opens the studio which runs for this home; None if none does."""
    folder = home.studio
    if not (folder / "address").exists():
        return None
    with (folder / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            token = secrets.token_urlsafe(32)
            write_text(folder / "token", token)
            return f"http://{(folder / 'address').read_text(encoding='utf-8')}/?token={token}"
    return None


def takes(home: Home, token: str) -> bool:
    """Whether a token is the one that was put here last; it is used up by that."""
    file = home.studio / "token"
    try:
        right = hmac.compare_digest(file.read_bytes(), token.encode())
    except OSError:
        return False
    if right:
        remove(file)
    return right


def leads_to(home: Home, link: str) -> Path:
    """Write a page that leads a browser to a link, and return where it is."""
    page = _private(home) / "open.html"
    write_text(page, _PAGE.format(link=html.escape(link, quote=True)))
    page.chmod(0o600)
    return page


def _private(home: Home) -> Path:
    make_folder(home.studio)
    os.chmod(home.studio, 0o700)  # noqa: PTH101 - whatever the umask is
    return home.studio
