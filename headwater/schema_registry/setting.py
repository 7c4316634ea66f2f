"""Calls that tell and set levels of compatibility and modes."""

from __future__ import annotations

from typing import Any

from headwater.schema_registry.call import Call
from headwater.schema_registry.errors import ApiError
from pipeline.schemas.subjects import GLOBAL, Subjects


def get_level(subjects: Subjects, call: Call) -> Any:
    """`GET /config` and `/config/{subject}`."""
    return {"compatibilityLevel": _setting(subjects, call, "compatibility", 40408)}


def set_level(subjects: Subjects, call: Call) -> Any:
    """`PUT /config` and `/config/{subject}`."""
    subjects.set("compatibility", call.subject, call.level())
    return {"compatibility": call.level()}


def delete_level(subjects: Subjects, call: Call) -> Any:
    """`DELETE /config` and `/config/{subject}`."""
    return {"compatibilityLevel": _let_go(subjects, call, "compatibility", 40408)}


def get_mode(subjects: Subjects, call: Call) -> Any:
    """`GET /mode` and `/mode/{subject}`."""
    return {"mode": _setting(subjects, call, "mode", 40409)}


def set_mode(subjects: Subjects, call: Call) -> Any:
    """`PUT /mode` and `/mode/{subject}`."""
    subjects.set("mode", call.subject, call.mode())
    return {"mode": call.mode()}


def delete_mode(subjects: Subjects, call: Call) -> Any:
    """`DELETE /mode/{subject}`."""
    return {"mode": _let_go(subjects, call, "mode", 40409)}


def _setting(subjects: Subjects, call: Call, name: str, absent: int) -> str:
    own = subjects.own_setting(name, call.subject)
    if own is None and call.subject != GLOBAL and not call.flag("defaultToGlobal"):
        raise _nothing_set(call, name, absent)
    return own or subjects.setting(name)


def _let_go(subjects: Subjects, call: Call, name: str, absent: int) -> str:
    own = subjects.own_setting(name, call.subject)
    if own is None and call.subject != GLOBAL:
        raise _nothing_set(call, name, absent)
    subjects.set(name, call.subject, None)
    return own or subjects.setting(name)


def _nothing_set(call: Call, name: str, absent: int) -> ApiError:
    return ApiError(
        absent, f"Subject '{call.subject}' does not have subject-level {name} configured"
    )
