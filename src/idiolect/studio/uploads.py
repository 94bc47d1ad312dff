"""What is dropped on the page: it lies in a folder of ours, that nobody else may read, until it is imported."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from idiolect.arrivals import Refused, placed
from idiolect.errors import ExportFault
from idiolect.files import make_folder, remove
from idiolect.home import Home

_LOOK_SECONDS = 0.2

#: Uploads that threads read now, beside the pages, and those of which all is to be read before the studio ends.
_read_now: list[Upload] = []
_to_be_whole: list[Upload] = []


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


def wait_until_whole(going_on: Callable[[], None]) -> None:
    """Wait until no upload is read any more that is to be read to its end; call `going_on` if there is such a one."""
    if _to_be_whole:
        going_on()
    while _to_be_whole:
        time.sleep(_LOOK_SECONDS)


class Upload:
    """The files of one upload, in a folder of their own that goes when its page has gone and nobody reads them."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="upload-"))
        self._left = False

    @property
    def path(self) -> Path:
        """What is to be imported: the file, the folder, or all that was dropped together."""
        dropped = list(self.folder.iterdir())
        return dropped[0] if len(dropped) == 1 else self.folder

    def place(self, name: str) -> Path:
        """Return where a file lies that a browser calls so: a name, or a path within a folder that was dropped.

        Importers go by names, so that they are kept if they are some. Raises ExportFault for what is neither.
        """
        try:
            place = placed(self.folder, name)
        except Refused as error:
            raise ExportFault(f"{error}.", "Rename it, and drop it again.") from error
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    @contextmanager
    def in_use(self, *, whole: bool = False) -> Iterator[Path]:
        """Keep the files for as long as they are read; the studio does not end before, if `whole`."""
        held = [_read_now, _to_be_whole] if whole else [_read_now]
        for uploads in held:
            uploads.append(self)
        try:
            yield self.path
        finally:
            for uploads in held:
                uploads.remove(self)
            self._forget()

    def leave(self) -> None:
        """Say that the page is gone."""
        self._left = True
        self._forget()

    def _forget(self) -> None:
        if self._left and self not in _read_now:
            remove(self.folder)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
