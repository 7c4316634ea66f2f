"""Contended commits: tried until one lands, and given up by name after a while."""

from __future__ import annotations

import time

import pytest
from pyiceberg.exceptions import CommitFailedException

from pipeline.errors import RetryableError
from pipeline.tables.commit_retry import TableBusyError, retry_commit


class BusyError(RetryableError):
    """Other writers came first."""


class BrokenError(Exception):
    """Something else than a lost race."""


@pytest.mark.slow
def test_a_commit_that_others_beat_is_tried_more_often_than_anybody_wants_to_count() -> None:
    outcomes = iter([CommitFailedException("main has moved")] * 30)

    def attempt() -> str:
        for outcome in outcomes:
            raise outcome
        return "landed"

    assert retry_commit(attempt, "us.orders") == "landed"


def test_it_gives_up_after_the_time_it_was_given_and_says_on_what() -> None:
    def attempt() -> None:
        raise CommitFailedException("main has moved")

    began = time.monotonic()
    with pytest.raises(TableBusyError, match=r"us\.orders.*other writers came first \d+ times"):
        retry_commit(attempt, "us.orders", seconds=0.2)
    assert time.monotonic() - began >= 0.2


def test_anything_else_is_not_tried_again() -> None:
    tried = []

    def attempt() -> None:
        tried.append(1)
        raise BrokenError

    with pytest.raises(BrokenError):
        retry_commit(attempt, "us.orders")
    assert tried == [1]
