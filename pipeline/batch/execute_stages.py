"""Executing the stages of a range of hours, each by a handler of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from pipeline.batch.context import RangeContext
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.derive import derive_feature_table
from pipeline.batch.model import (
    UNKNOWN_INPUTS,
    HourOutcome,
    NotReached,
    RangeOutcome,
    Rejected,
    Staged,
    StagedHour,
    Verdict,
)
from pipeline.batch.planning.stages import (
    Audit,
    DeriveFeatures,
    HourStage,
    Publish,
    Record,
    Release,
    Stage,
)
from pipeline.batch.planning.staleness import fingerprint
from pipeline.batch.wap.audit_frame import AuditFunction, StagedRows
from pipeline.batch.wap.digest import Digests, digests
from pipeline.batch.wap.publish import publish, refuse_changed
from pipeline.batch.wap.stage import emptied_hours, stage, stage_again, staged_frame
from pipeline.batch.wap.tags import protect, release
from pipeline.clock import HOUR
from pipeline.control.alerts import Alert, AlertKind, raise_alerts
from pipeline.control.publications import Publication, record
from pipeline.failpoints import failpoint

STAGINGS = 3
"""How often hours are staged before a main that keeps changing wins."""

_VISIBLE = (Publish, DeriveFeatures, Record)
"""Stages whose work others see: only an owner of the lock does it."""


@dataclass(frozen=True)
class Progress:
    """What the stages of a range that are done have come to.

    Attributes:
        staged: the hours that go on, as they are staged.
        staged_again: whether that is after the audit, without those that did not pass.
        met: expectations that were met, by hour; none of an hour without rows.
        published_snapshot_id: main's that holds the rows; None where no hour has rows.
        digests: of the published rows, by hour.
        outcomes: of the hours that are done.
    """

    staged: Staged | None = None
    staged_again: bool = False
    met: Mapping[datetime, int] = field(default_factory=dict)
    published_snapshot_id: int | None = None
    digests: Mapping[datetime, Digests] = field(default_factory=dict)
    outcomes: Mapping[datetime, RangeOutcome] = field(default_factory=dict)


class StageExecutor:
    """Executes the stages of a range. Ended in between, the next build of its hours makes it good."""

    def __init__(self, context: RangeContext, audit: AuditFunction | None = None) -> None:
        """Execute in `context`; stages with an audit need one."""
        self._context = context
        self._audit = audit

    def execute(
        self, stages: Sequence[HourStage], begun: Progress | None = None
    ) -> Mapping[datetime, RangeOutcome]:
        """Execute `stages` in their order, going on from `begun`, until every hour is done.

        Hours that do not pass leave the others to go on, unless these are computed with them: of a table that
        depends on its past all after the first such hour are `NotReached`. Where an hour has changed on main
        before they were published, those that are not done are staged again.

        Raises:
            StagingOutdatedError: main kept changing.
            ValueError: `stages` do not end with a record, or need what those before them give.
            What `stage`, `publish`, `derive_feature_table`, `record`, `raise_alerts` and the audit raise.
        """
        begun = begun or Progress()
        position, stagings, progress = 0, 1, begun
        while set(self._context.hours) - set(progress.outcomes):
            if position == len(stages):
                raise ValueError("the stages end before the hours are done")
            try:
                progress = self._execute(stages[position], progress)
            except StagingOutdatedError:
                if not isinstance(stages[position], Publish) or stagings == STAGINGS:
                    raise
                position, stagings = 0, stagings + 1
                progress = replace(begun, outcomes=progress.outcomes)
            else:
                position += 1
        return progress.outcomes

    def _execute(self, at: HourStage, progress: Progress) -> Progress:
        self._context.at_stage(at.kind)
        if isinstance(at, Stage):
            return self._stage(progress)
        staged = progress.staged
        if staged is None:
            raise ValueError(f"nothing is staged to {at.kind}")
        if isinstance(at, _VISIBLE):
            self._context.confirm()
        match at:
            case Audit():
                return self._hold_to_audit(staged, progress)
            case Publish():
                return self._publish(staged, progress)
            case DeriveFeatures():
                return self._derive_features(staged, progress)
            case Release():
                return self._release(staged, progress)
            case Record():
                return self._record(staged, progress)
            case _:
                assert_never(at)

    def _stage(self, progress: Progress) -> Progress:
        left = set(self._context.hours) - set(progress.outcomes)
        staged = stage(self._context.only(left))
        ended = self._ended(left, emptied_hours(self._context.cell, staged))
        return replace(
            progress,
            staged=staged.only(left - set(ended)),
            outcomes={**progress.outcomes, **ended},
        )

    def _ended(
        self, hours: Collection[datetime], unpublished: Mapping[datetime, HourOutcome]
    ) -> Mapping[datetime, RangeOutcome]:
        """Return what becomes of hours some of which are not to be published, without those that go on."""
        if not unpublished or not self._context.derived_table.depends_on_past:
            return unpublished
        first = min(unpublished)
        after = (hour for hour in hours if hour > first)
        return {first: unpublished[first], **dict.fromkeys(after, NotReached())}

    def _hold_to_audit(self, staged: Staged, progress: Progress) -> Progress:
        if self._audit is None:
            raise ValueError("there is no audit")
        if not staged.with_rows:
            return progress
        verdicts = self._audit(StagedRows(self._context, staged))
        failpoint("hour.after_audit")
        rejected = {
            hour: Rejected(staged.only([hour]), verdict)
            for hour, verdict in verdicts.items()
            if not verdict.passed
        }
        ended = self._ended(staged.starts, rejected)
        if ended:
            staged = self._set_aside(staged, ended)
        return replace(
            progress,
            staged=staged,
            staged_again=bool(ended and staged.with_rows),
            met={hour: verdict.met for hour, verdict in verdicts.items()},
            outcomes={**progress.outcomes, **ended},
        )

    def _set_aside(self, staged: Staged, ended: Mapping[datetime, RangeOutcome]) -> Staged:
        """Keep hours that did not pass for inspection, and return the staging of the others, alone."""
        # The alert is seen by all, and the tags would outlast another owner's build of these hours.
        self._context.confirm()
        rejected = {hour: one for hour, one in ended.items() if isinstance(one, Rejected)}
        # Each under its own name: it goes once that hour is built again, and not with the first.
        protect(self._context.cell, staged.only(rejected), list(rejected))
        self._alert({hour: one.verdict for hour, one in rejected.items()}, staged.wap_id)
        passed = staged.only(set(staged.starts) - set(ended))
        if not passed.with_rows:
            return passed
        again = stage_again(self._context.only(passed.starts), passed)
        failpoint("hour.after_stage_again")
        # What main had when the rows were computed is what it is to have when they are published.
        return replace(again, base_snapshot_id=staged.base_snapshot_id)

    def _publish(self, staged: Staged, progress: Progress) -> Progress:
        if progress.staged_again and self._context.derived_table.feature is None:
            refuse_changed(self._context.cell, staged)
        snapshot_id = publish(self._context.spark, self._context.cell, staged)
        failpoint("hour.after_publish")
        return replace(progress, published_snapshot_id=snapshot_id)

    def _derive_features(self, staged: Staged, progress: Progress) -> Progress:
        feature = self._context.derived_table.feature
        if feature is None:
            raise ValueError("only a feature table has features to derive")
        derive_feature_table(self._context, feature, staged)
        return progress

    def _release(self, staged: Staged, progress: Progress) -> Progress:
        found: Mapping[datetime, Digests] = {}
        if staged.with_rows:
            rows = staged_frame(self._context.session(), self._context.cell, staged)
            found = digests(rows, self._context.derived_table.handover)
        # Before the record nothing stays tagged for ever: hours without their records are built again.
        release(self._context.cell, staged.table, staged.starts)
        failpoint("hour.after_release")
        return replace(progress, digests=found)

    def _record(self, staged: Staged, progress: Progress) -> Progress:
        at, none = self._context.clock(), Digests()
        publications: dict[datetime, Publication] = {}
        for one in staged.hours:
            publications[one.hour] = staged.publication(
                replace(one, inputs=self._inputs(one, publications)),
                at,
                progress.published_snapshot_id,
                met=progress.met.get(one.hour, 0),
                digest=progress.digests.get(one.hour, none).rows,
                handover=progress.digests.get(one.hour, none).handover,
            )
        record(self._context.cell, self._context.product.name, publications.values())
        for publication in publications.values():
            self._context.publications.add(publication)
        failpoint("hour.after_record")
        return replace(progress, outcomes={**progress.outcomes, **publications})

    def _inputs(self, staged: StagedHour, before: Mapping[datetime, Publication]) -> str:
        """Return the fingerprint of what an hour was computed from, with those recorded `before` it."""
        previous = before.get(staged.hour - HOUR)
        if staged.inputs != UNKNOWN_INPUTS or previous is None:
            return staged.inputs
        product, derived_table = self._context.product, self._context.derived_table
        return fingerprint(
            product, derived_table, staged.hour, {(previous.table, previous.hour): previous}
        )

    def _alert(self, verdicts: Mapping[datetime, Verdict], wap_id: str) -> None:
        at = self._context.clock()
        alerts = [
            Alert(
                at=at,
                table=self._context.table,
                hour=hour,
                kind=AlertKind.AUDIT_FAILED,
                detail="; ".join(verdict.reasons) or "the audit failed",
                run_id=self._context.run_id,
                wap_id=wap_id,
            )
            for hour, verdict in verdicts.items()
        ]
        raise_alerts(self._context.cell, self._context.product.name, alerts)
