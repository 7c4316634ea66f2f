"""Every setting with its value and the place that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.cells import embedded_cell
from pipeline.config.layer import Key, Layer, Origin
from pipeline.config.model import merged
from pipeline.config.read import Reading
from pipeline.config.secret_text import shown
from pipeline.settings import Settings

_TABLE = 3
"""`cells`, the cell, a setting: longer keys are of a table of a client."""


@dataclass(frozen=True)
class Setting:
    """One setting as people may see it.

    Attributes:
        key: tables, then its name.
        value: masked where it is secret; None where there is none.
        origin: the kind of place that says it.
        where: the file, or the variable; empty for a default.
        written: how it is written there.
    """

    key: Key
    value: str | None
    origin: Origin
    where: str = ""
    written: str = ""

    @property
    def name(self) -> str:
        """The dotted name."""
        return ".".join(self.key)


def list_settings(reading: Reading, settings: Settings) -> tuple[Setting, ...]:
    """Return the settings of valid layers, those of the platform first, then cell by cell."""
    found = {key: _default(key, value) for key, value in _defaults(reading, settings).items()}
    for layer in reversed(reading.layers):
        for key, value in layer.leaves():
            found[key] = _said(layer, key, value)
    order = list(found)
    return tuple(sorted(found.values(), key=lambda one: _place(one.key, order)))


def _place(key: Key, order: list[Key]) -> tuple[Any, ...]:
    """Return where a setting is listed: a client's by name after the cell's own."""
    if key[0] != "cells":
        return 0, order.index(key)
    return 1, key[1], len(key) > _TABLE, key[2] if len(key) > _TABLE else "", order.index(key)


def _default(key: Key, value: object) -> Setting:
    return Setting(key, None if value is None else shown(value), Origin.DEFAULT)


def _said(layer: Layer, key: Key, value: object) -> Setting:
    written = layer.name(key)
    where = written if layer.origin is Origin.ENVIRONMENT else layer.where
    return Setting(key, shown(value), layer.origin, where, written)


def _defaults(reading: Reading, settings: Settings) -> dict[Key, object]:
    otherwise = merged(())
    found: dict[Key, object] = {
        ("contracts",): settings.contracts,
        ("cache",): settings.cache,
        ("ingest", "memory_mb"): otherwise.ingest.memory_mb,
        ("dagster", "storage_uri"): otherwise.dagster.storage_uri,
        ("data_docs", "url"): otherwise.data_docs.url,
        ("logging", "level"): otherwise.logging.level,
        ("logging", "format"): otherwise.logging.format,
    }
    for name in reading.cells:
        embedded = embedded_cell(settings.home, name, "")
        cell = ("cells", name)
        found[*cell, "bootstrap_servers"] = None
        found[*cell, "catalog_uri"] = embedded.catalog_uri
        found[*cell, "warehouse"] = embedded.warehouse
        found[*cell, "state"] = embedded.root
        found[*cell, "state_uri"] = None
    return found
