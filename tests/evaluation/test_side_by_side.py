"""Jobs share the computer, end together when one fails, and come one after the other where memory is short."""

from __future__ import annotations

import threading

import pytest

from idiolect.evaluation.side_by_side import Share, side_by_side


def test_jobs_go_on_at_the_same_time_on_a_part_of_the_cores_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    both = threading.Barrier(2)

    def job(share: Share) -> int:
        both.wait(timeout=20)
        return share.threads

    assert side_by_side({"one": job, "two": job}, 1) == {"one": 2, "two": 2}


def test_files_too_large_to_be_in_memory_together_come_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    at_work: list[int] = []

    def job(share: Share) -> int:
        at_work.append(1)
        assert len(at_work) == 1
        at_work.pop()
        return share.threads

    assert side_by_side({"one": job, "two": job}, 10**15) == {"one": 4, "two": 4}


def test_when_one_job_fails_the_others_end_after_what_they_are_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    begun, done = threading.Event(), []

    def fails(_: Share) -> None:
        begun.wait(timeout=20)
        raise ValueError("out of order")

    def long(share: Share) -> None:
        for number in share.each(range(10**9)):
            begun.set()
            done.append(number)

    with pytest.raises(ValueError, match="out of order"):
        side_by_side({"fails": fails, "long": long}, 1)
    assert len(done) < 10**9
