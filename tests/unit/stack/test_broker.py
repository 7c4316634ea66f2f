"""A broker, asked whether it answers."""

from __future__ import annotations

import threading
from pathlib import Path

from headwater.stack.broker import KafkaBroker
from headwater.stack.ports import free_port


def test_asking_one_that_is_not_up_leaves_no_thread(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, (), free_port(), free_port(), tmp_path / "kafka.log")
    before = threading.active_count()
    assert [broker.is_ready() for _ in range(3)] == [False] * 3
    assert threading.active_count() == before
