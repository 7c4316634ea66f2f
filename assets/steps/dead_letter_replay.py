"""A replay's run, tried or done: what the engine found, told as an observation of dead letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.dead_letters.config import DryRunConfig, ReplayConfig, SelectionConfig
from assets.keys import Keys
from assets.steps.parent_run import parent_run
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.settings.units import parse_instant
from pipeline.dead_letters.fixes.fix import Fix, FixInvalidError
from pipeline.dead_letters.fixes.function import CallableFix
from pipeline.dead_letters.fixes.mapping import MappingFix
from pipeline.dead_letters.look.without_values import without_values
from pipeline.dead_letters.plan import ReplayPlan, plan_replay
from pipeline.dead_letters.replay import ReplayResult, replay
from pipeline.dead_letters.selection import Selection
from pipeline.errors import TerminalError


class SelectionInvalidError(TerminalError):
    """A run's config selects dead letters by what is no time."""


def dry_run_letters(
    context: dg.OpExecutionContext, cell: Cell, keys: Keys, config: DryRunConfig
) -> None:
    """Try a replay, and log what would become of the dead letters.

    Raises: as `plan_replay`; SelectionInvalidError, FixInvalidError: the config cannot be used.
    """
    fix = _fix(keys.product, config)
    found = plan_replay(
        cell,
        keys.product,
        _selection(config),
        fix,
        on_progress=lambda count: context.log.info(f"{count:,} dead letters tried."),
    )
    _tell(
        context,
        keys,
        {
            "dry run": True,
            "would be replayed": found.chosen,
            **_counts(found),
            "fix": found.fix or "as they are",
            "examples": _examples(found),
        },
    )


def replay_letters(
    context: dg.OpExecutionContext, cell: Cell, keys: Keys, config: ReplayConfig
) -> None:
    """Replay dead letters, and log what was done.

    Raises: as `replay`; SelectionInvalidError, FixInvalidError: the config cannot be used.
    """
    done = replay(
        cell,
        keys.product,
        _selection(config),
        fix=_fix(keys.product, config),
        by=config.by,
        reason=config.reason,
        on_progress=lambda what, count: context.log.info(f"{count:,} dead letters {what}."),
        parent=parent_run(context),
    )
    _tell(
        context,
        keys,
        {
            "dry run": False,
            "action id": done.action_id or "",
            "records sent": done.sent,
            "sent of replays that were killed": done.resumed,
            **_counts(done),
        },
    )


def _tell(context: dg.OpExecutionContext, keys: Keys, metadata: Mapping[str, Any]) -> None:
    context.log_event(dg.AssetObservation(keys.dead_letters, metadata=dict(metadata)))


def _counts(found: ReplayPlan | ReplayResult) -> dict[str, Any]:
    records = [
        dg.TableRecord({"reason": reason, "verdict": verdict, "dead letters": count})
        for (reason, verdict), count in sorted(found.by_reason.items())
    ]
    columns = [
        dg.TableColumn("reason"),
        dg.TableColumn("verdict"),
        dg.TableColumn("dead letters", "int"),
    ]
    return {
        "selected": found.selected,
        "by verdict": dg.MetadataValue.json(dict(found.verdicts)),
        "left alone, by fate": dg.MetadataValue.json(dict(found.by_fate)),
        "of an earlier topic": found.other_topic,
        "by reason": dg.MetadataValue.table(records, dg.TableSchema(columns)),
    }


def _examples(found: ReplayPlan) -> dg.TableMetadataValue:
    columns = ("partition", "offset", "reason", "verdict", "why")
    records = [
        dg.TableRecord(
            {
                "partition": one.partition,
                "offset": one.offset,
                "reason": one.reason,
                "verdict": one.verdict.value,
                # It may quote what is wrong.
                "why": without_values("", one.why),
            }
        )
        for one in found.examples
    ]
    return dg.MetadataValue.table(records, dg.TableSchema([dg.TableColumn(c) for c in columns]))


def _selection(config: SelectionConfig) -> Selection:
    given = {name: getattr(config, name) for name in SelectionConfig.model_fields}
    try:
        times = {
            name: parse_instant(given[name])
            for name in ("since", "until")
            if given[name] is not None
        }
    except ValueError as error:
        raise SelectionInvalidError(
            f"`since` and `until` are times: {error}.",
            subject="the run's config",
            remedy="Write a time such as 2026-11-30T12:00:00Z.",
        ) from error
    return Selection(**{**given, "reasons": tuple(config.reasons), **times})


def _fix(product: Product, config: DryRunConfig) -> Fix | None:
    if config.fix and config.fix_function:
        raise FixInvalidError(
            "`fix` and `fix_function` are both given.",
            subject="the run's config",
            remedy="Give one of them.",
        )
    if config.fix_function:
        return CallableFix.load(product, config.fix_function)
    return MappingFix.parse(config.fix) if config.fix else None
