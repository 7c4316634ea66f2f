"""Calls that register, check and delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headwater.schema_registry.call import Call
from headwater.schema_registry.errors import ApiError, invalid_schema, no_subject, no_version
from headwater.schema_registry.reading import one_version, visible
from pipeline.avro.compatibility import IncompatibleSchemaError
from pipeline.avro.validity import NotAvroError, require_avro
from pipeline.schemas.levels import require_level
from pipeline.schemas.subjects import Subjects
from pipeline.schemas.texts import SchemaText
from pipeline.schemas.versions import StoredVersion


def register(subjects: Subjects, call: Call) -> Any:
    """`POST /subjects/{subject}/versions`."""
    schema = call.schema()
    _require_writable(subjects, call)
    return {"id": subjects.register(call.subject, schema).id}


def delete_subject(subjects: Subjects, call: Call) -> Any:
    """`DELETE /subjects/{subject}`: for good only what was deleted before."""
    _require_writable(subjects, call)
    subject, found = call.subject, subjects.versions(call.subject)
    live = [one for one in found if not one.is_deleted]
    if not found:
        raise no_subject(subject)
    if call.flag("permanent"):
        if live:
            raise ApiError(
                40405,
                f"Subject '{subject}' was not deleted first before being permanently deleted",
            )
        _require_unreferred(subjects, found)
        subjects.delete_for_good(found)
        return [one.version for one in found]
    if not live:
        raise ApiError(
            40404,
            f"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently",
        )
    _require_unreferred(subjects, live)
    subjects.soft_delete(live)
    for name in ("compatibility", "mode"):
        subjects.set(name, subject, None)
    return [one.version for one in live]


def delete_version(subjects: Subjects, call: Call) -> Any:
    """`DELETE /subjects/{subject}/versions/{version}`: for good only what was deleted before."""
    _require_writable(subjects, call)
    one = _any_version(subjects, call)
    where = f"Subject '{one.subject}' Version {one.version}"
    if call.flag("permanent"):
        if not one.is_deleted:
            raise ApiError(40407, f"{where} was not deleted first before being permanently deleted")
        _require_unreferred(subjects, [one])
        subjects.delete_for_good([one])
    elif one.is_deleted:
        raise ApiError(40406, f"{where} was soft deleted. Set permanent=true to delete permanently")
    else:
        _require_unreferred(subjects, [one])
        subjects.soft_delete([one])
    return one.version


def check_all(subjects: Subjects, call: Call) -> Any:
    """`POST /compatibility/subjects/{subject}/versions`: against those that the subject's level names."""
    return _checked(subjects, call, visible(subjects.versions(call.subject), call))


def check_one(subjects: Subjects, call: Call) -> Any:
    """`POST /compatibility/subjects/{subject}/versions/{version}`."""
    is_latest = call.version() is None
    if is_latest and not visible(subjects.versions(call.subject), call):
        return _checked(subjects, call, [])
    return _checked(subjects, call, [one_version(subjects, call)])


def _checked(subjects: Subjects, call: Call, earlier: list[StoredVersion]) -> Any:
    schema = call.schema()
    messages: list[str] = []
    try:
        if not isinstance(schema, SchemaText):
            require_avro(schema)
        new = subjects.parsed(call.subject, schema)
        level = subjects.setting("compatibility", call.subject)
        versions = [(one.version, subjects.parsed_version(one)) for one in earlier]
        require_level(level, call.subject, new, versions)
    except NotAvroError as error:
        raise invalid_schema(str(error)) from None
    except IncompatibleSchemaError as error:
        messages = [
            f"version {version} {one}"
            for version, found in error.incompatibilities.items()
            for one in found
        ]
    told = {"messages": messages} if call.flag("verbose") else {}
    return {"is_compatible": not messages, **told}


def _any_version(subjects: Subjects, call: Call) -> StoredVersion:
    """Return the version that a deletion names; the latest is one that is not deleted."""
    found, wanted = subjects.versions(call.subject), call.version()
    if not found:
        raise no_subject(call.subject)
    for one in reversed(found):
        if one.version == wanted or (wanted is None and not one.is_deleted):
            return one
    raise no_version("latest" if wanted is None else wanted)


def _require_unreferred(subjects: Subjects, versions: Sequence[StoredVersion]) -> None:
    going = {one.id for one in versions}
    for one in versions:
        if set(subjects.referring(one)) - going:
            raise ApiError(
                42206,
                f"One or more references exist to the schema of '{one.subject}' version {one.version}",
            )


def _require_writable(subjects: Subjects, call: Call) -> None:
    global_mode = subjects.setting("mode")
    mode = (
        global_mode
        if global_mode == "READONLY_OVERRIDE"
        else subjects.setting("mode", call.subject)
    )
    if mode.startswith("READONLY"):
        raise ApiError(42205, f"Subject {call.subject} is in read-only mode")
