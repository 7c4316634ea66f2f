"""The schema registry over HTTP, asked by Confluent's own client for Java.

Maven Central has none of Confluent's jars. But Apache Flink's connector for registries bundles that client,
version 7.5.3, under names of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError, get_return_value

from headwater.stack.jars import ensure_jars
from pipeline.settings import load_settings
from tests.support.registry_server import registry_server

pytestmark = pytest.mark.java

LOCK = Path(__file__).resolve().parents[1] / "support" / "confluent_client.lock"
SUBJECT = "readings-value"
VALUE = {"name": "value", "type": "int"}
UNIT = {"name": "unit", "type": "string"}
NOTE = {"name": "note", "type": ["null", "string"], "default": None}


def record(*fields: dict[str, Any]) -> str:
    document = {"type": "record", "name": "Reading", "fields": fields}
    return json.dumps(document, separators=(",", ":"))


@pytest.fixture(scope="module")
def confluent() -> Iterator[Any]:
    """Confluent's packages in a virtual machine of their own."""
    jars = ensure_jars(load_settings().cache, "confluent-client", print, LOCK)
    classpath = os.pathsep.join(map(str, jars))
    port, token = launch_gateway(classpath=classpath, die_on_exit=True, enable_auth=True)
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
    # Spark has py4j ask Spark's own machine about errors of this one.
    with patch("py4j.java_gateway.get_return_value", get_return_value):
        yield gateway.jvm.org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka
    gateway.shutdown()


def test_what_it_registers_another_finds_and_what_breaks_readers_is_refused(
    confluent: Any, home: Path
) -> None:
    schemas = confluent.schemaregistry.avro.AvroSchema
    with registry_server(home) as url:
        first, second = (
            confluent.schemaregistry.client.CachedSchemaRegistryClient(url, 10) for _ in range(2)
        )
        schema = schemas(record(VALUE))
        number = first.register(SUBJECT, schema)
        assert second.getSchemaById(number).equals(schema)
        assert second.getId(SUBJECT, schema) == number
        assert second.getVersion(SUBJECT, schema) == 1
        assert list(second.getAllSubjects()) == [SUBJECT]

        breaking = schemas(record(VALUE, UNIT))
        assert not second.testCompatibility(SUBJECT, breaking)
        with pytest.raises(Py4JJavaError) as refused:
            second.register(SUBJECT, breaking)
        assert refused.value.java_exception.getStatus() == 409
        assert refused.value.java_exception.getErrorCode() == 409

        second.register(SUBJECT, schemas(record(VALUE, NOTE)))
        latest = first.getLatestSchemaMetadata(SUBJECT)
        assert (latest.getVersion(), latest.getSchema()) == (2, record(VALUE, NOTE))
