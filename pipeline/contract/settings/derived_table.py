"""Headwater's own settings of a derived table: its custom property `headwater`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from pipeline.contract.model import Drift, Feature, LatePolicy, Read
from pipeline.contract.settings.invalid import report_invalid
from pipeline.contract.settings.section import Section
from pipeline.contract.settings.units import Real, Seconds, Text, Whole
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader


class ReadSection(Section):
    """One of `reads`."""

    table: str
    hours: Whole = Field(default=1, ge=1, le=24 * 366)
    back: Whole = Field(default=0, ge=0, le=24 * 366)

    def model(self) -> Read:
        """Return what it says."""
        return Read(table=self.table, hours=self.hours, back=self.back)


class DriftSection(Section):
    """One of `feature.drift`."""

    column: str
    most: Real = Field(gt=0)


class FeatureSection(Section):
    """`feature`."""

    entity: list[Text] = Field(min_length=1)
    ttl: Seconds = Field(gt=0)
    partitions: list[Text] = Field(min_length=1)
    drift: list[DriftSection] = []

    def model(self) -> Feature:
        """Return what it says."""
        return Feature(
            entity=tuple(self.entity),
            ttl_s=self.ttl,
            partitions=tuple(self.partitions),
            drift=tuple(Drift(column=one.column, most=one.most) for one in self.drift),
        )


class LateSection(Section):
    """`late`."""

    share: Real = Field(default=LatePolicy().share, gt=0, le=1)
    wait: Seconds | None = LatePolicy().wait_s

    def model(self) -> LatePolicy:
        """Return what it says."""
        return LatePolicy(share=self.share, wait_s=self.wait)


class DerivedTableSettings(Section):
    """The whole value. One of `sql` and `python` names a file in the contract's folder."""

    sql: str | None = None
    python: str | None = None
    incremental_by: Literal["hour", "timeRange"] = "hour"
    reads: list[ReadSection] = Field(default=[ReadSection(table="events")], min_length=1)
    references: list[str] = []
    handover: Text | None = None
    feature: FeatureSection | None = None
    late: LateSection = LateSection()


def read_derived_table_settings(
    reader: ContractReader, loc: Loc
) -> tuple[DerivedTableSettings | None, Loc]:
    """Return the settings of the table at `loc` with their place; None where they have mistakes."""
    place = reader.custom_property(loc, "headwater")
    if place is None:
        reader.report(loc, "a custom property `headwater` that names its `sql` or `python` file")
        return None, ()
    try:
        return DerivedTableSettings.model_validate(reader.at(place)), place
    except ValidationError as error:
        report_invalid(reader, place, error, DerivedTableSettings)
        return None, place
