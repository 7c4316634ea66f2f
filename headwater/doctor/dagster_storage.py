"""Dagster's storage, which all cells share: whether its database answers."""

from __future__ import annotations

from headwater.doctor.model import Finding, Setup, well
from headwater.stack.dagster.storage import check_storage, place, storage_uri
from pipeline.settings import load_settings

DAGSTER = "dagster"


def ask(_: Setup) -> tuple[Finding, ...]:
    """Log in, and see that Dagster's tables can be made or written to. SQLite is not asked."""
    home = load_settings().home
    uri = storage_uri(home)
    if uri is None:
        return (well(DAGSTER, str(home / "dagster"), "it is SQLite, in this folder."),)
    check_storage(uri)
    return (well(DAGSTER, place(uri), "it answers."),)
