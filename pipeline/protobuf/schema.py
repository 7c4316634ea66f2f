"""Protobuf schemas: .proto texts with what they import, and the messages in them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipeline.protobuf.protoc_private import ProtoSyntaxError, compiled_files, protoc_missing

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

_KEPT = 512
"""Schemas that a process keeps compiled, by their texts."""
_NAME = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class ProtoSource:
    """A .proto text, and those of all that it imports, by the names that they are imported by.

    Google's well-known types need no text.
    """

    text: str
    imports: Mapping[str, str] = field(default_factory=dict)


class NotProtobufError(ValueError):
    """A text is no .proto file, or imports what is not there."""


class NoMessageError(ValueError):
    """A schema has no message where a record says that its own is."""


class ProtoSchema:
    """A compiled schema. Equal sources share one."""

    def __init__(self, descriptors: Sequence[bytes]) -> None:
        from google.protobuf.descriptor_pb2 import FileDescriptorProto
        from google.protobuf.descriptor_pool import DescriptorPool

        pool = DescriptorPool()
        for one in descriptors:
            self.proto: FileDescriptorProto = FileDescriptorProto.FromString(one)
            pool.AddSerializedFile(one)  # type: ignore[no-untyped-call]
        self.file: FileDescriptor = pool.FindFileByName(  # type: ignore[no-untyped-call]
            self.proto.name
        )

    def message(self, indexes: Sequence[int]) -> Descriptor:
        """Return the message that a record's indexes lead to: of the file, then within each before.

        Raises:
            NoMessageError: there is none.
        """
        found: Descriptor | None = None
        within = list(self.file.message_types_by_name.values())
        for index in indexes:
            if not 0 <= index < len(within):
                raise NoMessageError(f"no message {list(indexes)} in a schema of {self.names}")
            found = within[index]
            within = list(found.nested_types)
        if found is None:
            raise NoMessageError("no indexes of a message")
        return found

    @property
    def names(self) -> str:
        """The messages at the top, in words."""
        return ", ".join(self.file.message_types_by_name) or "no messages"


def load(source: ProtoSource) -> ProtoSchema:
    """Return the compiled schema.

    Raises:
        NotProtobufError: protoc does not take it.
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    return _load(source.text, tuple(sorted(source.imports.items())))


@lru_cache(_KEPT)
def _load(text: str, imports: tuple[tuple[str, str], ...]) -> ProtoSchema:
    try:
        import google.protobuf  # noqa: F401
    except ModuleNotFoundError:
        raise protoc_missing() from None
    names = [name for name, _ in imports]
    root = "schema.proto"
    while root in names:
        root = f"_{root}"
    with tempfile.TemporaryDirectory(prefix="headwater-proto-") as folder:
        for name, each in [*imports, (root, text)]:
            if not _NAME.fullmatch(name) or ".." in PurePosixPath(name).parts:
                raise NotProtobufError(f"{name[:100]!r} is no name to import by")
            path = Path(folder, name)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(each, encoding="utf-8")
            except (OSError, UnicodeEncodeError) as error:
                raise NotProtobufError(f"{name[:100]!r} cannot be compiled: {error}") from None
        try:
            made = compiled_files(Path(folder), root)
            return ProtoSchema(made)
        except ProtoSyntaxError as error:
            raise NotProtobufError(str(error)[:2000]) from None
        except TypeError as error:
            # A pool refuses what protoc takes, as two imports that define one name.
            raise NotProtobufError(str(error)[:2000]) from None
