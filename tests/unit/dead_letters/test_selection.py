"""Which dead letters a selection means: all that is given holds, and what is not given selects all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from pipeline.cells import Cell
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.look.listing import count_letters, list_letters
from pipeline.dead_letters.read import LetterTables, read_letters
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.store import append_states, find_states_table
from pipeline.ingest.commit.tables import DEAD_LETTERS_PARTITION
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import (
    DEAD_LETTER_SCHEMA,
    DEAD_LETTER_STATE_SCHEMA,
    dead_letters_table,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NAME = "readings"


def letter(number: int, **fields: Any) -> dict[str, Any]:
    """A dead letter, the later the greater its number: even ones in partition 0, odd ones in 1."""
    at = NOON + timedelta(minutes=10 * number)
    return {
        "_topic": "t",
        "_topic_id": "id",
        "_topic_partition": number % 2,
        "_offset": number,
        "_record_time": at,
        "_ingested_at": at,
        "_run_id": "run",
        "reason": "stale",
        "detail": "",
        "record_value": b"\0\0\0\0\7" + b"rest",
        "headers": [{"key": "producer", "value": b"app"}],
        **fields,
    }


LETTERS = [
    letter(0),
    letter(1, reason="undecodable"),
    letter(2, reason="no_value", record_value=None, headers=None),
    letter(3, record_value=b"\0\0\0\1", headers=[]),
    letter(4, record_value=b"{}", headers=[{"key": "producer", "value": b"caf\xe9"}]),
    letter(
        5,
        record_value=b"\0\xff\xff\xff\xff",
        headers=[{"key": "producer", "value": b"old"}, {"key": "producer", "value": b"new"}],
    ),
    letter(6, headers=[{"key": "producer", "value": None}, {"key": "job_id", "value": b"app"}]),
    letter(7, reason="it's of a newer version"),
]
PRODUCERS = ["app", "app", None, None, "caf\ufffd", "new", None, "app"]
SCHEMA_IDS = [7, 7, None, None, None, 2**32 - 1, 7, 7]


def discarded(number: int) -> dict[str, Any]:
    one = LETTERS[number]
    return {
        **{name: one[name] for name in ("_topic", "_topic_id", "_topic_partition", "_offset")},
        "state": "discarded",
        "at": NOON,
        "action_id": "d-1",
        "origin_partition": one["_topic_partition"],
        "origin_offset": one["_offset"],
    }


@pytest.fixture
def tables(quiet_cell: Cell) -> LetterTables:
    """Two files of dead letters, of which two are discarded."""
    table = ensure_table(
        open_catalog(quiet_cell),
        dead_letters_table(NAME),
        DEAD_LETTER_SCHEMA,
        DEAD_LETTERS_PARTITION,
    )
    for part in (LETTERS[:5], LETTERS[5:]):
        table.append(pa.Table.from_pylist(part, schema=DEAD_LETTER_SCHEMA))
    rows = pa.Table.from_pylist([discarded(1), discarded(6)], schema=DEAD_LETTER_STATE_SCHEMA)
    append_states(quiet_cell, NAME, rows)
    loaded = load_table(quiet_cell, dead_letters_table(NAME))
    return LetterTables(loaded, find_states_table(quiet_cell, NAME), None)


SELECTED = {
    "nothing given": (Selection(), [0, 1, 2, 3, 4, 5, 6, 7]),
    "reasons": (Selection(reasons=("stale", "no_value")), [0, 2, 3, 4, 5, 6]),
    "a reason with a quote": (Selection(reasons=("it's of a newer version",)), [7]),
    "since, which counts": (Selection(since=NOON + timedelta(minutes=60)), [6, 7]),
    "until, which does not": (Selection(until=NOON + timedelta(minutes=10)), [0]),
    "a partition": (Selection(partition=1), [1, 3, 5, 7]),
    "offsets, the end excluded": (Selection(partition=0, start=2, end=6), [2, 4]),
    "a producer, by the last header": (Selection(producer="app"), [0, 1, 7]),
    "a producer that was named before": (Selection(producer="old"), []),
    "a schema id": (Selection(schema_id=7), [0, 1, 6, 7]),
    "the greatest schema id": (Selection(schema_id=2**32 - 1), [5]),
    "an action": (Selection(action_id="d-1"), [1, 6]),
    "no such action": (Selection(action_id="d-2"), []),
    "fates": (Selection(fates=(Fate.DISCARDED, Fate.LANDED)), [1, 6]),
    "all of it": (
        Selection(
            reasons=("stale",),
            since=NOON,
            until=NOON + timedelta(days=1),
            partition=0,
            start=0,
            end=9,
            producer="app",
            schema_id=7,
            fates=(Fate.OPEN,),
        ),
        [0],
    ),
}


def test_what_is_selected_is_what_all_filters_hold_for(tables: LetterTables) -> None:
    found = {
        name: sorted(read_letters(tables, chosen).get_column("_offset").to_list())
        for name, (chosen, _) in SELECTED.items()
    }
    assert found == {name: offsets for name, (_, offsets) in SELECTED.items()}


def test_the_newest_are_listed_last_with_what_their_records_say(tables: LetterTables) -> None:
    every = list_letters(tables, Selection(), 100).letters
    assert every.get_column("_offset").to_list() == list(range(8))
    assert every.get_column("producer").to_list() == PRODUCERS
    assert every.get_column("schema_id").to_list() == SCHEMA_IDS
    newest = list_letters(tables, Selection(fates=(Fate.OPEN,)), 3)
    assert newest.letters.get_column("_offset").to_list() == [4, 5, 7]
    assert newest.selected == 6
    none = list_letters(tables, Selection(partition=9), 3)
    assert (none.letters.height, none.letters.columns) == (0, every.columns)


def test_they_are_counted_by_what_is_asked(tables: LetterTables) -> None:
    groups = ("fate", "reason", "producer", "schema-id", "hour")
    found = {by: frame.rows() for by, frame in count_letters(tables, Selection(), groups).items()}
    assert found["fate"] == [("open", 6), ("discarded", 2)]
    assert dict(found["reason"])["stale"] == 5
    assert set(found["producer"]) == {("app", 3), (None, 3), ("caf\ufffd", 1), ("new", 1)}
    assert set(found["schema-id"]) == {(7, 4), (None, 3), (2**32 - 1, 1)}
    assert found["hour"] == [(NOON, 6), (NOON + timedelta(hours=1), 2)]


def test_a_selection_is_kept_as_what_was_given() -> None:
    chosen = Selection(reasons=("stale",), since=NOON, fates=(Fate.OPEN,), partition=0)
    assert json.loads(chosen.to_json()) == {
        "reasons": ["stale"],
        "since": NOON.isoformat(),
        "partition": 0,
        "fates": ["open"],
    }
    assert Selection().to_json() == "{}"
