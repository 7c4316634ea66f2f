"""All that a contract compiles into, as plain values: to look at, and to hold to a golden file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pipeline.contract.model import Product
from pipeline.contract.targets import avro, expectations, iceberg, openslo, pandera, topic


def compile_product(product: Product) -> dict[str, Any]:
    """Return every target's output for `product`, in JSON's types. Takes seconds: it imports them all.

    Raises:
        ReferenceDataError: reference data cannot be read.
    """
    return {
        "product": product.name,
        "topic": asdict(topic.topic_config(product)),
        "subjects": dict(product.subjects),
        "avro": avro.reader_schema(product),
        "iceberg": [
            {"name": field.name, "type": str(field.type), "required": not field.nullable}
            for field in iceberg.events_schema(product)
        ],
        "pandera": {
            name: [str(check.error) for check in column.checks]
            for name, column in pandera.rules_schema(product).columns.items()
        },
        "expectations": {
            derived_table.name: [
                {"type": one.configuration.type, "kwargs": one.configuration.kwargs}
                for one in expectations.suite(derived_table).expectations
            ]
            for derived_table in product.derived_tables
        },
        "openslo": list(openslo.documents(product)),
    }
