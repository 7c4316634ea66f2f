"""What `headwater contract show` and `diff` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from pipeline.contract.changes.compare import Change
from pipeline.contract.model import Product, Retention
from pipeline.contract.settings.units import in_words


def print_changes(changes: Sequence[Change], *, as_json: bool) -> None:
    """Print what differs between two contracts, and what of it breaks readers or writers."""
    breaking = sum(change.breaking for change in changes)
    if as_json:
        listed = [{"path": one.path, "what": one.what, "breaking": one.breaking} for one in changes]
        click.echo(json.dumps({"breaking": breaking > 0, "changes": listed}, indent=2))
        return
    for change in changes:
        click.echo(f"{'BREAKING' if change.breaking else 'ok      '} {change.path}: {change.what}")
    click.echo(f"{len(changes)} changes, {breaking} breaking")


UNLISTED = {
    "keep": "keep: rows, with the record's value beside them",
    "wait": "wait: they stay in Kafka until the contract lists their version",
    "deadLetter": "deadLetter: they are dead letters",
}
"""What becomes of records of a payload version that the registry knows and the contract does not."""


def print_product(product: Product, *, as_json: bool) -> None:
    """Print what a contract says: all of it as JSON, the most of it to people."""
    if as_json:
        document = product.model_dump(mode="json", exclude={"folder"})
        click.echo(json.dumps(document, indent=2, default=str))
        return
    topic, gates = product.topic, product.gates
    late = "refused" if gates.late_s is None else f"accepted up to {gates.late_s:g} s"
    rows = [
        ("product", f"{product.name} {product.version}"),
        ("purpose", product.description),
        ("owner", f"{product.owner} ({product.domain})"),
        ("cells", ", ".join(product.cells)),
        ("topic", f"{topic.name}, {topic.partitions} partitions, {topic.record_time}"),
        ("events kept", _kept(topic.retention)),
        ("envelope", "yes" if topic.envelope else "none"),
        ("key", product.key),
        ("event time", product.event_time),
        ("payload", f"{len(product.payload_schemas)} version(s), {len(product.columns)} fields"),
        ("unlisted", UNLISTED[product.unlisted]),
        ("gates", f"payload {gates.payload_bytes} B, fresh within {gates.freshness_s:g} s"),
        ("late", late),
        ("rules", ", ".join(f"{one.column} {one.check}" for one in product.rules) or "none"),
        ("reference", ", ".join(one.source for one in product.references) or "none"),
        ("derived tables", ", ".join(one.name for one in product.derived_tables) or "none"),
        ("objectives", ", ".join(one.property for one in product.slos) or "none"),
    ]
    for name, text in rows:
        click.echo(f"{name:14} {text}")


def _kept(retention: Retention) -> str:
    return "for ever" if retention.events is None else in_words(retention.events)


def print_compiled(document: dict[str, Any], *, as_json: bool) -> None:
    """Print what a contract compiles into."""
    if as_json:
        click.echo(json.dumps(document, indent=2, default=str))
        return
    topic = document["topic"]
    click.echo(f"{document['product']} compiles into")
    click.echo(f"\nKafka topic {topic['name']}")
    click.echo(f"  partitions {topic['partitions']}, replication {topic['replication']}")
    for key, value in topic["config"].items():
        click.echo(f"  {key}={value}")
    click.echo("\nRegistry subjects")
    for subject, versions in document["subjects"].items():
        click.echo(f"  {subject}: {versions} version(s)")
    click.echo(f"\nIceberg table {document['product']}.events")
    for column in document["iceberg"]:
        required = " required" if column["required"] else ""
        click.echo(f"  {column['name']:18} {column['type']}{required}")
    click.echo("\nBusiness rules (pandera)")
    for column, checks in document["pandera"].items():
        click.echo(f"  {column}: {', '.join(checks)}")
    for name, expectations in document["expectations"].items():
        click.echo(f"\nAudit of {document['product']}.{name} (Great Expectations)")
        for one in expectations:
            arguments = ", ".join(f"{key}={value}" for key, value in one["kwargs"].items())
            click.echo(f"  {one['type']}({arguments})")
    click.echo("\nOpenSLO documents")
    for slo in document["openslo"]:
        click.echo(f"  {slo['kind']} {slo['metadata']['name']}")
