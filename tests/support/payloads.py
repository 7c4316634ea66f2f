"""Contracts of a test's own payload schemas, without an envelope."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.contract.targets import avro

Field = dict[str, Any]
OWN: tuple[Field, ...] = (
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
)
"""The fields that every version begins with."""


def write_contract(folder: Path, *versions: list[Field], **schema: Any) -> Path:
    """Write the contract of a product named as `folder`, of payload versions with these further fields.

    `schema` are further properties of the payload's record. Returns the folder.
    """
    (folder / "schemas").mkdir(parents=True)
    files = [f"schemas/payload.v{number}.avsc" for number in range(1, len(versions) + 1)]
    for file, fields in zip(files, versions, strict=True):
        record = {"type": "record", "name": "P", "fields": [*OWN, *fields], **schema}
        (folder / file).write_text(json.dumps(record, indent=1, ensure_ascii=False))
    own = {
        "cells": ["us"],
        "key": "id",
        "eventTime": "at",
        "schemas": {"envelope": "none", "payload": files},
        "topic": {"partitions": 1, "replication": 1, "history": True, "retention": "forever"},
        "gates": {"freshness": "10s", "late": "72h"},
    }
    names = {one.get("name"): one.get("type", "string") for one in [*OWN, *versions[-1]]}
    properties = [
        {"name": name, "logicalType": (*avro.odcs_types(type_), "string")[0]}
        for name, type_ in names.items()
    ]
    topic = {
        "name": folder.name,
        "physicalName": f"{folder.name}_v1",
        "physicalType": "topic",
        "properties": properties,
    }
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"urn:tests:{folder.name}",
        "name": folder.name,
        "version": "1.0.0",
        "status": "active",
        "domain": "tests",
        "description": {"purpose": "To try a schema."},
        "team": {"name": "t", "members": [{"username": "t", "role": "owner"}]},
        "customProperties": [{"property": "headwater", "value": own}],
        "schema": [topic],
    }
    # JSON is YAML too.
    (folder / "contract.yaml").write_text(json.dumps(document, indent=1))
    return folder
