"""Executing the stages of one hour, each by a handler of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from pipeline.batch.context import HourContext
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.derive import derive_feature_table
from pipeline.batch.model import AuditFunction, Rejected, Staged, Verdict
from pipeline.batch.planning.stages import (
    Audit,
    DeriveFeatures,
    HourStage,
    Publish,
    Record,
    Release,
    Stage,
)
from pipeline.batch.wap.audit_frame import audited_frame
from pipeline.batch.wap.digest import EMPTY, digests
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage_hour, staged_frame
from pipeline.batch.wap.tags import release
from pipeline.control.alerts import Alert, AlertKind, raise_alert
from pipeline.control.publications import Publication, record
from pipeline.failpoints import failpoint

STAGINGS = 3
"""How often an hour is staged before a main that keeps changing wins."""


@dataclass(frozen=True)
class Progress:
    """What the stages of an hour that are done have come to.

    Attributes:
        met: expectations that were met.
        published_snapshot_id: main's that holds the rows; None for an hour without rows.
        digest: of the published rows; `handover` of those handed over to later hours.
        outcome: None until the hour is done.
    """

    staged: Staged | None = None
    met: int = 0
    published_snapshot_id: int | None = None
    digest: str = EMPTY
    handover: str = EMPTY
    outcome: Publication | Rejected | None = None


class StageExecutor:
    """Executes the stages of one hour. Ended in between, the next build of the hour makes it good."""

    def __init__(self, context: HourContext, audit: AuditFunction | None = None) -> None:
        """Execute in `context`; stages with an audit need one."""
        self._context = context
        self._audit = audit

    def execute(
        self, stages: Sequence[HourStage], begun: Progress | None = None
    ) -> Publication | Rejected:
        """Execute `stages` in their order, going on from `begun`, until the hour is done.

        An hour that has changed on main before it was published is staged again.

        Raises:
            StagingOutdatedError: it kept changing.
            ValueError: `stages` do not end with a record, or need what those before them give.
            What `stage_hour`, `publish`, `derive_feature_table`, `record`, `raise_alert` and the audit
            raise.
        """
        begun = begun or Progress()
        position, stagings, progress = 0, 1, begun
        while progress.outcome is None:
            if position == len(stages):
                raise ValueError("the stages end before the hour is done")
            try:
                progress = self._execute(stages[position], progress)
            except StagingOutdatedError:
                if not isinstance(stages[position], Publish) or stagings == STAGINGS:
                    raise
                position, stagings, progress = 0, stagings + 1, begun
            else:
                position += 1
        return progress.outcome

    def _execute(self, stage: HourStage, progress: Progress) -> Progress:
        self._context.at_stage(stage.kind)
        if isinstance(stage, Stage):
            return replace(progress, staged=stage_hour(self._context))
        staged = progress.staged
        if staged is None:
            raise ValueError(f"nothing is staged to {stage.kind}")
        match stage:
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
                assert_never(stage)

    def _hold_to_audit(self, staged: Staged, progress: Progress) -> Progress:
        if self._audit is None:
            raise ValueError("there is no audit")
        if staged.snapshot_id is None:
            return progress
        verdict = self._audit(audited_frame(self._context, staged))
        failpoint("hour.after_audit")
        if not verdict.passed:
            self._alert(staged, verdict)
            return replace(progress, outcome=Rejected(staged, verdict))
        return replace(progress, met=verdict.met)

    def _publish(self, staged: Staged, progress: Progress) -> Progress:
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
        digest, handover = EMPTY, EMPTY
        if staged.snapshot_id is not None:
            rows = staged_frame(self._context.session(), self._context.cell, staged)
            digest, handover = digests(rows, self._context.derived_table.handover)
        # Before the record nothing stays tagged for ever: an hour without its record is built again.
        release(self._context.cell, staged.table, staged.hour)
        failpoint("hour.after_release")
        return replace(progress, digest=digest, handover=handover)

    def _record(self, staged: Staged, progress: Progress) -> Progress:
        publication = staged.publication(
            self._context.clock(),
            progress.published_snapshot_id,
            met=progress.met,
            digest=progress.digest,
            handover=progress.handover,
        )
        record(self._context.cell, self._context.product.name, publication)
        self._context.publications.add(publication)
        failpoint("hour.after_record")
        return replace(progress, outcome=publication)

    def _alert(self, staged: Staged, verdict: Verdict) -> None:
        alert = Alert(
            at=self._context.clock(),
            table=staged.table,
            hour=staged.hour,
            kind=AlertKind.AUDIT_FAILED,
            detail="; ".join(verdict.reasons) or "the audit failed",
            run_id=self._context.run_id,
            wap_id=staged.wap_id,
        )
        raise_alert(self._context.cell, self._context.product.name, alert)
