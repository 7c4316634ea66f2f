"""What lies in a warehouse, looked for while another process works in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipeline.tables.warehouse import Warehouse, has_history, version_of

LOOKS = 3_000
"""Of so many looks, about thirty come between the making of a folder and its first listing."""


def test_a_table_whose_folder_is_just_being_made_has_no_history(tmp_path: Path) -> None:
    metadata = tmp_path / "orders" / "events" / "metadata"
    done = threading.Event()

    def make_and_drop() -> None:
        while not done.is_set():
            metadata.mkdir(parents=True, exist_ok=True)
            metadata.rmdir()

    maker = threading.Thread(target=make_and_drop)
    maker.start()
    try:
        assert not any(
            has_history(Warehouse(tmp_path.as_uri()), "orders.events") for _ in range(LOOKS)
        )
    finally:
        done.set()
        maker.join()


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("00012-5f1c.metadata.json", 12),
        ("v13.metadata.json", 12),
        ("v1.metadata.json", 0),
        ("snap-1-0-x.avro", None),
        ("00012-5f1c.metadata.json.gz", None),
    ],
)
def test_a_metadata_file_tells_its_version_whoever_names_it(name: str, version: int | None) -> None:
    assert version_of(f"s3://lake/orders/events/metadata/{name}") == version
