"""Making the next of some items while one is worked on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

Item = TypeVar("Item")


def prefetch(items: Generator[Item, None, None]) -> Generator[Item, None, None]:
    """Yield `items`, in their order; the next one is made in a thread of its own.

    One that is made in advance is in memory beside the one that is worked on. When this is closed, what is
    being made is waited for and dropped, and `items` is closed.

    Raises:
        whatever `items` does, when its turn comes.
    """
    with closing(items), ThreadPoolExecutor(1, thread_name_prefix="read") as thread:
        made = _next(items)
        while made:
            coming = thread.submit(_next, items)
            # Popped, so that only its reader holds it.
            yield made.pop()
            made = coming.result()
            del coming


def _next(items: Iterator[Item]) -> list[Item]:
    """Return the next item as the one of a list; [] after the last."""
    for item in items:
        return [item]
    return []
