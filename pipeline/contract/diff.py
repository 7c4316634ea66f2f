"""What changed between two versions of a contract, and whether its readers or writers break.

Producers break where a gate is stricter, readers where something goes, means something else, or is held to
less before they see it. Nobody breaks by who answers for it, when somebody is alerted, or how rows are
computed: whether a column still means the same is for people to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pipeline.contract.changes.compare import HARMLESS, Change, fields, named, names, value
from pipeline.contract.changes.derived_tables import DERIVED_TABLE
from pipeline.contract.changes.schemas import columns, schemas
from pipeline.contract.model import Gates, Product, Rule, Slo


def diff_products(old: Product, new: Product) -> tuple[Change, ...]:
    """Return every change from `old` to `new`, ordered by path. Pure; both are valid contracts.

    All that contracts say is compared, but for the order of things that have names.
    """
    changes = [
        *_PRODUCT("", old, new),
        *schemas(old, new),
        *columns(old, new),
        *named(
            partial(_slos, old.name), value(breaks=False, show=_objective), removed_breaks=False
        )("slos", old.slos, new.slos),
        *named(names, DERIVED_TABLE, removed_breaks=True)(
            "derived_tables", old.derived_tables, new.derived_tables
        ),
    ]
    return tuple(sorted(changes))


def _is_shorter(before: int, after: int) -> bool:
    return after != -1 and (before == -1 or after < before)


def _gates(path: str, old: Gates, new: Gates) -> Iterator[Change]:
    for name in Gates.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        # No late limit is the strict gate: the freshness limit.
        was, now = (
            gates.freshness_s if limit is None else limit
            for gates, limit in ((old, before), (new, after))
        )
        if before != after:
            yield Change(f"{path}.{name}", f"{before} -> {after}", now < was)


def _reference_columns(path: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    if lost := sorted(set(old) - set(new)):
        yield Change(path, f"without {', '.join(lost)}", breaking=True)
    if gained := sorted(set(new) - set(old)):
        yield Change(path, f"with {', '.join(gained)}", breaking=False)


def _rules(rules: tuple[Rule, ...]) -> Mapping[str, list[Rule]]:
    stated: dict[str, list[Rule]] = {}
    for rule in rules:
        stated.setdefault(f"{rule.column}.{rule.check}", []).append(rule)
    return stated


def _arguments(rules: list[Rule]) -> str:
    return ", ".join(repr(rule.arguments) for rule in rules)


def _slos(product: str, slos: tuple[Slo, ...]) -> Mapping[str, Slo]:
    return {f"{slo.element or product}.{slo.property}": slo for slo in slos}


def _objective(slo: Slo) -> str:
    return f"{slo.value:g} {slo.unit} at {slo.target:g} of {slo.window_s:g} s"


_PRODUCT = fields(
    version=HARMLESS,
    owner=HARMLESS,
    domain=HARMLESS,
    description=HARMLESS,
    cells=named(names, HARMLESS, removed_breaks=True),
    # More partitions move keys; another key, clock or envelope gives old and new rows other meanings.
    topic=fields(
        replication=HARMLESS,
        history=HARMLESS,
        start=HARMLESS,
        retention=fields(hot_ms=value(_is_shorter), warm_ms=value(_is_shorter)),
    ),
    envelope_schema=None,
    payload_schemas=None,
    # Producers' own: what records are read by is what the registry has.
    proto=value(breaks=False, show=lambda texts: f"{len(texts)} files"),
    unlisted=HARMLESS,
    columns=None,
    gates=_gates,
    rules=named(_rules, value(breaks=False, show=_arguments), removed_breaks=False),
    references=named(
        names,
        fields(source=HARMLESS, columns=_reference_columns, valid_from=HARMLESS),
        removed_breaks=True,
    ),
    derived_tables=None,
    slos=None,
    allowed_lateness_s=HARMLESS,
    first_hour=HARMLESS,
    # Its readers are given nothing more where it goes.
    dead_letter_topic=value(lambda old, _: old is not None),
    folder=None,
)
