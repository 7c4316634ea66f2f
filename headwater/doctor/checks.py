"""The list of checks, in the order in which they are told."""

from __future__ import annotations

from headwater.doctor import (
    catalog,
    clock,
    dagster_storage,
    java,
    kafka,
    openlineage,
    registry,
    state,
    topics,
    warehouse,
)
from headwater.doctor.model import Check

CHECKS = (
    Check(kafka.KAFKA, kafka.ask),
    Check(topics.TOPICS, topics.ask, after=kafka.KAFKA),
    Check(registry.REGISTRY, registry.ask),
    Check(warehouse.WAREHOUSE, warehouse.ask),
    Check(catalog.CATALOG, catalog.ask, after=warehouse.WAREHOUSE),
    Check(state.STATE, state.ask),
    Check(dagster_storage.DAGSTER, dagster_storage.ask),
    Check(openlineage.OPENLINEAGE, openlineage.ask),
    Check(java.JAVA, java.ask),
    Check(clock.CLOCK, clock.ask, after=kafka.KAFKA),
    Check(clock.REGISTRY_CLOCK, clock.ask_registry, after=registry.REGISTRY),
    Check(clock.CATALOG_CLOCK, clock.ask_catalog, after=catalog.CATALOG),
)
"""A check stands after the one that it waits for."""
