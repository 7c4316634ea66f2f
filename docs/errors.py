"""Every named error of the code with its cause and remedies: docs/reference/errors.md, which this prints.

Usage: `python -m docs.errors > docs/reference/errors.md`. The code is read and not run.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.rooms import ROOT, TOP

KINDS = {
    "RetryableError": "retryable, 4",
    "TerminalError": "terminal, 3",
    "PoisonError": "dead letter",
}
"""Base class -> how its errors are dealt with, and the exit code of a command that ends in one."""
_BY_KIND = {"RetryableError": ("See that it is there, then try again.",)}
"""What to do about an error that says no more than its kind."""
_GAP = "…"
"""What stands in a remedy for what only the occasion knows."""
_HEAD = """\
# Errors

<!-- Written by `python -m docs.errors`. -->

Every error that has a name: Dagster shows it with a run, a command prints its message after `error:`, and
programs catch it by the class of that name. A retryable one may not come again: Dagster's sensors try by
themselves. A terminal one comes again until somebody acts. What only the occasion knows stands here as …; the
message has it.

| error | kind, exit code | cause | what to do |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class NamedError:
    """One class of errors.

    Attributes:
        name: of the class.
        kind: the class of `KINDS` that it is of.
        cause: the first paragraph of its docstring.
        remedies: what its messages say is to be done, as they stand in the code.
    """

    name: str
    kind: str
    cause: str
    remedies: tuple[str, ...]


def named_errors(root: Path = ROOT) -> tuple[NamedError, ...]:
    """Return the named errors of every package, by name."""
    trees = [
        ast.parse(file.read_text()) for top in TOP for file in sorted((root / top).rglob("*.py"))
    ]
    classes = {
        node.name: node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    remedies: dict[str, dict[str, None]] = defaultdict(dict)
    for tree in trees:
        for name, remedy in _remedies(tree, classes):
            remedies[name][remedy] = None
    return tuple(
        NamedError(
            name, kind, _first_paragraph(node), tuple(remedies[name]) or _BY_KIND.get(kind, ())
        )
        for name, node in sorted(classes.items())
        if name not in KINDS
        and not name.startswith("_")
        and (kind := _kind(name, classes)) is not None
    )


def page(errors: tuple[NamedError, ...]) -> str:
    """Return the page that lists `errors`."""
    rows = (
        f"| `{one.name}` | {KINDS[one.kind]} | {_cell(one.cause)} | {_cell('<br>'.join(one.remedies))} |\n"
        for one in errors
    )
    return _HEAD + "".join(rows)


def _kind(name: str, classes: Mapping[str, ast.ClassDef]) -> str | None:
    if name in KINDS:
        return name
    bases = classes[name].bases if name in classes else []
    found = (_kind(base.id, classes) for base in bases if isinstance(base, ast.Name))
    return next((kind for kind in found if kind is not None), None)


def _remedies(tree: ast.Module, classes: Mapping[str, ast.ClassDef]) -> Iterator[tuple[str, str]]:
    """Yield each remedy with the error that it is given to, where it is made or by its own class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and _kind(node.name, classes):
            yield from (
                (node.name, text) for call in _calls(node) for text in _told(call, node, tree)
            )
        elif isinstance(node, ast.FunctionDef):
            for call in _calls(node):
                # Of functions that are given classes to make, it is the last one's.
                ids = [one.id for one in (call.func, *call.args) if isinstance(one, ast.Name)]
                made = [one for one in ids if one in classes][-1:]
                yield from ((name, text) for text in _told(call, node, tree) for name in made)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))


def _told(call: ast.Call, within: ast.AST, module: ast.Module) -> Iterator[str]:
    """Yield what the argument `remedy` of a call may be; of a variable, all that it is set to."""
    for keyword in call.keywords:
        if keyword.arg != "remedy":
            continue
        if not isinstance(keyword.value, ast.Name):
            yield from _texts(keyword.value)
            continue
        for inner in (*ast.walk(within), *module.body):
            targets = inner.targets if isinstance(inner, ast.Assign) else ()
            if any(isinstance(one, ast.Name) and one.id == keyword.value.id for one in targets):
                yield from _texts(inner.value)  # type: ignore[attr-defined]


def _texts(value: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be."""
    match value:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else _GAP for one in parts
            )
        case ast.IfExp(body=body, orelse=other):
            yield from (*_texts(body), *_texts(other))


def _first_paragraph(node: ast.ClassDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(named_errors()))
