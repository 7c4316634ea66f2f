"""Errors without a name, raised at chosen stages of an ingest for chosen rows."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import polars as pl
import pytest

from pipeline.ingest.dedup.deduplicate import Deduplicator
from pipeline.ingest.transform import process as batch
from pipeline.ingest.transform.decode import Decoder
from pipeline.ingest.transform.enrich import Enricher
from pipeline.ingest.transform.gates.key_order import KeyOrder
from pipeline.tables.data_files import write

STAGES = ("decode", "enrich", "gate", "de-duplicate", "judge", "order", "sort", "write")
"""The stages, in their order; of these, `sort` and `write` are in the thread that writes."""


BAD = "bad"
"""The note of a record that something is wrong with."""


def has_bad(rows: pl.DataFrame) -> bool:
    """Return whether a row's note is BAD."""
    return bool((rows.get_column("note") == BAD).any())


class Fault:
    """Raises `error` at a stage when it is given rows that `hits` says yes to.

    `raised` counts how often it did.
    """

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        stage: str,
        hits: Callable[[pl.DataFrame], bool],
        error: BaseException,
    ) -> None:
        self.raised = 0
        self._hits = hits
        self._error = error
        match stage:
            case "decode":
                self._after(patch, Decoder, "decode", lambda decoded: decoded.frame)
            case "enrich":
                self._before(patch, Enricher, "enrich", lambda _, frame: frame)
            case "gate":
                self._before(patch, batch, "gate", lambda frame, _: frame)
            case "de-duplicate":
                self._before(patch, Deduplicator, "split", lambda _, frame, __: frame)
            case "judge":
                self._before(patch, batch, "broken_rules", lambda frame, _: frame)
            case "order":
                self._before(patch, KeyOrder, "watch", lambda _, frame: frame)
            case "sort":
                self._before(patch, write._Sorted, "__init__", lambda _, rows, __: pl.concat(rows))
            case "write":
                self._before(
                    patch,
                    write,
                    "_write",
                    lambda _, __, rows, part: rows._rows[part.start : part.stop],
                )
            case _:
                raise ValueError(f"{stage} is not one of {STAGES}")

    def _before(
        self, patch: pytest.MonkeyPatch, owner: Any, name: str, rows: Callable[..., pl.DataFrame]
    ) -> None:
        original = getattr(owner, name)

        def faulty(*args: Any) -> Any:
            self._raise(rows(*args))
            return original(*args)

        patch.setattr(owner, name, faulty)

    def _after(
        self, patch: pytest.MonkeyPatch, owner: Any, name: str, rows: Callable[..., pl.DataFrame]
    ) -> None:
        original = getattr(owner, name)

        def faulty(*args: Any) -> Any:
            made = original(*args)
            self._raise(rows(made))
            return made

        patch.setattr(owner, name, faulty)

    def _raise(self, rows: pl.DataFrame) -> None:
        if self._hits(rows):
            self.raised += 1
            # An error that was raised holds all that its frames held.
            raise copy(self._error)
