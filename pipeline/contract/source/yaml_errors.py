"""What libyaml finds wrong, in words that help, at the place where it was done."""

from __future__ import annotations

from typing import Any, NamedTuple

from yaml import events

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")
_IN_ITS_BEGINNING = ("scanning a simple key", "a flow sequence", "a flow mapping", "quoted scalar")
"""What has its mistake where it begins, and not where the parser could not go on."""
_WORDS = {
    "could not find expected ':'": "`key: value`; a colon with a space after it is missing",
    "did not find expected ',' or ']'": "a `]` for this `[`, or a comma between its values",
    "did not find expected ',' or '}'": "a `}` for this `{`, or a comma between its values",
    "mapping values are not allowed in this context": (
        "quotes around a text that has `: ` in it, or a key as far right as those beside it"
    ),
    "did not find expected key": "a key as far right as those beside it",
    "did not find expected '-' indicator": "a `-` as far right as those beside it",
    "found unexpected end of stream": "a quote at the end of this text",
}


class Told(NamedTuple):
    """A mistake in words and its place, counted from 1."""

    expected: str
    line: int
    column: int


def explained(text: str, error: Any, last: Any) -> Told:
    """Return what is wrong with `text`, of which `last` was the last event that could be read."""
    mark: Any = error.problem_mark
    problem = str(error.problem)
    if any(one in str(error.context) for one in _IN_ITS_BEGINNING) and error.context_mark:
        mark = error.context_mark
    if mark is None:
        return Told(problem, 1, 0)
    line, column = mark.line + 1, mark.column + 1
    lines = text.splitlines() or [""]
    here = lines[mark.line] if mark.line < len(lines) else ""
    conflict = next((n for n, one in enumerate(lines, 1) if one.startswith(_CONFLICT)), None)
    if conflict is not None and conflict <= line:
        return Told("no marks of a merge that is not done", conflict, 1)
    if problem == "found character that cannot start any token":
        character = here[mark.column : mark.column + 1]
        if character == "\t":
            return Told("spaces; here is a tab", line, column)
        return Told(f"quotes around a text that begins with {character!r}", line, column)
    if isinstance(last, events.ScalarEvent) and last.style in ("'", '"'):
        begin: Any = last.start_mark
        end: Any = last.end_mark
        if begin.line < end.line and end.line in (mark.line, mark.line - 1):
            expected = f"a quote at the end of this text, which goes on to line {end.line + 1}"
            return Told(expected, begin.line + 1, begin.column + 1)
    return Told(_WORDS.get(problem, problem), line, column)
