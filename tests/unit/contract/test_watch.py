"""Contracts that change on disk."""

from __future__ import annotations

import pytest

from pipeline.contract.reload import ContractWatch
from pipeline.contract.source.mistakes import ContractError
from tests.unit.contract.conftest import Copy


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_change_is_told_once_and_not_before_its_time(copy: Copy) -> None:
    folder = copy("viewing_events")
    clock = Clock()
    watch = ContractWatch(folder, poll_s=2.0, seconds=clock)
    file = folder / "contract.yaml"
    file.write_text(file.read_text().replace("partitions: 4", "partitions: 8"))
    assert watch.changed() is None
    clock.now = 2.5
    product = watch.changed()
    assert product is not None
    assert product.topic.partitions == 8
    clock.now = 5.0
    assert watch.changed() is None


def test_who_cannot_wait_looks_at_once(copy: Copy) -> None:
    folder = copy("viewing_events")
    watch = ContractWatch(folder, poll_s=1e9)
    assert watch.changed(at_once=True) is None
    (folder / "more.txt").write_text("x")
    assert watch.changed(at_once=True) is not None


def test_mistakes_are_told_until_they_are_corrected(copy: Copy) -> None:
    folder = copy("viewing_events")
    watch = ContractWatch(folder)
    file = folder / "contract.yaml"
    right = file.read_text()
    file.write_text("not: [a contract")
    with pytest.raises(ContractError):
        watch.changed(at_once=True)
    assert watch.changed(at_once=True) is None
    file.write_text(right)
    assert watch.changed(at_once=True) is not None
