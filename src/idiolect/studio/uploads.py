"""What is dropped on the page: it lies in a folder of ours, that nobody else may read, until it is imported."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idiolect.errors import ExportFault
from idiolect.files import make_folder, remove
from idiolect.home import Home

#: A name within the folder, whatever a browser says: importers go by names, so that it is kept if it is one.
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


@contextmanager
def own_folder(home: Home) -> Iterator[Path]:
    """Have all uploads of this process lie below the home folder; remove them at its end, and what the dead left."""
    make_folder(home.uploads)
    for left in home.uploads.iterdir():
        if not (left.name.isdecimal() and _lives(int(left.name))):
            remove(left)
    folder = home.uploads / str(os.getpid())
    folder.mkdir(mode=0o700)
    # The web server writes what is large here, too, while it comes in.
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        remove(folder)


class Upload:
    """The files of one upload, in a folder of their own that goes when its page has gone and nobody reads them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="upload-"))
        self._used = 0
        self._left = False

    @property
    def path(self) -> Path:
        """What is to be imported: the file, or all files together."""
        files = sorted(self.folder.iterdir())
        return files[0] if len(files) == 1 else self.folder

    def place(self, name: str) -> Path:
        """Return where a file lies that a browser calls so. Raises ExportFault for what is no name of a file."""
        if name in (".", "..") or not _NAME.fullmatch(name):
            raise ExportFault(f"{name!r} cannot be the name of a file.", "Rename it, and drop it again.")
        return self.folder / name

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the files for as long as they are read."""
        self._used += 1
        try:
            yield
        finally:
            self._used -= 1
            self._forget()

    def leave(self) -> None:
        """Say that the page is gone."""
        self._left = True
        self._forget()

    def _forget(self) -> None:
        if self._left and not self._used:
            remove(self.folder)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
