"""This machine's clock, against those of registry and catalog and of who writes to the topics."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy import func, select

from headwater.doctor import catalog as catalogs
from headwater.doctor.kafka import quick
from headwater.doctor.model import Finding, Setup, well
from headwater.doctor.registry import place
from pipeline.catalogs.sqlite import database_of
from pipeline.errors import HeadwaterError, TerminalError
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import named_errors as named_kafka_errors
from pipeline.kafka.topics import describe_topic
from pipeline.tables.catalog import open_catalog
from pipeline.tables.errors import named_errors

CLOCK, REGISTRY_CLOCK, CATALOG_CLOCK = "clock", "clock of the registry", "clock of the catalog"
MOST_S = 30.0
"""Clocks that are further apart are told."""
_ANSWER_S = 3.0


class ClockSkewError(TerminalError):
    """The clocks of two machines are further apart than `MOST_S`."""


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Look for records whose time has not come yet here.

    That tells of a clock here that is behind, or of one ahead of it where records are written: NOT of the
    opposite, which is what any old record looks like. Brokers do not tell their time; databases do.
    """
    found = well(CLOCK, "this machine", "no record is of a time that is still to come here.")
    if not setup.products:
        return (found,)
    with connect_admin(quick(setup.cell)) as admin:
        for product in setup.products:
            topic = product.topic.name
            ahead = max(_newest_ms(admin, topic), default=0) / 1_000 - time.time()
            if ahead > MOST_S:
                raise _skewed(f"topic {topic}", f"its newest record is {ahead:,.0f} s ahead of")
    return (found,)


def ask_registry(setup: Setup) -> tuple[Finding, ...]:
    """Compare with the time that a registry of the cell's own says with every answer."""
    settings = setup.cell.schema_registry
    if not settings:
        return (well(REGISTRY_CLOCK, "this machine", "the registry is a file here."),)
    where = place(setup.cell)
    trusted = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
    try:
        # Who is not let in is told the time as well.
        url = str(settings["url"]).partition(",")[0]
        said = httpx2.get(url, timeout=_ANSWER_S, verify=trusted).headers.get("Date")
    except httpx2.HTTPError:
        return (well(REGISTRY_CLOCK, where, "it does not say its time."),)
    if said is None:
        return (well(REGISTRY_CLOCK, where, "it does not say its time."),)
    return (_compare(REGISTRY_CLOCK, where, parsedate_to_datetime(said)),)


def ask_catalog(setup: Setup) -> tuple[Finding, ...]:
    """Compare with the time of the PostgreSQL that the catalog is in."""
    cell = setup.cell
    if database_of(cell) is not None:
        return (well(CATALOG_CLOCK, "this machine", "the catalog is a file here."),)
    catalog = open_catalog(cell)
    if not isinstance(catalog, SqlCatalog):
        return (well(CATALOG_CLOCK, catalogs.place(cell), "it does not say its time."),)
    with named_errors(f"catalog of cell {cell.name}"), catalog.engine.connect() as connection:
        said = connection.execute(select(func.clock_timestamp())).scalar_one()
    return (_compare(CATALOG_CLOCK, catalogs.place(cell), said),)


def _compare(check: str, where: str, said: datetime) -> Finding:
    ahead = said.timestamp() - time.time()
    if abs(ahead) > MOST_S:
        word = "ahead of" if ahead > 0 else "behind"
        raise _skewed(where, f"its clock is {abs(ahead):,.0f} s {word}")
    return well(check, where, "it has the same time.")


def _newest_ms(admin: KafkaAdminClient, topic: str) -> Iterator[int]:
    try:
        partitions = describe_topic(admin, topic).partitions
        with named_kafka_errors(topic):
            wanted = {TopicPartition(topic, one): OffsetSpec.MAX_TIMESTAMP for one in partitions}
            found = admin.list_partition_offsets(wanted)
    except HeadwaterError:
        # What a topic lacks is told by the check of topics.
        return
    yield from (one.timestamp for one in found.values())


def _skewed(subject: str, what: str) -> ClockSkewError:
    return ClockSkewError(
        f"{what} this machine's clock.",
        subject=subject,
        remedy="Set both clocks by NTP: hours close by this machine's, and records come by theirs.",
    )
