"""Kafka: whether a broker answers, TLS comes about and the login is taken."""

from __future__ import annotations

from dataclasses import replace

from kafka import KafkaAdminClient

from headwater.doctor.model import Finding, Setup, well
from pipeline.cells import Cell
from pipeline.kafka.connect import client_settings, connect_admin
from pipeline.kafka.reachability import why_unreachable
from pipeline.kafka.tls import tls_of
from pipeline.kafka.topics import brokers

KAFKA = "kafka"
_ANSWER_MS = 2_000
"""Whoever waits for an answer here waits for all: shorter than where records are read."""
_LEAST_S = 0.5
"""So long one of many brokers may take."""
_TIMES = ("bootstrap.timeout.ms", "bootstrap_timeout_ms")


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Connect and log in."""
    cell = quick(setup.cell)
    settings = client_settings(cell, KafkaAdminClient.DEFAULT_CONFIG)
    servers = cell.bootstrap_servers
    within_s = max(_LEAST_S, _ANSWER_MS / 1_000 / len(servers.split(",")))
    # Asked first: the client would try until its time is over.
    unreachable = why_unreachable(servers, tls_of(settings, f"cell {cell.name}"), within_s)
    if unreachable is not None:
        raise unreachable
    with connect_admin(cell) as admin:
        count = brokers(admin)
    return (well(KAFKA, cell.bootstrap_servers, f"it lets the cell in; brokers: {count}."),)


def quick(cell: Cell) -> Cell:
    """Return the cell for connections that soon give up."""
    kafka = {name: value for name, value in cell.kafka.items() if name not in _TIMES}
    return replace(cell, kafka={**kafka, _TIMES[0]: _ANSWER_MS})
