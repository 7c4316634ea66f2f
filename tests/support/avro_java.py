"""Avro Java as the reference, from the jars that Spark brings: what schemas mean, and values under two.

One virtual machine a process, started when first asked for, and gone with the process.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError, get_return_value

Schema = Any
"""Parsed JSON."""


@dataclass(frozen=True)
class JavaError:
    """What Java raised, in its own words."""

    text: str


@contextmanager
def _not_spark() -> Iterator[None]:
    """Let py4j raise what Java raised as it does by itself.

    Spark has it ask Spark's own machine, which another test may have begun, about an error of this one.
    """
    with patch("py4j.java_gateway.get_return_value", get_return_value):
        yield


@_not_spark()
def parse(schema: Schema) -> JavaError | None:
    """Return why Java takes `schema` for none, names and defaults judged; None where it takes it."""
    try:
        _parsed(json.dumps(schema))
    except Py4JJavaError as error:
        return _said(error)
    return None


@_not_spark()
def compatible(reader: Schema, writer: Schema) -> tuple[bool, list[str]]:
    """Return SchemaCompatibility's judgement of the two, and every problem that it lists or raises."""
    judge = _gateway().jvm.org.apache.avro.SchemaCompatibility
    schemas = [_parsed(json.dumps(one)) for one in (reader, writer)]
    try:
        found = judge.checkReaderWriterCompatibility(*schemas)
    except Py4JJavaError as error:
        return False, [_said(error).text]
    problems = [
        f"{one.getLocation()}: {one.getType()}: {one.getMessage()}"
        for one in found.getResult().getIncompatibilities()
    ]
    return found.getType().toString() == "COMPATIBLE", problems


@_not_spark()
def resolve(writer: Schema, reader: Schema, values: Sequence[bytes]) -> list[bytes | JavaError]:
    """Return each of the `writer`'s values in the binary of `reader`, as a GenericDatumReader reads it.

    `decode` makes Python of the binary. An error where Java raises one, or reads less than all bytes.
    """
    jvm = _gateway().jvm
    try:
        schemas = [_parsed(json.dumps(one)) for one in (writer, reader)]
        # Not the one that all share: it remembers every schema, until the memory is full of them.
        data = jvm.org.apache.avro.generic.GenericData()
        reads = jvm.org.apache.avro.generic.GenericDatumReader(*schemas, data)
        writes = jvm.org.apache.avro.generic.GenericDatumWriter(schemas[1], data)
    except Py4JJavaError as error:
        return [_said(error)] * len(values)
    found: list[bytes | JavaError] = []
    for value in values:
        try:
            found.append(_resolved(jvm, reads, writes, value))
        except Py4JJavaError as error:
            found.append(_said(error))
    return found


def _resolved(jvm: Any, reads: Any, writes: Any, value: bytes) -> bytes | JavaError:
    decoder = jvm.org.apache.avro.io.DecoderFactory.get().binaryDecoder(value, None)
    datum = reads.read(None, decoder)
    if not decoder.isEnd():
        return JavaError("bytes follow the value")
    out = jvm.java.io.ByteArrayOutputStream()
    encoder = jvm.org.apache.avro.io.EncoderFactory.get().binaryEncoder(out, None)
    writes.write(datum, encoder)
    encoder.flush()
    return bytes(out.toByteArray())


@cache
def _gateway() -> JavaGateway:
    jars = Path(pyspark.__file__).parent / "jars"
    port, token = launch_gateway(
        classpath=str(jars / "*"),
        die_on_exit=True,
        enable_auth=True,
        javaopts=["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
    atexit.register(gateway.shutdown)
    return gateway


def _parsed(schema: str) -> Any:
    # A parser of its own: it keeps the names that it has met.
    return _gateway().jvm.org.apache.avro.Schema.Parser().parse(schema)


def _said(error: Py4JJavaError) -> JavaError:
    return JavaError(str(error.java_exception.toString()))
