"""The Dagster instance of a stack: its configuration."""

from __future__ import annotations

from pathlib import Path

INSTANCE = Path(__file__).with_name("dagster.yaml")


def prepare(dagster_home: Path) -> None:
    """Put the instance's configuration where Dagster looks for it."""
    dagster_home.mkdir(parents=True, exist_ok=True)
    text = INSTANCE.read_text().replace("$DAGSTER_HOME", str(dagster_home.absolute()))
    (dagster_home / INSTANCE.name).write_text(text)
