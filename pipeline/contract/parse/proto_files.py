"""The .proto files beside a contract; where it names none, whether its payload has a text in Protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contract.settings.product import SchemasSection
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.protobuf.from_avro import NoProtobufError, proto_texts
from pipeline.protobuf.plan import UnreadableSchemaError
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import NoMessageError, NotProtobufError, ProtoSource, load


def read_proto_files(
    reader: ContractReader,
    section: SchemasSection | None,
    payloads: Sequence[Mapping[str, Any]],
    loc: Loc,
) -> tuple[str, ...]:
    """Return the texts of the .proto files that the contract names, oldest first.

    The newest one's first message has to be readable as the newest payload.

    Raises:
        ProtocMissingError: files are named, and the extra `protobuf` is not installed.
    """
    if section is None or section.format != "protobuf" or not payloads:
        return ()
    if not section.proto:
        _check_made(reader, payloads, (*loc, "payload"))
        return ()
    texts: list[str] = []
    for index, name in enumerate(section.proto):
        place = (*loc, "proto", index)
        text = reader.read_text(place, name, "a .proto file")
        if text is None:
            continue
        texts.append(text)
        try:
            message = load(ProtoSource(text)).message([0])
            if index == len(section.proto) - 1:
                resolve(message, payloads[-1])
        except (NotProtobufError, NoMessageError) as error:
            reader.report_in(reader.folder / name, 1, "", f"a .proto file: {error}")
        except UnreadableSchemaError as error:
            expected = f"a first message that is read as the newest payload: {error}"
            reader.report_in(reader.folder / name, 1, "", expected)
    return tuple(texts)


def _check_made(reader: ContractReader, payloads: Sequence[Mapping[str, Any]], loc: Loc) -> None:
    try:
        proto_texts(payloads)
    except NoProtobufError as error:
        reader.report(loc, f"types that Protobuf has, or `proto` with files of your own: {error}")
