"""The models that a long-lived process has in memory, each loaded when it is first asked.

A model file may be replaced under its name while it is served. It is known by its path, its place on the disk, its size
and the time of its last change; another file there is loaded anew. None is mapped into memory: one that was overwritten
in its place would end the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from idiolect.errors import DataFault
from idiolect.serving.checked_by import check_again
from idiolect.serving.in_process import Model, load

#: A file as it was when it was loaded: path, inode, size, nanoseconds of its last change, and what it is to hold.
_Known = tuple[Path, int, int, int, int]


@dataclass
class Shelf:
    """Models in memory: all that were asked, or one alone if together they would be larger than `most` bytes."""

    most: int | None = None
    loaded: dict[_Known, Model] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, gguf: Path, context: int) -> Model:
        """Return a model that holds `context` tokens. Raises DataFault for a file that is gone or cannot be loaded."""
        with self.lock:
            known = _known(gguf, context)
            if known not in self.loaded:
                self._drop(lambda other: other[0] == gguf)
                together = sum(size for _, _, size, _, _ in (*self.loaded, known))
                if self.most is not None and together > self.most:
                    self.loaded.clear()
                model = load(gguf, context, mapped=False)
                check_again(model)
                self.loaded[known] = model
            return self.loaded[known]

    def keep(self, files: Collection[Path]) -> None:
        """Let go of all but these files."""
        with self.lock:
            self._drop(lambda other: other[0] not in files)

    def _drop(self, which: Callable[[_Known], bool]) -> None:
        for known in [known for known in self.loaded if which(known)]:
            del self.loaded[known]


def _known(gguf: Path, context: int) -> _Known:
    try:
        now = gguf.stat()
    except OSError as error:
        raise DataFault(f"{gguf} cannot be read: {error.strerror}", "Make it again from its run.") from error
    return gguf, now.st_ino, now.st_size, now.st_mtime_ns, context
