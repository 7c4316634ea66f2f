"""A fix that sets fields to SQL expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.avro.field_path import value_at, with_value
from pipeline.dead_letters.fixes.fix import Broken, Fixed, FixInvalidError

_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class MappingFix:
    """Sets fields of the payload, or the key, to SQL expressions over the payload's fields.

    Attributes:
        fields: path of a field, or `_key` -> expression, in the SQL of Polars.
    """

    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """See `Fix.text`."""
        return "; ".join(f"{target}={expression}" for target, expression in self.fields.items())

    @classmethod
    def parse(cls, texts: Sequence[str]) -> MappingFix:
        """Return the fix of texts `field=expression`.

        Raises:
            FixInvalidError: one of them is none.
        """
        found: dict[str, str] = {}
        for text in texts:
            target, equals, expression = (part.strip() for part in text.partition("="))
            if not equals or not _TARGET.fullmatch(target) or not expression or target in found:
                raise FixInvalidError(
                    f"{text!r} is not `field=expression`, or names its field a second time.",
                    subject="--fix",
                    remedy='Write for example `--fix "amount=coalesce(amount, 0)"`.',
                )
            _expression(expression)
            found[target] = expression
        return cls(found)

    def apply(self, letters: Sequence[Broken]) -> Sequence[Fixed | str]:
        """See `Fix.apply`. What is not whole is not mended."""
        made: list[Fixed | str] = ["its payload cannot be read whole"] * len(letters)
        rows = [number for number, one in enumerate(letters) if one.whole]
        values = self._values([letters[row].payload for row in rows])
        for place, row in enumerate(rows):
            one, payload, key = letters[row], letters[row].payload, letters[row].key
            for target, column in values.items():
                if isinstance(column[place], _Unfit):
                    made[row] = f"{target}: {column[place].why}"
                    break
                if target == "_key":
                    key = None if column[place] is None else str(column[place])
                else:
                    payload = with_value(payload, target, column[place])
            else:
                made[row] = Fixed(payload, one.uuid, key, one.event_time)
        return made

    def _values(self, payloads: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
        return {target: _evaluated(text, payloads) for target, text in self.fields.items()}


@dataclass(frozen=True)
class _Unfit:
    why: str


def _expression(text: str) -> pl.Expr:
    try:
        return pl.sql_expr(text)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise FixInvalidError(
            f"{text!r} is no SQL expression ({error}).",
            subject="--fix",
            remedy="Write one in the SQL of Polars, over the payload's fields.",
        ) from error


def _evaluated(text: str, payloads: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    expression = _expression(text)
    names = expression.meta.root_names()
    if not payloads:
        return []
    lacking = [name for name in names if not any(name in payload for payload in payloads)]
    if lacking:
        return [_Unfit(f"the payload has no field {lacking[0]}")] * len(payloads)
    try:
        return _column(expression, names, payloads)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        # One of them is to blame, or their types differ.
        return [_alone(expression, names, payload) for payload in payloads]


def _alone(expression: pl.Expr, names: Sequence[str], payload: Mapping[str, Any]) -> Any:
    try:
        return _column(expression, names, [payload])[0]
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        return _Unfit(str(error).splitlines()[0][:200])


def _column(
    expression: pl.Expr, names: Sequence[str], payloads: Sequence[Mapping[str, Any]]
) -> Sequence[Any]:
    # A column of the row's number, so that an expression without columns has as many values.
    given: dict[str, Any] = {"__row": range(len(payloads))}
    given |= {name: [value_at(payload, name) for payload in payloads] for name in names}
    return pl.DataFrame(given).with_columns(__made=expression).get_column("__made").to_list()
