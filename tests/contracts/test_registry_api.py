"""The schema registry over HTTP, as docs/reference/schema-registry.md has it, and Confluent's serializers."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from headwater.schema_registry.app import CONSTANT, ROUTES
from pipeline.schemas.sqlite import SqliteRegistry
from tests.support.registering import SUBJECTS, register_in_file, register_over_http
from tests.support.registry_server import ask, registry_server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schema-registry.md"

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    with registry_server(home) as address:
        yield address


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> str:
    """A subject of the test's own."""
    return re.sub(r"\W", "-", request.node.name)


@pytest.fixture
def call(url: str) -> Ask:
    return lambda *arguments, **more: ask(url, *arguments, **more)


def body(schema: Any, **more: Any) -> dict[str, Any]:
    return {"schema": json.dumps(schema), **more}


def record(*fields: dict[str, Any], name: str = "Reading") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": "value", "type": "int"}, *fields]}


NOTE = {"name": "note", "type": ["null", "string"], "default": None}
UNIT = {"name": "unit", "type": "string"}


def register(call: Ask, subject: str, *schemas: Any) -> list[int]:
    ids = []
    for schema in schemas:
        status, answer = call("POST", f"/subjects/{subject}/versions", body(schema))
        assert status == 200, answer
        ids.append(answer["id"])
    return ids


def error(answer: tuple[int, Any]) -> int:
    status, document = answer
    assert str(document["error_code"]).startswith(str(status))
    assert document["message"]
    return int(document["error_code"])


def test_a_registered_schema_is_found_in_every_way(call: Ask, subject: str) -> None:
    schema = record(name="FoundInEveryWay")
    (id_,) = register(call, subject, schema)
    text = json.dumps(schema, separators=(",", ":"))
    whole = {"subject": subject, "version": 1, "id": id_, "schema": text}
    assert call("GET", f"/schemas/ids/{id_}") == (200, {"schema": text})
    assert call("GET", f"/schemas/ids/{id_}?subject={subject}") == (200, {"schema": text})
    assert call("GET", f"/schemas/ids/{id_}/schema") == (200, schema)
    assert call("GET", f"/schemas/ids/{id_}/subjects") == (200, [subject])
    there = [{"subject": subject, "version": 1}]
    assert call("GET", f"/schemas/ids/{id_}/versions") == (200, there)
    for version in ("1", "latest", "-1"):
        assert call("GET", f"/subjects/{subject}/versions/{version}") == (200, whole)
    assert call("GET", f"/subjects/{subject}/versions/1/schema") == (200, schema)
    assert call("GET", f"/subjects/{subject}/versions/1/referencedby") == (200, [])
    assert call("GET", f"/subjects/{subject}/versions") == (200, [1])
    assert call("POST", f"/subjects/{subject}", body(schema)) == (200, whole)
    assert call("GET", f"/subjects?subjectPrefix={subject}") == (200, [subject])
    assert subject in call("GET", "/subjects")[1]
    assert register(call, subject, schema) == [id_]


def test_what_needs_no_schema(call: Ask) -> None:
    assert call("GET", "/") == (200, {})
    assert call("GET", "/schemas/types") == (200, ["AVRO", "PROTOBUF"])
    assert call("GET", "/contexts") == (200, ["."])


def test_a_name_and_a_union_are_schemas(call: Ask, subject: str, home: Path) -> None:
    (name,) = register(call, f"{subject}-key", "string")
    assert call("GET", f"/schemas/ids/{name}") == (200, {"schema": '"string"'})
    register(call, f"{subject}-union", ["null", "string"])
    embedded = SqliteRegistry(home / "cells" / "us" / "registry.db")
    assert embedded.schema(name) == {"type": "string"}


def test_a_subject_may_have_a_slash(call: Ask, subject: str) -> None:
    register(call, f"{subject}%2Fvalue", record())
    assert call("GET", f"/subjects/{subject}%2Fvalue/versions") == (200, [1])
    assert f"{subject}/value" in call("GET", "/subjects")[1]


def test_what_is_deleted_is_hidden_and_then_gone(call: Ask, subject: str) -> None:
    ids = register(call, subject, record(name="Gone"), record(NOTE, name="Gone"))
    one = f"/subjects/{subject}/versions/1"
    assert error(call("DELETE", f"{one}?permanent=true")) == 40407
    assert call("DELETE", one) == (200, 1)
    assert error(call("DELETE", one)) == 40406
    assert error(call("GET", one)) == 40402
    assert call("GET", f"{one}?deleted=true")[1]["id"] == ids[0]
    assert call("GET", f"/schemas/ids/{ids[0]}")[0] == 200
    assert call("GET", f"/subjects/{subject}/versions") == (200, [2])
    assert call("GET", f"/subjects/{subject}/versions?deletedOnly=true") == (200, [1])
    assert error(call("DELETE", f"/subjects/{subject}?permanent=true")) == 40405
    assert call("DELETE", f"/subjects/{subject}") == (200, [2])
    assert error(call("DELETE", f"/subjects/{subject}")) == 40404
    assert error(call("GET", f"/subjects/{subject}/versions")) == 40401
    assert subject in call("GET", "/subjects?deleted=true")[1]
    assert call("DELETE", f"/subjects/{subject}?permanent=true") == (200, [1, 2])
    assert error(call("GET", f"/schemas/ids/{ids[0]}")) == 40403
    assert error(call("DELETE", f"/subjects/{subject}")) == 40401
    (again,) = register(call, subject, record(name="Gone"))
    assert again > max(ids), "an id is never given twice"


def test_what_was_soft_deleted_and_comes_again_is_a_new_version_of_the_same_id(
    call: Ask, subject: str
) -> None:
    first, _ = register(call, subject, record(name="Back"), record(NOTE, name="Back"))
    call("DELETE", f"/subjects/{subject}/versions/1")
    assert register(call, subject, record(name="Back")) == [first]
    assert call("GET", f"/subjects/{subject}/versions") == (200, [2, 3])


@pytest.mark.parametrize(
    ("level", "schemas", "next_one", "fits"),
    [
        ("BACKWARD", [record(), record(NOTE)], record(NOTE, UNIT), False),
        ("BACKWARD", [record(UNIT), record()], record(NOTE), True),
        ("BACKWARD_TRANSITIVE", [record(), record(NOTE)], record(UNIT), False),
        ("FORWARD", [record()], record(UNIT), True),
        ("FORWARD", [record(UNIT)], record(), False),
        ("FORWARD_TRANSITIVE", [record()], record(UNIT), True),
        ("FULL", [record()], record(UNIT), False),
        ("FULL", [record()], record(NOTE), True),
        ("FULL_TRANSITIVE", [record()], record(NOTE), True),
        ("NONE", [record()], {"type": "map", "values": "int"}, True),
    ],
)
def test_a_subjects_level_says_what_may_come_next(
    call: Ask, subject: str, level: str, schemas: list[Any], next_one: Any, fits: bool
) -> None:
    subject = f"{subject}-{len(schemas)}"
    assert call("PUT", f"/config/{subject}", {"compatibility": level}) == (
        200,
        {"compatibility": level},
    )
    register(call, subject, *schemas)
    for place in ("", "/latest", f"/{len(schemas)}"):
        path = f"/compatibility/subjects/{subject}/versions{place}?verbose=true"
        status, answer = call("POST", path, body(next_one))
        assert (status, answer["is_compatible"], not answer["messages"]) == (200, fits, fits)
    answer = call("POST", f"/subjects/{subject}/versions", body(next_one))
    assert answer[0] == 200 if fits else error(answer) == 409


def test_levels_fall_back_to_the_global_one(call: Ask, subject: str) -> None:
    assert call("GET", "/config") == (200, {"compatibilityLevel": "BACKWARD_TRANSITIVE"})
    assert error(call("GET", f"/config/{subject}")) == 40408
    assert error(call("DELETE", f"/config/{subject}")) == 40408
    default = call("GET", f"/config/{subject}?defaultToGlobal=true")
    assert default == (200, {"compatibilityLevel": "BACKWARD_TRANSITIVE"})
    assert call("PUT", "/config", {"compatibility": "full"})[0] == 200
    assert call("GET", "/config") == (200, {"compatibilityLevel": "FULL"})
    assert call("DELETE", "/config")[0] == 200
    assert call("GET", "/config") == (200, {"compatibilityLevel": "BACKWARD_TRANSITIVE"})
    assert error(call("PUT", "/config", {"compatibility": "SIDEWAYS"})) == 42203


def test_a_read_only_subject_takes_nothing(call: Ask, subject: str) -> None:
    assert call("GET", "/mode") == (200, {"mode": "READWRITE"})
    assert error(call("GET", f"/mode/{subject}")) == 40409
    assert call("PUT", f"/mode/{subject}", {"mode": "READONLY"}) == (200, {"mode": "READONLY"})
    path = f"/subjects/{subject}/versions"
    assert error(call("POST", path, body(record()))) == 42205
    assert error(call("DELETE", f"/subjects/{subject}")) == 42205
    assert call("DELETE", f"/mode/{subject}") == (200, {"mode": "READONLY"})
    assert call("POST", path, body(record()))[0] == 200
    assert error(call("PUT", "/mode", {"mode": "IMPORT"})) == 42205
    assert error(call("PUT", "/mode", {"mode": "SOMETIMES"})) == 42204


def test_the_global_mode_overrides(call: Ask, subject: str) -> None:
    call("PUT", f"/mode/{subject}", {"mode": "READWRITE"})
    call("PUT", "/mode", {"mode": "READONLY_OVERRIDE"})
    assert error(call("POST", f"/subjects/{subject}/versions", body(record()))) == 42205
    assert call("DELETE", "/mode") == (200, {"mode": "READONLY_OVERRIDE"})
    assert call("POST", f"/subjects/{subject}/versions", body(record()))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "sent", "code"),
    [
        ("GET", "/schemas/ids/999999", None, 40403),
        ("GET", "/schemas/ids/999999/versions", None, 40403),
        ("GET", "/subjects/absent/versions", None, 40401),
        ("GET", "/subjects/absent/versions/1", None, 40401),
        ("POST", "/subjects/absent", body(record()), 40401),
        ("GET", "/subjects/s/versions/0", None, 42202),
        ("GET", "/subjects/s/versions/new", None, 42202),
        ("POST", "/subjects/s/versions", body({"type": "recrod"}), 42201),
        ("POST", "/subjects/s/versions", {"schema": "{"}, 42201),
        ("POST", "/subjects/s/versions", {}, 42201),
        ("POST", "/subjects/s/versions", body(record(), schemaType="PROTOBUF"), 42201),
        ("POST", "/subjects/s/versions", body(record(), references=[{"name": "x"}]), 42201),
        ("POST", "/subjects/s/versions", body(record(), metadata={"tags": {}}), 42201),
        ("POST", "/subjects/s/versions", body(record(), id=7), 42205),
        ("POST", "/compatibility/subjects/absent/versions/3", body(record()), 40401),
        ("POST", "/subjects/s/versions", b"no json", 400),
        ("POST", "/subjects/s/versions", [], 422),
        ("PUT", "/config/s", {}, 42203),
        ("PUT", "/mode/s", {}, 42204),
        ("GET", f"/schemas/ids/{2**70}", None, 40403),
        ("GET", "/associations/resources/-/topic", None, 404),
        ("PATCH", "/config", None, 405),
    ],
)
def test_what_cannot_be_answered_has_confluents_code(
    call: Ask, method: str, path: str, sent: object, code: int
) -> None:
    assert error(call(method, path, sent)) == code


def test_other_media_types_and_other_names_of_the_server_are_refused(call: Ask) -> None:
    plain = {"Content-Type": "text/plain"}
    assert error(call("POST", "/subjects/s/versions", body(record()), headers=plain)) == 415
    assert call("GET", "/subjects", headers={"Host": "elsewhere.example"})[0] == 400


def test_a_schema_that_no_version_holds_is_not_found(call: Ask, subject: str) -> None:
    register(call, subject, record())
    assert error(call("POST", f"/subjects/{subject}", body(record(NOTE)))) == 40403
    assert error(call("GET", f"/subjects/{subject}/versions/2")) == 40402


def test_a_file_that_is_no_registry_is_an_error_of_the_server(tmp_path: Path) -> None:
    with registry_server(tmp_path) as address:
        database = tmp_path / "cells" / "us" / "registry.db"
        database.write_bytes(b"not a database" * 100)
        assert error(ask(address, "GET", "/subjects")) == 50001
        database.unlink()
        assert ask(address, "GET", "/subjects") == (200, [])


def test_confluents_serializers_work_unchanged(url: str, subject: str, call: Ask) -> None:
    with SchemaRegistryClient({"url": url}) as client:
        writer = AvroSerializer(client, json.dumps(record(NOTE)))
        context = SerializationContext(subject, MessageField.VALUE)
        data = writer({"value": 7, "note": "warm"}, context)
        assert data is not None
        assert data[0] == 0
        assert AvroDeserializer(client)(data, context) == {"value": 7, "note": "warm"}
    with SchemaRegistryClient({"url": url}) as client:
        reader = AvroDeserializer(client, json.dumps(record()))
        assert reader(data, context) == {"value": 7}
        looking_up = AvroSerializer(
            client, None, conf={"auto.register.schemas": False, "use.latest.version": True}
        )
        assert looking_up({"value": 7, "note": "warm"}, context) == data
    found = call("GET", f"/schemas/ids/{int.from_bytes(data[1:5])}/subjects")[1]
    assert f"{subject}-value" in found


def test_confluents_client_works_unchanged(url: str, subject: str) -> None:
    with SchemaRegistryClient({"url": url}) as client:
        schema = Schema(json.dumps(record(name="Client")), "AVRO")
        id_ = client.register_schema(subject, schema)
        assert json.loads(client.get_schema(id_).schema_str or "") == record(name="Client")
        assert client.lookup_schema(subject, schema).version == 1
        assert client.get_latest_version(subject).schema_id == id_
        assert client.get_versions(subject) == [1]
        assert client.test_compatibility(subject, schema)
        client.set_compatibility(subject, "FULL")
        assert client.get_compatibility(subject) == "FULL"
        client.update_mode(subject, "READONLY")
        assert client.get_mode(subject) == "READONLY"
        client.delete_mode(subject)
        assert client.delete_subject(subject) == [1]
        assert client.delete_subject(subject, permanent=True) == [1]


@pytest.mark.slow
def test_a_thousand_schemas_from_eight_processes_leave_no_hole_and_double_no_id(
    tmp_path: Path,
) -> None:
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(9), context.Queue()
    with registry_server(tmp_path) as url:
        workers = [
            context.Process(target=register_over_http, args=(url, number, 125, ready, answers))
            for number in range(8)
        ]
        # The engine writes the same file beside the server.
        database = tmp_path / "cells" / "us" / "registry.db"
        beside = (database, 8, 50, ready, answers)
        workers.append(context.Process(target=register_in_file, args=beside))
        for worker in workers:
            worker.start()
        ids = [one for _ in workers for one in answers.get(timeout=120)]
        for worker in workers:
            worker.join()
        versions = [ask(url, "GET", f"/subjects/{subject}/versions")[1] for subject in SUBJECTS]
    assert sorted(ids) == [*range(1, 1051)]
    assert all(one == [*range(1, len(one) + 1)] for one in versions)
    assert sum(map(len, versions)) == 1050


def test_one_that_is_refused_leaves_what_is_committed_with_it(
    url: str, subject: str, call: Ask
) -> None:
    register(call, subject, record())
    good = [record({"name": f"n{n}", "type": "int", "default": n}) for n in range(20)]
    bad = [record({"name": f"n{n}", "type": "int"}) for n in range(20)]
    path = f"/subjects/{subject}/versions"
    with ThreadPoolExecutor(8) as threads:
        mixed = [schema for pair in zip(good, bad, strict=True) for schema in pair]
        statuses = [
            status for status, _ in threads.map(lambda one: call("POST", path, body(one)), mixed)
        ]
    assert statuses == [200, 409] * 20
    assert call("GET", path) == (200, [*range(1, 22)])


def test_a_file_that_is_put_in_the_place_of_the_registry_is_what_is_written(tmp_path: Path) -> None:
    database = tmp_path / "cells" / "us" / "registry.db"
    with registry_server(tmp_path) as address:
        path = "/subjects/s/versions"
        assert ask(address, "POST", path, body(record(name="Before")))[0] == 200
        restored = SqliteRegistry(tmp_path / "backup.db", first_id=500)
        assert restored.register("s", record(name="Backup")).id == 500
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        (tmp_path / "backup.db").replace(database)
        assert ask(address, "POST", path, body(record(NOTE, name="Backup"))) == (200, {"id": 501})
    assert SqliteRegistry(database).latest("s").id == 501


def test_the_page_lists_what_is_served() -> None:
    listed = {
        (method, path)
        for line in PAGE.read_text().splitlines()
        if (row := re.match(r"\| `((?:GET|PUT|POST|DELETE).*?/[^`]*)` \|", line))
        for path in [row[1].split()[-1]]
        for method in re.findall(r"GET|PUT|POST|DELETE", row[1])
    }
    served = {(method, re.sub(r":\w+", "", path)) for method, path, _ in ROUTES}
    assert listed == served | {("GET", path) for path in CONSTANT if path != "/"}


def test_the_page_lists_every_code_that_is_tested() -> None:
    rows = re.findall(r"^\| (\d{3,5}) \|", PAGE.read_text(), re.MULTILINE)
    own = "".join(file.read_text() for file in Path(__file__).parent.glob("test_registry_*.py"))
    assert {code for code in rows if code in own} == set(rows)
