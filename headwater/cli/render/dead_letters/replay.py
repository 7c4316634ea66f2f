"""What a replay would do, or did, and what a discard did, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from headwater.cli.render.tables import print_table
from pipeline.dead_letters.discard import DiscardResult
from pipeline.dead_letters.outbox.outgoing import Verdict
from pipeline.dead_letters.plan import ReplayPlan
from pipeline.dead_letters.replay import ReplayResult

WORDS = {
    Verdict.PASSES: "a row",
    Verdict.DUPLICATE: "a duplicate of a row",
    Verdict.FAILS: "a dead letter again",
    Verdict.NOT_FIXED: "not fixed: left alone",
}


def print_plan(plan: ReplayPlan, *, as_json: bool) -> None:
    """Print what a replay would do."""
    if as_json:
        document = {
            **_counts(plan),
            "snapshot_id": plan.snapshot_id,
            "fix": plan.fix,
            "selection": json.loads(plan.selection.to_json()),
            "examples": [
                {
                    "partition": one.partition,
                    "offset": one.offset,
                    "reason": one.reason,
                    "verdict": one.verdict.value,
                    "why": one.why,
                }
                for one in plan.examples
            ],
        }
        click.echo(json.dumps(document))
        return
    _say_selected(plan)
    _print_verdicts(plan.by_reason)
    print_table(
        "examples",
        ["where", "reason", "would be", "why"],
        [
            (f"{one.partition}/{one.offset}", one.reason, WORDS[one.verdict], one.why)
            for one in plan.examples
        ],
    )
    click.echo(f"a replay would send {plan.chosen:,} of {plan.open:,}; nothing was sent")


def print_replayed(done: ReplayResult, *, as_json: bool) -> None:
    """Print what a replay did."""
    if as_json:
        counts = {"action_id": done.action_id, "sent": done.sent, "resumed": done.resumed}
        click.echo(json.dumps({**counts, **_counts(done)}))
        return
    if done.resumed:
        click.echo(f"sent what an earlier replay had begun: {done.resumed:,} records")
    _say_selected(done)
    _print_verdicts(done.by_reason)
    if done.action_id is None:
        click.echo("nothing was sent: none of them would pass now")
    else:
        click.echo(f"sent {done.sent:,} records as {done.action_id}; once they are ingested,")
        click.echo(
            "`headwater dead-letters count` with `--action` and this id tells what became of them"
        )


def print_discarded(done: DiscardResult, *, as_json: bool) -> None:
    """Print what a discard did."""
    if as_json:
        click.echo(
            json.dumps(
                {
                    "action_id": done.action_id,
                    "selected": done.selected,
                    "discarded": done.discarded,
                    "by_fate": dict(done.by_fate),
                    "other_topic": done.other_topic,
                }
            )
        )
        return
    _say_selected(done)
    said = f" as {done.action_id}" if done.action_id else ""
    click.echo(f"discarded {done.discarded:,}{said}")


def _counts(found: ReplayPlan | ReplayResult) -> dict[str, Any]:
    return {
        "selected": found.selected,
        "by_fate": dict(found.by_fate),
        "other_topic": found.other_topic,
        "verdicts": dict(found.verdicts),
        "by_reason": [
            {"reason": reason, "verdict": verdict, "count": count}
            for (reason, verdict), count in sorted(found.by_reason.items())
        ],
    }


def _say_selected(found: ReplayPlan | ReplayResult | DiscardResult) -> None:
    left = [f"{count:,} {fate}" for fate, count in sorted(found.by_fate.items())]
    if found.other_topic:
        left.append(f"{found.other_topic:,} of an earlier topic of that name")
    beside = f"; left alone: {', '.join(left)}" if left else ""
    click.echo(f"{found.selected:,} dead letters selected{beside}")


def _print_verdicts(by_reason: Mapping[tuple[str, str], int]) -> None:
    print_table(
        "what would become of the open ones",
        ["reason", "would be", "dead letters#"],
        [
            (reason, WORDS[Verdict(verdict)], f"{count:,}")
            for (reason, verdict), count in sorted(by_reason.items())
        ],
    )
