"""The tables are an interface: names, types and keys stay as the golden file and the docs have them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.batch.wap.target import PROPERTIES as DERIVED_PROPERTIES
from pipeline.event_state import TRANSITIONS, State
from pipeline.ingest.transform.records import Reason
from pipeline.ledger.archived import ARCHIVED_PROPERTY
from pipeline.ledger.balance import BALANCE_PROPERTY
from pipeline.ledger.model import SUMMARY_KEY, Entry
from pipeline.ledger.retention import RETENTION_PROPERTY
from pipeline.settings import PROJECT
from pipeline.table_changes.kept import KEPT_PROPERTY
from pipeline.table_changes.staged_summary import INPUT_SNAPSHOTS_KEY
from pipeline.tables import commit, layout, offsets
from pipeline.tables.create import PROPERTIES
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY
from pipeline.tables.quarantines import QUARANTINES_PROPERTY
from pipeline.tables.versioned_property import PropertyNewerError

GOLDEN = PROJECT / "tests" / "data" / "golden" / f"format-{layout.FORMAT_VERSION}.json"
DOCUMENT = (PROJECT / "docs" / "reference" / "format.md").read_text()
SCHEMAS = {
    "events": pa.schema(layout.EVENT_COLUMNS),
    "dead_letters": layout.DEAD_LETTER_SCHEMA,
    "publications": layout.PUBLICATION_SCHEMA,
    "ledger": layout.LEDGER_SCHEMA,
    "alerts": layout.ALERT_SCHEMA,
    "dead_letter_states": layout.DEAD_LETTER_STATE_SCHEMA,
    "dead_letter_actions": layout.DEAD_LETTER_ACTION_SCHEMA,
    "table_changes": layout.TABLE_CHANGES_SCHEMA,
}
KEYS = [
    offsets.PROPERTY,
    layout.FORMAT_VERSION_PROPERTY,
    SUMMARY_KEY,
    commit.RUN_ID_KEY,
    commit.CONTRACT_VERSION_KEY,
    commit.REFERENCE_VERSIONS_KEY,
    commit.LOSS_REASON_KEY,
    ARCHIVED_PROPERTY,
    MAINTENANCE_KEY,
    QUARANTINES_PROPERTY,
    BALANCE_PROPERTY,
    RETENTION_PROPERTY,
    commit.CODE_VERSION_KEY,
    KEPT_PROPERTY,
    INPUT_SNAPSHOTS_KEY,
]


def current_format() -> dict[str, object]:
    return {
        "version": layout.FORMAT_VERSION,
        "columns": {
            table: [f"{f.name}: {f.type}{'' if f.nullable else ' required'}" for f in schema]
            for table, schema in SCHEMAS.items()
        },
        "keys": KEYS,
        "entry": list(Entry.__dataclass_fields__),
        "reasons": [reason.value for reason in Reason],
    }


def test_the_format_is_what_it_was() -> None:
    """A change here is a new format version, with code that reads this one."""
    assert current_format() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("version", range(1, layout.FORMAT_VERSION))
def test_an_older_format_lacks_optional_columns_and_nothing_else(version: int) -> None:
    old = json.loads((GOLDEN.parent / f"format-{version}.json").read_text())
    new = json.loads(GOLDEN.read_text())
    for table, columns in old["columns"].items():
        assert new["columns"][table][: len(columns)] == columns
        assert not any(c.endswith(" required") for c in new["columns"][table][len(columns) :])
    for kind in ("keys", "entry", "reasons"):
        assert new[kind][: len(old[kind])] == old[kind]


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_every_column_is_documented(table: str) -> None:
    section = DOCUMENT.partition(f"## {table}")[2].partition("\n## ")[0]
    shared = DOCUMENT.partition("## Coordinates")[2].partition("\n## ")[0]
    documented = set(re.findall(r"`(\w+)`", section + shared))
    assert set(SCHEMAS[table].names) <= documented


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented(key: str) -> None:
    assert f"`{key}`" in DOCUMENT


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented(reason: Reason) -> None:
    assert f"`{reason}`" in DOCUMENT


def test_every_kind_of_table_says_its_format_version() -> None:
    for properties in (PROPERTIES, DERIVED_PROPERTIES):
        assert properties[layout.FORMAT_VERSION_PROPERTY] == str(layout.FORMAT_VERSION)


def test_an_offsets_property_of_a_newer_format_is_refused() -> None:
    with pytest.raises(PropertyNewerError, match="newer than 1"):
        offsets.CommittedOffsets.from_json('{"format": 2}')


def test_every_state_can_be_left_only_for_one_that_follows() -> None:
    assert set(TRANSITIONS) == set(State)
    ends = [state for state, following in TRANSITIONS.items() if not following]
    assert ends == [State.ARCHIVED, State.DISCARDED]


if __name__ == "__main__":
    Path(GOLDEN).write_text(json.dumps(current_format(), indent=1) + "\n")
