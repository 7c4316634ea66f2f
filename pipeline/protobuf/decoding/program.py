"""The tables by which the kernel reads messages, and the plans that they are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.avro.decoding.nodes import Ints, Node
from pipeline.protobuf.decoding import tables as t
from pipeline.protobuf.decoding.levels import Level
from pipeline.protobuf.plan import Plan


class Programs:
    """Tables that grow by one plan at a time.

    Attributes:
        slow: why no message of the plan added last is read in columns; empty where some are.
    """

    def __init__(self) -> None:
        self.slow = ""
        self.messages: list[list[int]] = []
        self.fields: list[list[int]] = []
        self.levels: list[list[int]] = []
        self.entries: list[list[int]] = []
        self.symbols: list[int] = []
        # Never empty, so that what is read is always a copy: the loop is compiled once.
        self._constants = bytearray(b"\0")
        self.oneofs = 0

    def tables(self) -> tuple[Ints, ...]:
        """Return messages, fields, levels, entries and symbols."""
        return (
            _table(self.messages, 2),
            _table(self.fields, t.FIELD_WIDTH),
            _table(self.levels, t.LEVEL_WIDTH),
            _table(self.entries, t.ENTRY_WIDTH),
            np.array(self.symbols, np.int64),
        )

    @property
    def constants(self) -> npt.NDArray[np.uint8]:
        """Texts of symbols, and defaults."""
        return np.frombuffer(bytes(self._constants), np.uint8)

    def add(self, plan: Plan, columns: Mapping[str, Node]) -> tuple[int, int]:
        """Return message and level that a plan's messages begin with, read into `columns`, by name."""
        self.slow = ""
        fields = {field.name: field for field in plan.root.fields}
        level = Level(self, {})
        for name, node in columns.items():
            level.allocate(node, fields[name], -1)
        level.close(plan.root)
        return level.message(plan.root, columns), level.index

    def constant(self, found: bytes) -> tuple[int, int]:
        """Return place and length of bytes among the constants."""
        place = self._constants.find(found)
        if place < 0:
            place = len(self._constants)
            self._constants += found
        return place, len(found)


def _table(rows: list[list[int]], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(-1, width)
