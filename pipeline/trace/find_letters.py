"""Dead letters of an event: by its uuid in their bytes, by coordinates, by where records stood first."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.fate import ORIGIN, PLACE
from pipeline.dead_letters.read import TOPIC, LetterTables, fates
from pipeline.kafka.identity import TopicIdentity
from pipeline.tables.data_files.live import LiveFile
from pipeline.trace.commits import Commits
from pipeline.trace.find_rows import RowFinder
from pipeline.trace.letter_bytes import OF_A_NAME
from pipeline.trace.model import DeadLetter, Match, Place
from pipeline.trace.needles import as_uuid

_MOST = 50
"""So many dead letters of one event are told of."""


class LetterFinder:
    """Finds dead letters as the tables were loaded. What became of all of them is read once."""

    def __init__(
        self,
        cell: Cell,
        product: Product,
        tables: LetterTables,
        files: tuple[LiveFile, ...],
        rows: RowFinder,
        commits: Commits,
    ) -> None:
        """`files` are those of the dead letters; `rows` tells what is where replays were sent."""
        self._cell = cell
        self._product = product
        self._tables = tables
        self._rows = rows
        self._commits = commits
        self._files = files
        self._fated = fates(tables)

    def find(
        self, uuid: str, origins: frozenset[Place], holding: frozenset[Place]
    ) -> tuple[DeadLetter, ...]:
        """Return the event's dead letters, by when they were ingested; the first 50.

        `holding` are those with the event's needles in their bytes. Letters of records that stood first at
        `origins` are the event's, whatever their bytes say.

        Raises: as `read_letters`.
        """
        if self._fated.is_empty():
            return ()
        matches: dict[Place, Match | None] = dict.fromkeys(holding)
        if not self._product.topic.envelope:
            matches |= dict.fromkeys(self._of_coordinates(uuid), Match.COORDINATES)
        matches |= dict.fromkeys(self._of_origins(origins), Match.ORIGIN)
        if not matches:
            return ()
        # What decodes records takes as long to load as all else of the command: only where one is found.
        from pipeline.trace.read_letters import LetterReader

        reader = LetterReader(
            self._cell,
            self._product,
            self._tables,
            self._fated,
            self._files,
            self._rows,
            self._commits,
        )
        judge = reader.judge(uuid, origins)
        found = [reader.read(one, match or judge) for one, match in sorted(matches.items())[:_MOST]]
        letters = [one for one in found if one is not None]
        # Those of the same records that neither their bytes nor the rows tell.
        more = {one.origin for one in letters} - set(origins)
        known = {one.place for one in letters}
        beside = sorted(self._of_origins(more) - known)[:_MOST]
        same = (reader.read(place, Match.ORIGIN) for place in beside)
        letters += [one for one in same if one is not None]
        return tuple(sorted(letters, key=lambda one: (one.ingested_at, one.place)))

    def _of_coordinates(self, uuid: str) -> set[Place]:
        """Return the dead letters whose record, where it stood first, would have been given the uuid."""
        committed, asked = self._tables.committed, as_uuid(uuid)
        if committed is None or asked is None or asked.version != OF_A_NAME:
            return set()
        # Compiled, which is not loaded for uuids of any other kind.
        from pipeline.ingest.transform.coordinate_uuid import coordinate_uuids

        topic = TopicIdentity(committed.cluster_id, committed.topic, committed.topic_id, ())
        made = coordinate_uuids(
            topic,
            self._fated[ORIGIN[0]].cast(pl.Int32).to_numpy(),
            self._fated[ORIGIN[1]].cast(pl.Int64).to_numpy().astype(np.int64),
        )
        return _places(self._fated.filter(pl.Series(made) == uuid))

    def _of_origins(self, origins: Collection[Place]) -> set[Place]:
        if not origins:
            return set()
        wanted = pl.DataFrame(
            [(one.topic_id, one.partition, one.offset) for one in origins],
            schema={name: self._fated.schema[name] for name in (TOPIC, *ORIGIN)},
            orient="row",
        )
        return _places(self._fated.join(wanted, on=[TOPIC, *ORIGIN], how="semi"))


def _places(frame: pl.DataFrame) -> set[Place]:
    return {Place(*row) for row in frame.select(TOPIC, *PLACE).rows()}
