"""Calls that look up schemas, subjects and versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headwater.schema_registry.call import Call
from headwater.schema_registry.errors import no_schema, no_subject, no_version
from pipeline.schemas.subjects import Subjects
from pipeline.schemas.texts import PROTOBUF, SchemaText
from pipeline.schemas.versions import StoredVersion


def schema_by_id(subjects: Subjects, call: Call) -> Any:
    """`GET /schemas/ids/{id}`: also of what is soft-deleted."""
    return _formatted(subjects, call, _by_id(subjects, call)).document


def text_by_id(subjects: Subjects, call: Call) -> str:
    """`GET /schemas/ids/{id}/schema`."""
    return _formatted(subjects, call, _by_id(subjects, call)).text


def subjects_by_id(subjects: Subjects, call: Call) -> Any:
    """`GET /schemas/ids/{id}/subjects`."""
    return [one.subject for one in _with_id(subjects, call)]


def versions_by_id(subjects: Subjects, call: Call) -> Any:
    """`GET /schemas/ids/{id}/versions`."""
    return [{"subject": one.subject, "version": one.version} for one in _with_id(subjects, call)]


def list_subjects(subjects: Subjects, call: Call) -> Any:
    """`GET /subjects`."""
    prefix = call.query.get("subjectPrefix", "").removeprefix(":*:")
    found = {one.subject for one in visible(subjects.all(), call)}
    return sorted(subject for subject in found if subject.startswith(prefix))


def list_versions(subjects: Subjects, call: Call) -> Any:
    """`GET /subjects/{subject}/versions`."""
    return [one.version for one in subject_versions(subjects, call)]


def version(subjects: Subjects, call: Call) -> Any:
    """`GET /subjects/{subject}/versions/{version}`."""
    one = one_version(subjects, call)
    return as_document(one, _formatted(subjects, call, one.schema_text))


def version_text(subjects: Subjects, call: Call) -> str:
    """`GET /subjects/{subject}/versions/{version}/schema`."""
    return _formatted(subjects, call, one_version(subjects, call).schema_text).text


def referenced_by(subjects: Subjects, call: Call) -> Any:
    """`GET /subjects/{subject}/versions/{version}/referencedby`: ids of schemas that refer to it."""
    return subjects.referring(one_version(subjects, call))


def look_up(subjects: Subjects, call: Call) -> Any:
    """`POST /subjects/{subject}`: the version that holds the schema in the body."""
    text = subjects.canonical(call.subject, call.schema())
    for one in reversed(subject_versions(subjects, call)):
        if one.canonical == text:
            return as_document(one, one.schema_text)
    raise no_schema()


def subject_versions(subjects: Subjects, call: Call) -> list[StoredVersion]:
    """Return the versions of the call's subject that it may see, at least one."""
    found = visible(subjects.versions(call.subject), call)
    if not found:
        raise no_subject(call.subject)
    return found


def one_version(subjects: Subjects, call: Call) -> StoredVersion:
    """Return the version that the call names."""
    wanted = call.version()
    for one in reversed(subject_versions(subjects, call)):
        if wanted in (None, one.version):
            return one
    raise no_version(wanted)


def visible(found: list[StoredVersion], call: Call) -> list[StoredVersion]:
    """Return what is not soft-deleted, or with `deleted=true` all, or with `deletedOnly=true` the rest."""
    if call.flag("deletedOnly"):
        return [one for one in found if one.is_deleted]
    return [one for one in found if call.flag("deleted") or not one.is_deleted]


def as_document(one: StoredVersion, schema: SchemaText) -> dict[str, Any]:
    """Return a version as the API tells of it."""
    return {"subject": one.subject, "version": one.version, "id": one.id, **schema.document}


def _with_id(subjects: Subjects, call: Call) -> list[StoredVersion]:
    found = subjects.with_id(call.schema_id)
    if not found:
        raise no_schema(f"Schema {call.schema_id}")
    return visible(found, call)


def _by_id(subjects: Subjects, call: Call) -> SchemaText:
    schema = subjects.by_id(call.schema_id)
    if schema is None:
        raise no_schema(f"Schema {call.schema_id}")
    return schema


def _formatted(subjects: Subjects, call: Call, schema: SchemaText) -> SchemaText:
    """Return a schema in the format that the call asks for: Protobuf's descriptor, or as it is."""
    if schema.type != PROTOBUF or call.query.get("format") != "serialized":
        return schema
    return replace(schema, text=subjects.serialized(schema))
