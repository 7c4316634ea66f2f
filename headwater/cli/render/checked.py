"""What `headwater contract check` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from pipeline.contract.model import Product
from pipeline.contract.source.mistakes import Mistake


@dataclass(frozen=True)
class Checked:
    """A contract's folder, its product unless there are mistakes, and what was found."""

    name: str
    product: Product | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def print_checked(checked: Sequence[Checked], *, as_json: bool) -> None:
    """Print every contract that was checked, with its mistakes and warnings."""
    count = sum(len(one.mistakes) for one in checked)
    if as_json:
        document = {"ok": not count, "products": [_document(one) for one in checked]}
        click.echo(json.dumps(document, indent=2))
        return
    for one in checked:
        if one.product:
            click.echo(f"ok    {one.name} {one.product.version}")
        for mistake in one.mistakes:
            click.echo(f"wrong {relative(mistake)}")
        for warning in one.warnings:
            click.echo(f"warn  {relative(warning)}")
    click.echo(f"{len(checked)} checked, {count} mistakes")


def _document(one: Checked) -> dict[str, Any]:
    return {
        "product": one.name,
        "version": one.product.version if one.product else None,
        "mistakes": [mistake_document(mistake) for mistake in one.mistakes],
        "warnings": [mistake_document(warning) for warning in one.warnings],
    }


def mistake_document(one: Mistake) -> dict[str, Any]:
    """Return a mistake for programs."""
    return {**asdict(one), "file": str(one.file)}


def relative(one: Mistake) -> str:
    """Return a mistake for people, its file as seen from here."""
    here = Path.cwd()
    if one.file.is_relative_to(here):
        return str(replace(one, file=one.file.relative_to(here)))
    return str(one)
