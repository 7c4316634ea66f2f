"""Changes of a table's rows that could be, as Debezium would send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WHOLE = ("after", "source")
"""Fields of a change that are made up whole; the others follow from them."""
DELETED = 10
"""Of so many changes of a row that is there, one deletes it."""


class PlausibleChanges:
    """Keeps the rows that there are, so that each change is one that could follow."""

    def __init__(self, key: str) -> None:
        """Know rows by their field `key`."""
        self._key = key
        self._rows: dict[Any, Any] = {}

    def change(self, payload: Mapping[str, Any], time: int) -> dict[str, Any]:
        """Return `payload`, whose `after` is a row, as a create, an update or a delete at `time` (us)."""
        row = payload["after"]
        before = self._rows.get(row[self._key])
        deleted = before is not None and time % DELETED == 0
        after = None if deleted else row
        if deleted:
            del self._rows[row[self._key]]
        else:
            self._rows[row[self._key]] = row
        op = "d" if deleted else "c" if before is None else "u"
        millis = {"ts_ms": time // 1_000}
        source = payload.get("source")
        stamped = {"source": source | millis} if source and "ts_ms" in source else {}
        own = millis if "ts_ms" in payload else {}
        return {**payload, "op": op, "before": before, "after": after, **stamped, **own}
