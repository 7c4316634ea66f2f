"""What the jobs of dead letters are given, as the Launchpad shows it."""

from __future__ import annotations

import dagster as dg
from pydantic import Field


class SelectionConfig(dg.Config):
    """Which dead letters are meant: all that is given must hold; what is left out selects all."""

    reasons: list[str] = Field(default=[], description="Of the column `reason`.")
    since: str | None = Field(
        default=None, description="Became dead letters at this ISO 8601 time or later."
    )
    until: str | None = Field(default=None, description="Became dead letters before this time.")
    partition: int | None = Field(default=None, description="Of this partition of the topic.")
    start: int | None = Field(default=None, description="From this offset of the partition on.")
    end: int | None = Field(default=None, description="Before this offset of the partition.")
    producer: str | None = Field(
        default=None, description="The last value of the header `producer`."
    )
    schema_id: int | None = Field(
        default=None, description="The registry's id at the beginning of the value."
    )
    action_id: str | None = Field(
        default=None, description="The replay or discard that chose them, of dead_letter_actions."
    )


class DryRunConfig(SelectionConfig):
    """A replay that is only tried."""

    fix: list[str] = Field(
        default=[], description="Mends each: `field=expression`, in SQL over the payload's fields."
    )
    fix_function: str | None = Field(
        default=None,
        description="Mends each by the function `fix` of fixes/<name>.py in the product's folder.",
    )


class ReplayConfig(DryRunConfig):
    """A replay."""

    by: str = Field(description="Who replays.")
    reason: str = Field(description="Why, for the audit.")
