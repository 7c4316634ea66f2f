"""protoc within the process: the part of grpcio-tools that tells what is wrong instead of printing it.

Private there, where the import of .proto files at run time is built on it; pyproject.toml ends the range of
versions at the next minor one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from pipeline.errors import TerminalError


class ProtocMissingError(TerminalError):
    """Protobuf schemas are to be read, and the extra that brings their compiler is not installed."""


class ProtoSyntaxError(ValueError):
    """A .proto text is none that protoc takes; says where and why."""


def compiled_files(root: Path, name: str) -> list[bytes]:
    """Return the descriptors, serialized, of the file `name` below `root` and all that it imports.

    What is imported comes before what imports it. Google's well-known types are there without a file.

    Raises:
        ProtoSyntaxError: protoc does not take it.
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    try:
        from grpc_tools import _protoc_compiler
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "grpc_tools":
            raise
        raise protoc_missing() from None
    places = [str(root).encode(), str(files("grpc_tools").joinpath("_proto")).encode()]
    try:
        made = _protoc_compiler.get_protos(name.encode(), places)
    except _protoc_compiler.ProtocErrors as error:
        raise ProtoSyntaxError("; ".join(_told(error))) from None
    return [_descriptor(code) for _, code in made]


def protoc_missing() -> ProtocMissingError:
    """Return the error that says which extra is missing."""
    return ProtocMissingError(
        "not installed; the extra `protobuf` brings it.",
        subject="grpcio-tools",
        remedy="Run pip install 'headwater[protobuf]'.",
    )


def _told(error: Exception) -> Iterator[str]:
    for one in error.errors():  # type: ignore[attr-defined]
        where = (
            f"{one.filename.decode()}:{one.line + 1}:{one.column + 1}: " if one.line >= 0 else ""
        )
        yield f"{where}{one.message.decode()}"


def _descriptor(code: bytes) -> bytes:
    """Return what the generated module adds to the pool of descriptors."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            found = ast.literal_eval(node.args[0])
            if isinstance(found, bytes):
                return found
    raise ProtoSyntaxError("protoc made no descriptor")
