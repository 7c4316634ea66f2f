"""Standing between ingest and the catalog's own commit, to make it misbehave as catalogs do."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.sql import SqlCatalog

Before = Callable[[], None]


class CatalogSeam:
    """Counts commits of tables, and does things before or after chosen ones.

    Numbers start at 1, and count from when the seam was made. A catalog used by an action is not
    counted.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = 0
        self._before: dict[int, Before] = {}
        self._lose: dict[int, tuple[BaseException, Before]] = {}
        self._acting = False
        for kind in (SqlCatalog, RestCatalog):
            monkeypatch.setattr(kind, "commit_table", self._seam(kind.commit_table))

    def _seam(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def commit_table(catalog: Catalog, *args: Any, **kwargs: Any) -> Any:
            if self._acting:
                return original(catalog, *args, **kwargs)
            self.commits += 1
            number = self.commits
            if (before := self._before.get(number)) is not None:
                self._acting = True
                try:
                    before()
                finally:
                    self._acting = False
            response = original(catalog, *args, **kwargs)
            if (lost := self._lose.get(number)) is not None:
                error, then = lost
                then()
                # An error that was raised holds all that its frames held.
                raise copy(error)
            return response

        return commit_table

    def before(self, number: int, action: Before) -> None:
        """Do `action` just before the commit of that number is made. It may raise."""
        self._before[number] = action

    def lose_response(self, number: int, error: BaseException, then: Before = lambda: None) -> None:
        """Let the commit of that number land, do `then`, and raise `error` in place of its answer."""
        self._lose[number] = (error, then)
