"""A registry of the cell's own: how it is chosen, what is sent to it, and what its answers become."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from headwater.stack.ports import free_port
from pipeline.avro.compatibility import IncompatibleSchemaError
from pipeline.cells import CellInvalidError, embedded_cell
from pipeline.errors import HeadwaterError, PoisonError, RetryableError, TerminalError
from pipeline.schemas.http import HttpRegistry
from pipeline.schemas.open import open_registry
from pipeline.schemas.registry import (
    RegistryRefusedError,
    RegistryUnavailableError,
    SchemaNotFoundError,
)
from tests.support.certificates import self_signed
from tests.support.http_here import QuietHandler, serving
from tests.support.registry_server import ask, served

READING = {"type": "record", "name": "Reading", "fields": [{"name": "value", "type": "int"}]}
ONCE = {"max.retries": 0}


@dataclass
class Answers:
    """What stands before a registry: it answers each call in the same way."""

    status: int = 200
    body: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def at(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Yield its address."""
        answers = self

        class Handler(QuietHandler, BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.asked.append(dict(self.headers.items()))
                self.send_response(answers.status)
                self.end_headers()
                self.wfile.write(answers.body.encode())

        with serving(Handler, tls) as url:
            yield url


def error_of(settings: dict[str, Any]) -> HeadwaterError:
    with pytest.raises(HeadwaterError) as caught:
        HttpRegistry(ONCE | settings).schema(1)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "class_"),
    [
        (401, {"error_code": 401, "message": "Unauthorized"}, RegistryRefusedError, TerminalError),
        (403, {"error_code": 40301, "message": "Denied"}, RegistryRefusedError, TerminalError),
        (404, {"error_code": 40403, "message": "Not found"}, SchemaNotFoundError, PoisonError),
        (404, "<html>no such page</html>", RegistryRefusedError, TerminalError),
        (200, "<html>log in</html>", RegistryRefusedError, TerminalError),
        (200, {"schema": "{}", "schemaType": "JSON"}, SchemaNotFoundError, PoisonError),
        (429, "slow down", RegistryUnavailableError, RetryableError),
        (500, {"error_code": 50001, "message": "Store"}, RegistryUnavailableError, RetryableError),
        (503, "", RegistryUnavailableError, RetryableError),
    ],
)
def test_an_answer_is_an_error_by_what_may_be_done(
    status: int, body: object, kind: type[HeadwaterError], class_: type[HeadwaterError]
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with Answers(status, text).at() as url:
        error = error_of({"url": url})
    assert type(error) is kind
    assert isinstance(error, class_)


def test_one_that_does_not_answer_is_worth_another_try() -> None:
    error = error_of({"url": f"http://127.0.0.1:{free_port()}"})
    assert type(error) is RegistryUnavailableError
    assert "Connection refused" in str(error)


def test_a_call_is_tried_again_before_it_is_given_up() -> None:
    answers = Answers(503)
    settings = {"max.retries": 2, "retries.wait.ms": 1}
    with answers.at() as url, pytest.raises(RegistryUnavailableError):
        HttpRegistry({"url": url, **settings}).schema(1)
    assert len(answers.asked) == 3


def test_a_certificate_that_is_not_trusted_is_refused_and_one_that_is_is_taken(
    tmp_path: Path,
) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Answers(body=json.dumps({"schema": json.dumps(READING)})).at(context) as url:
        error = error_of({"url": url})
        assert type(error) is RegistryRefusedError
        assert "CERTIFICATE_VERIFY_FAILED" in str(error)
        trusting = HttpRegistry({"url": url, "ssl.ca.location": str(certificate)})
        assert trusting.schema(1) == READING


@pytest.mark.parametrize("in_url", [False, True])
def test_user_and_password_are_sent_and_in_no_message(in_url: bool) -> None:
    answers = Answers(401)
    with answers.at() as url:
        settings = (
            {"url": url.replace("://", "://me:hush@")}
            if in_url
            else {"url": url, "basic.auth.user.info": "me:hush"}
        )
        error = error_of(settings)
    (sent,) = answers.asked
    assert sent["Authorization"] == f"Basic {base64.b64encode(b'me:hush').decode()}"
    assert "hush" not in str(error)
    assert url in str(error)


def test_what_was_found_by_id_is_not_asked_for_again() -> None:
    answers = Answers(body=json.dumps({"schema": json.dumps(READING)}))
    with answers.at() as url:
        registry = HttpRegistry({"url": url})
        assert [registry.schema(1) for _ in range(3)] == [READING] * 3
    assert len(answers.asked) == 1


def test_earlier_data_is_readable_whatever_the_level_there(tmp_path: Path) -> None:
    unit = {"name": "unit", "type": "string"}
    with served(tmp_path / "registry.db") as url:
        assert ask(url, "PUT", "/config", {"compatibility": "NONE"})[0] == 200
        registry = HttpRegistry({"url": url})
        registry.register("a-value", READING)
        with pytest.raises(IncompatibleSchemaError, match="version 1 /fields/unit"):
            registry.register("a-value", READING | {"fields": [*READING["fields"], unit]})
        assert registry.latest("a-value").version == 1


def test_what_the_level_there_does_not_permit_is_refused(tmp_path: Path) -> None:
    with served(tmp_path / "registry.db") as url:
        assert ask(url, "PUT", "/config", {"compatibility": "FULL"})[0] == 200
        registry = HttpRegistry({"url": url})
        registry.register("a-value", READING)
        with pytest.raises(RegistryRefusedError, match="409"):
            registry.register("a-value", READING | {"fields": []})
        assert ask(url, "PUT", "/mode", {"mode": "READONLY"})[0] == 200
        with pytest.raises(RegistryRefusedError, match="read-only"):
            registry.register("b-value", READING)


def test_what_was_deleted_there_is_registered_again(tmp_path: Path) -> None:
    with served(tmp_path / "registry.db") as url:
        registry = HttpRegistry({"url": url})
        registry.register("a-value", READING)
        assert ask(url, "DELETE", "/subjects/a-value") == (200, [1])
        assert registry.register("a-value", READING).version == 2


def test_a_cell_that_names_one_uses_it_and_makes_no_file(tmp_path: Path) -> None:
    embedded = embedded_cell(tmp_path, "us", "127.0.0.1:1")
    with served(tmp_path / "there.db") as url:
        registry = open_registry(replace(embedded, schema_registry={"url": url}))
        id_ = registry.register("a-value", READING).id
        assert ask(url, "GET", f"/schemas/ids/{id_}/subjects") == (200, ["a-value"])
    assert not embedded.registry_db.exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": 5},
        {"url": "registry:8081"},
        {"url": "http://r", "ssl.ca": "x"},
        {"url": "https://r", "ssl.ca.location": "/absent.pem"},
    ],
)
def test_settings_that_the_client_does_not_take_are_the_cells_fault(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    cell = replace(embedded_cell(tmp_path, "us", "127.0.0.1:1"), schema_registry=settings)
    with pytest.raises(CellInvalidError, match=r"cell.s settings"):
        open_registry(cell)
