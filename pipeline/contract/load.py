"""Reading contracts: `contract.yaml` and the files that it names, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.config.nearest import did_you_mean
from pipeline.contract.checks.cross_checks import (
    check_gates,
    check_properties,
    check_references,
    check_topic,
)
from pipeline.contract.checks.event_check import check_format, check_named_fields
from pipeline.contract.checks.generate_check import check_generate
from pipeline.contract.checks.idle_types import check_idle_types
from pipeline.contract.checks.rule_check import column_types
from pipeline.contract.folders import CONTRACT_FILE, contract_folders
from pipeline.contract.model import Gates, Product, Reference, Retention, Topic
from pipeline.contract.parse.avro_files import read_schemas
from pipeline.contract.parse.columns import objects, read_columns, read_rules, report_objects
from pipeline.contract.parse.derived_contract import derived_from, read_derived_contract
from pipeline.contract.parse.derived_tables import read_derived_tables, read_slos
from pipeline.contract.parse.header import read_header
from pipeline.contract.parse.merge import merge_derived_tables
from pipeline.contract.parse.odcs import check_structure
from pipeline.contract.parse.proto_files import read_proto_files
from pipeline.contract.settings.product import (
    BARE,
    DEBEZIUM,
    TOPIC_NAME,
    ProductSettings,
    read_product_settings,
)
from pipeline.contract.source.document import Document, DocumentError, Loc
from pipeline.contract.source.mistakes import ContractError, Mistake
from pipeline.contract.source.reader import ContractReader

__all__ = [
    "CONTRACT_FILE",
    "ContractError",
    "Mistake",
    "derived_of",
    "load_product",
    "load_products",
    "product_folder",
]


def load_products(contracts: Path) -> tuple[Product, ...]:
    """Read every folder of `contracts` that holds a `contract.yaml`; products sorted by name.

    Raises:
        ContractError: with the mistakes of all of them, or when there is no contract at all.
    """
    products: list[Product] = []
    mistakes: list[Mistake] = []
    folders = contract_folders(contracts)
    if not folders:
        mistakes.append(Mistake(contracts, 1, "", f"a folder with a {CONTRACT_FILE} in it"))
    for folder in folders:
        try:
            if product_folder(folder) == folder:
                products.append(load_product(folder))
        except ContractError as error:
            mistakes += error.mistakes
    mistakes += _shared_topics(products)
    if mistakes:
        raise ContractError(str(contracts), mistakes)
    return tuple(products)


def load_product(folder: Path) -> Product:
    """Read the contract in `folder`, whose name is the product's, and those derived from it beside it.

    Raises:
        ContractError: with every mistake of these contracts and the files they name.
    """
    own = _open(folder)
    of = derived_from(own)
    if of is not None:
        mistake = own.document.mistake((), f"a product; this is a table derived from {of}")
        raise ContractError(f"contract {folder.name}", [mistake])
    check_structure(own)
    product = _read(own)
    parts = [read_derived_contract(part) for part in _beside(own.folder)]
    if product is not None:
        product = merge_derived_tables(product, own, parts)
    mistakes = [*own.mistakes, *(one for part in parts for one in part.reader.mistakes)]
    if product is None or mistakes:
        raise ContractError(f"contract {folder.name}", mistakes)
    return product


def derived_of(folder: Path) -> str | None:
    """Return the product that the contract in `folder` is derived of; None if it is a product's own.

    Raises:
        ContractError: it is no YAML mapping.
    """
    return derived_from(_open(folder))


def product_folder(folder: Path) -> Path:
    """Return the folder of the product that the contract in `folder` is of: another, if it is derived.

    Raises:
        ContractError: it is no YAML mapping, or derived from what is no product beside it.
    """
    of = derived_of(folder)
    if of is None:
        return folder
    found = folder.parent / of
    if of and (found / CONTRACT_FILE).exists() and derived_of(found) is None:
        return found
    reader = _open(folder)
    read_derived_contract(reader)
    if of:
        products = [one.name for one in contract_folders(folder.parent) if one != folder]
        place = (*(reader.custom_property((), "headwater") or ()), "of")
        listed = ", ".join(products) or "none"
        reader.report(
            place, f"a product beside it ({listed}); not {of!r}{did_you_mean(of, products)}"
        )
    raise ContractError(f"contract {folder.name}", reader.mistakes)


def _open(folder: Path) -> ContractReader:
    try:
        return ContractReader(Document(folder.absolute() / CONTRACT_FILE))
    except DocumentError as error:
        raise ContractError(f"contract {folder.name}", [error.mistake]) from None


def _beside(folder: Path) -> Iterator[ContractReader]:
    """Yield the contracts derived from the one in `folder`; one that cannot be read names no product."""
    for other in contract_folders(folder.parent):
        if other == folder:
            continue
        try:
            reader = ContractReader(Document(other / CONTRACT_FILE))
        except DocumentError:
            continue
        if derived_from(reader) == folder.name:
            yield reader


def _read(reader: ContractReader) -> Product | None:
    header = read_header(reader)
    settings, own = read_product_settings(reader)
    check_topic(reader, settings, own)
    check_format(reader, settings, own)
    check_gates(reader, settings.gates, own)
    envelope, payloads = read_schemas(reader, settings.schemas, (*own, "schemas"))
    newest = payloads[-1] if payloads else None
    proto = read_proto_files(reader, settings.schemas, payloads, (*own, "schemas"))
    check_references(reader, settings, own, newest)
    derived_tables, slos = read_derived_tables(reader, header), read_slos(reader)
    topics = objects(reader, "topic")
    if len(topics) != 1:
        report_objects(
            reader, "topic", "a list of one object of physicalType: topic, the product's"
        )
        if newest is not None:
            check_named_fields(reader, settings, own, newest)
        return None
    loc, entry = topics[0]
    mistyped = (
        check_idle_types(reader, settings, loc, newest) if newest is not None else frozenset()
    )
    columns = read_columns(reader, loc, "the Avro schema gives it")
    types = dict(column_types(newest)) if newest is not None else {}
    if newest is not None:
        check_named_fields(reader, settings, own, newest, mistyped)
        check_generate(reader, settings, own, newest)
        described = {column.name for column in columns}
        mistyped |= check_properties(reader, loc, newest, described, mistyped)
    rules = read_rules(reader, loc, {one: types[one] for one in types if one not in mistyped})
    topic = _topic(reader, settings, own, (*loc, "physicalName"), entry.get("physicalName"))
    if reader.mistakes or topic is None:
        return None
    return Product(
        name=header.name,
        version=header.version,
        owner=header.owner,
        domain=header.domain,
        description=header.description,
        cells=tuple(settings.cells or ()),
        topic=topic,
        key=settings.key or "",
        event_time=settings.event_time or "",
        uuid=settings.uuid,
        envelope_schema=envelope,
        payload_schemas=payloads,
        proto=proto,
        unlisted=settings.schemas.unlisted if settings.schemas else "keep",
        columns=columns,
        gates=Gates(
            payload_bytes=settings.gates.payload,
            freshness_s=settings.gates.freshness,
            late_s=settings.gates.late,
            ahead_s=settings.gates.ahead,
        ),
        rules=rules,
        references=tuple(
            Reference(
                name=one.name,
                source=one.source,
                on=tuple(one.on),
                columns=tuple(one.columns),
                valid_from=one.valid_from,
                types=one.types,
            )
            for one in settings.references
        ),
        derived_tables=derived_tables,
        slos=slos,
        allowed_lateness_s=settings.allowed_lateness,
        first_hour=settings.first_hour,
        dead_letter_topic=settings.dead_letter_topic,
        folder=reader.folder,
    )


def _topic(
    reader: ContractReader, settings: ProductSettings, own: Loc, loc: Loc, name: object
) -> Topic | None:
    if not isinstance(name, str) or not re.fullmatch(TOPIC_NAME, name):
        reader.report(loc, f"the topic's name: letters, digits, `.`, `_` and `-`; not {name!r}")
        return None
    section, schemas = settings.topic, settings.schemas
    if settings.dead_letter_topic == name:
        expected = f"another topic than the product's own, {name!r}"
        reader.report((*own, "deadLetterTopic"), expected)
        return None
    return Topic(
        name=name,
        partitions=section.partitions,
        replication=section.replication,
        record_time=section.record_time,
        cleanup=section.cleanup,
        history=section.history,
        retention=Retention(hot_ms=section.retention.hot, warm_ms=section.retention.warm),
        envelope=schemas is not None and schemas.envelope not in BARE,
        debezium=schemas is not None and schemas.envelope == DEBEZIUM,
        format=schemas.format if schemas else "avro",
        framing=schemas.framing if schemas else "confluent",
        start=section.start,
    )


def _shared_topics(products: list[Product]) -> list[Mistake]:
    owners: dict[str, str] = {}
    mistakes: list[Mistake] = []
    named = [(product, product.topic.name, "schema") for product in products]
    named += [
        (product, product.dead_letter_topic, "customProperties")
        for product in products
        if product.dead_letter_topic is not None
    ]
    for product, topic, place in named:
        owner = owners.setdefault(topic, product.name)
        if owner != product.name:
            expected = f"a topic of its own; {topic} is {owner}'s"
            mistakes.append(Mistake(product.folder / CONTRACT_FILE, 1, place, expected))
    return mistakes
