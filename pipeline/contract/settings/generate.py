"""Headwater's own settings of made-up events: `generate`. They change nothing of what is ingested."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.contract.settings.section import Section
from pipeline.contract.settings.units import Real, Whole


class GeneratedFieldSection(Section):
    """One of `generate.fields`."""

    values: list[Any] | None = Field(default=None, min_length=1)
    weights: list[Real] | None = None
    range: list[Real] | None = Field(default=None, min_length=2, max_length=2)
    nulls: Real | None = Field(default=None, ge=0, le=1)


class GenerateSection(Section):
    """`generate`."""

    keys: Whole = Field(default=1_000, ge=1, le=1_000_000)
    skew: Real = Field(default=1.0, ge=0, le=10)
    rate: Real | None = Field(default=None, gt=0)
    late: Real = Field(default=0.0, ge=0, le=1)
    duplicates: Real = Field(default=0.0, ge=0, le=1)
    fields: dict[str, GeneratedFieldSection] = {}
