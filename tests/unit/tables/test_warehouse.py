"""What lies in a warehouse, looked for while another process works in it."""

from __future__ import annotations

import threading
from pathlib import Path

from pipeline.tables.warehouse import Warehouse, has_history

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
