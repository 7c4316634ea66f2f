"""The routes of Confluent's API, and how a call becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headwater.schema_registry import reading, setting, writing
from headwater.schema_registry.backend import Answer, Backend
from headwater.schema_registry.call import Call
from headwater.schema_registry.errors import ApiError
from pipeline.schemas.sqlite import SqliteRegistry

MEDIA = "application/vnd.schemaregistry.v1+json"
TAKEN = (
    MEDIA,
    "application/vnd.schemaregistry+json",
    "application/json",
    "application/octet-stream",
)
LOCAL_NAMES = ["127.0.0.1", "localhost"]
"""Names that a call may use for the server: a page of another site has none of them."""

_IDS, _SUBJECTS = "/schemas/ids/{id:int}", "/subjects"
_VERSIONS = "/subjects/{subject:path}/versions"
_ONE = f"{_VERSIONS}/{{version}}"

# A subject may have slashes: longer routes come first.
ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", _IDS, reading.schema_by_id),
    ("GET", f"{_IDS}/schema", reading.text_by_id),
    ("GET", f"{_IDS}/subjects", reading.subjects_by_id),
    ("GET", f"{_IDS}/versions", reading.versions_by_id),
    ("POST", "/compatibility" + _ONE, writing.check_one),
    ("POST", "/compatibility" + _VERSIONS, writing.check_all),
    ("GET", f"{_ONE}/schema", reading.version_text),
    ("GET", f"{_ONE}/referencedby", reading.referenced_by),
    ("GET", _ONE, reading.version),
    ("DELETE", _ONE, writing.delete_version),
    ("GET", _VERSIONS, reading.list_versions),
    ("POST", _VERSIONS, writing.register),
    ("GET", _SUBJECTS, reading.list_subjects),
    ("POST", _SUBJECTS + "/{subject:path}", reading.look_up),
    ("DELETE", _SUBJECTS + "/{subject:path}", writing.delete_subject),
    *(
        (method, path, answer)
        for method, name, answer in (
            ("GET", "config", setting.get_level),
            ("PUT", "config", setting.set_level),
            ("DELETE", "config", setting.delete_level),
            ("GET", "mode", setting.get_mode),
            ("PUT", "mode", setting.set_mode),
            ("DELETE", "mode", setting.delete_mode),
        )
        for path in (f"/{name}", f"/{name}/{{subject:path}}")
    ),
)
CONSTANT: Mapping[str, Any] = {"/": {}, "/contexts": ["."], "/schemas/types": ["AVRO", "PROTOBUF"]}
"""Answers that need no registry."""


def application(open_registry: Callable[[], SqliteRegistry]) -> Starlette:
    """Return the service over a registry; see `Backend` for when it is opened."""
    backend = Backend(open_registry)
    routes = [Route(path, _constant(answer), methods=["GET"]) for path, answer in CONSTANT.items()]
    # Of one path all methods are one route, for it is a path's first route that refuses a method.
    for path in dict.fromkeys(path for _, path, _ in ROUTES):
        answers = {method: answer for method, place, answer in ROUTES if place == path}
        routes.append(Route(path, _endpoint(backend, answers), methods=list(answers)))
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _refused},
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_NAMES)],
    )


def _constant(document: Any) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        del request
        return _json(document)

    return endpoint


def _endpoint(backend: Backend, answers: Mapping[str, Answer]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
            kind = request.headers.get("content-type", MEDIA).partition(";")[0].strip()
            if body and kind not in TAKEN:
                raise ApiError(415, "HTTP 415 Unsupported Media Type")
            path = {name: str(value) for name, value in request.path_params.items()}
            call = Call(path, dict(request.query_params), body)
            # Starlette answers HEAD wherever it answers GET.
            answer = answers["GET" if request.method == "HEAD" else request.method]
            return _json(await backend.answer(answer, call))
        except ApiError as error:
            return _error(error)

    return endpoint


def _json(document: Any, status: int = 200) -> Response:
    # A schema's own text is an answer by itself.
    text = document if isinstance(document, str) else json.dumps(document)
    return Response(text, status, media_type=MEDIA)


def _error(error: ApiError) -> Response:
    return _json({"error_code": error.code, "message": error.message}, error.status)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error(ApiError(status, f"HTTP {status} {getattr(error, 'detail', '')}"))
