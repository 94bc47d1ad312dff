"""Several model files asked at the same time, each on its share of the cores, where memory has room for them.

Two threads on one small model wait for each other: answers and continuations of the demo took 25.2 s on one thread and
19.7 s on two, and many times as long where the cores had other work as well. A thread for each model does not wait.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from idiolect.export import numpy_on_threads
from idiolect.serving import all_threads

_T = TypeVar("_T")


@dataclass(frozen=True)
class Share:
    """A job's part of the computer."""

    threads: int
    stopped: threading.Event

    def each(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield what is to be done, one after the other, until all jobs are to end."""
        for item in items:
            if self.stopped.is_set():
                return
            yield item


Job = Callable[[Share], Any]


def side_by_side(jobs: Mapping[str, Job], largest_bytes: int) -> dict[str, Any]:
    """Return what each job returns. Of model files as large as the largest, half the memory may be full.

    The first fault of a job is raised when the others have ended, which they do after what they are at; so is Ctrl-C.
    """
    stopped = threading.Event()
    fitting = _memory_bytes() // (2 * max(largest_bytes, 1))
    together = max(min(len(jobs), all_threads(), fitting), 1)
    share = Share(max(all_threads() // together, 1), stopped)
    with numpy_on_threads(share.threads), ThreadPoolExecutor(together) as pool:
        running = {name: pool.submit(job, share) for name, job in jobs.items()}
        try:
            return {name: future.result() for name, future in running.items()}
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
