"""Which changes of a contract break those who follow it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.contract.changes.compare import Change
from pipeline.contract.diff import diff_products
from pipeline.contract.load import load_product
from tests.unit.contract.conftest import SOURCES, Copy


def changes(product: str, folder: Path) -> dict[str, Change]:
    found = diff_products(load_product(SOURCES[product]), load_product(folder))
    return {change.path: change for change in found}


def test_a_contract_does_not_differ_from_itself(copy: Copy) -> None:
    assert changes("viewing_events", copy("viewing_events")) == {}


@pytest.mark.parametrize(
    ("old", "new", "path", "breaking"),
    [
        ("version: 1.0.0", "version: 1.0.1", "version", False),
        ("key: user_id", "key: profile", "key", True),
        ("partitions: 4", "partitions: 8", "topic.partitions", True),
        ("replication: 3", "replication: 2", "topic.replication", False),
        ("cells: [us, eu]", "cells: [us]", "cells.eu", True),
        ("cells: [us, eu]", "cells: [us, eu, studio]", "cells.studio", False),
        ("late: 72h", "late: 24h", "gates.late_s", True),
        ("late: 72h", "late: 96h", "gates.late_s", False),
        ("        late: 72h\n", "", "gates.late_s", True),
        ("freshness: 10s", "freshness: 20s", "gates.freshness_s", False),
        ("payload: 1MB", "payload: 512KB", "gates.payload_bytes", True),
        ("max_value: 86400", "max_value: 3600", "rules.watch_duration.in_range", False),
        ("[title, genre, runtime_s]", "[title, genre]", "references.content.columns", True),
        ("tags: [consent:analytics]", "tags: []", "columns.session_id.tags", False),
        ("value: 60", "value: 30", "slos.viewing_events.freshness", False),
        ("allowedLateness: 5m", "allowedLateness: 10m", "allowed_lateness_s", False),
    ],
)
def test_a_change_breaks_or_not(copy: Copy, old: str, new: str, path: str, breaking: bool) -> None:
    found = changes("viewing_events", copy("viewing_events", (old, new)))
    assert found[path].breaking is breaking


def test_a_table_without_its_folder_breaks(copy: Copy) -> None:
    folder = copy("viewing_events")
    shutil.rmtree(folder.parent / "content_engagement_hourly")
    assert changes("viewing_events", folder)["derived_tables.content_engagement_hourly"].breaking


def test_a_new_payload_version_does_not_break(copy: Copy) -> None:
    before = copy("strict_events", (", schemas/payload.v2.avsc", ""), parent="before")
    properties = "      - {name: note, logicalType: string, description: A remark.}\n"
    contract = before / "contract.yaml"
    contract.write_text(contract.read_text().replace(properties, ""))
    found = diff_products(load_product(before), load_product(copy("strict_events")))
    assert {(change.path, change.breaking) for change in found} == {
        ("payload.v2", False),
        ("columns.note", False),
        ("columns.value", False),
    }


def test_a_published_payload_version_may_not_change(copy: Copy) -> None:
    folder = copy("strict_events")
    file = folder / "schemas" / "payload.v1.avsc"
    schema = json.loads(file.read_text())
    schema["doc"] = "changed"
    file.write_text(json.dumps(schema))
    assert changes("strict_events", folder)["payload.v1"].breaking
