"""The formats that are measured: the plain events in each."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import filling
from pipeline.contract.load import load_product
from pipeline.contract.model import Product

CHANGES = "plain_changes"


@dataclass(frozen=True)
class Form:
    """One format.

    Attributes:
        title: for readers.
        settings: what the contract's `schemas` say beside their defaults.
        contract: of the folder benchmarks/contracts.
    """

    title: str
    settings: Mapping[str, str]
    contract: str = filling.PLAIN


FORMS: Mapping[str, Form] = {
    "avro": Form("Avro in Confluent's framing", {}),
    "single_object": Form("Avro, single objects", {"framing": "singleObject"}),
    "binary": Form("Avro, bare binary", {"framing": "none"}),
    "protobuf": Form("Protobuf", {"format": "protobuf"}),
    "json": Form("JSON", {"format": "json"}),
    "debezium_avro": Form("Debezium in Avro", {}, CHANGES),
    "debezium_json": Form("Debezium in JSON", {"format": "json"}, CHANGES),
}


def product_of(form: str, folder: Path, name: str, partitions: int) -> Product:
    """Copy a format's contract to `folder / name`, with `name` as product and topic."""
    one = FORMS[form]
    target = folder / name
    shutil.copytree(filling.CONTRACTS / one.contract, target)
    contract = target / "contract.yaml"
    text = contract.read_text().replace(one.contract, name)
    text = text.replace("partitions: 16", f"partitions: {partitions}")
    said = "".join(f"        {key}: {value}\n" for key, value in one.settings.items())
    contract.write_text(text.replace("      schemas:\n", f"      schemas:\n{said}"))
    return load_product(target)


def payload_of(form: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the payload that an event is in a format."""
    if FORMS[form].contract == filling.PLAIN:
        return event
    source = {"ts_ms": event["at"] // 1_000, "lsn": event["at"]}
    return {"before": None, "after": event, "source": source, "op": "c"}
