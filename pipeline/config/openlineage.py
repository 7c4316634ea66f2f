"""Settings of `openlineage` of a cell: where its lineage is sent, and what waits when nobody takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.nearest import did_you_mean
from pipeline.config.reference import SecretReference

TRANSPORTS = ("file", "http", "kafka")
KAFKA = "kafka."
"""Before the names of Kafka clients' settings, for a cluster that is not the cell's own."""
DEFAULTS: Mapping[str, Any] = {
    "transport": "file",
    "endpoint": "api/v1/lineage",
    "topic": "openlineage",
    "timeout_s": 5.0,
    "queue_mb": 64.0,
    "queue_hours": 72.0,
}
TEXTS = ("url", "endpoint", "api_key", "ca_location", "topic")
NUMBERS = ("timeout_s", "queue_mb", "queue_hours")
NAMES = ("transport", *TEXTS, *NUMBERS)


def openlineage_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return `settings`, if they can be used.

    Raises:
        ValueError: they cannot; it says which and why, without the value.
    """
    for name, value in settings.items():
        if name.startswith(KAFKA) or isinstance(value, SecretReference):
            continue
        if name not in NAMES:
            raise ValueError(f"it has no setting {name}{did_you_mean(name, NAMES)}")
        if name in TEXTS and (not isinstance(value, str) or not value):
            raise ValueError(f"its {name} is not text")
        if name in NUMBERS and not _is_positive(value):
            raise ValueError(f"its {name} is not a number above 0")
    _check_transport(settings)
    return settings


def _check_transport(settings: Mapping[str, Any]) -> None:
    transport = settings.get("transport", DEFAULTS["transport"])
    if transport not in TRANSPORTS:
        raise ValueError(f"its transport is none of {', '.join(TRANSPORTS)}")
    url = settings.get("url", "http://")
    if isinstance(url, str) and not url.startswith(("http://", "https://")):
        raise ValueError("its url does not begin with http:// or https://")


def _is_positive(value: object) -> bool:
    try:
        return not isinstance(value, bool) and float(str(value)) > 0
    except ValueError:
        return False
