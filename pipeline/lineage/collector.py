"""Where a cell's OpenLineage events go, beside the cell's own files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pipeline.cells import Cell
from pipeline.config.openlineage import DEFAULTS, KAFKA
from pipeline.config.secret_text import without_login
from pipeline.lineage.errors import CollectorSettingError


@dataclass(frozen=True)
class Collector:
    """A cell's setting of where its events are sent.

    Attributes:
        transport: `http` or `kafka`.
        url, endpoint: of HTTP: where events are posted to.
        api_key: of HTTP: the bearer token; None for none.
        ca_location: of HTTP: a file of authorities; None for those that the library trusts.
        topic: of Kafka.
        cluster: of Kafka: a cell whose brokers and client settings are those of the collector's cluster.
        timeout_s: how long one call may take.
        max_bytes, max_age: what waits on disk at most; what is older or beyond that is dropped.
    """

    transport: str
    url: str
    endpoint: str
    api_key: str | None = field(repr=False)
    ca_location: str | None
    topic: str
    cluster: Cell
    timeout_s: float
    max_bytes: int
    max_age: timedelta

    @property
    def address(self) -> str:
        """Where events go, as people may see it."""
        if self.transport == "kafka":
            return f"kafka://{self.cluster.bootstrap_servers}/{self.topic}"
        return without_login(f"{self.url.rstrip('/')}/{self.endpoint}")


def collector_of(cell: Cell) -> Collector | None:
    """Return where the cell's events are sent; None where its files are all.

    Raises:
        CollectorSettingError: it is HTTP, and no address is given.
    """
    said: dict[str, Any] = {**DEFAULTS, **cell.openlineage}
    if said["transport"] == "file":
        return None
    if said["transport"] == "http" and "url" not in said:
        raise CollectorSettingError(
            "its `openlineage` has transport `http` and no `url`.",
            subject=f"cell {cell.name}",
            remedy="Set `url` to the collector's address.",
        )
    return Collector(
        transport=said["transport"],
        url=said.get("url", ""),
        endpoint=said["endpoint"],
        api_key=said.get("api_key"),
        ca_location=said.get("ca_location"),
        topic=said["topic"],
        cluster=_cluster(cell),
        timeout_s=float(said["timeout_s"]),
        max_bytes=int(float(said["queue_mb"]) * 2**20),
        max_age=timedelta(hours=float(said["queue_hours"])),
    )


def _cluster(cell: Cell) -> Cell:
    """Return a cell that has the collector's brokers: the cell itself, unless others are named."""
    own = {
        name.removeprefix(KAFKA): value
        for name, value in cell.openlineage.items()
        if name.startswith(KAFKA)
    }
    servers = own.pop("bootstrap.servers", None)
    if servers is None:
        return replace(cell, kafka={**cell.kafka, **own}) if own else cell
    return replace(cell, bootstrap_servers=str(servers), kafka=own)
