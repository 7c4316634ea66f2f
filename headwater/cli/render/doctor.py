"""What `headwater doctor` prints."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from headwater.doctor.model import Finding, Outcome, exit_code


def print_findings(found: Mapping[str, tuple[Finding, ...]], *, as_json: bool) -> None:
    """Print the findings of cells, a line each, and how many are wrong."""
    every = [one for findings in found.values() for one in findings]
    if as_json:
        document = {
            "ok": exit_code(tuple(every)) == 0,
            "findings": [_plain(cell, one) for cell, findings in found.items() for one in findings],
        }
        click.echo(json.dumps(document, indent=2))
        return
    for cell, findings in found.items():
        for one in findings:
            click.echo(f"{one.outcome:<9} {cell} {one.check:<9} {_words(one)}")
    click.echo(f"{sum(one.outcome is Outcome.WRONG for one in every)} faults")


def _words(one: Finding) -> str:
    return " ".join(
        part for part in (one.subject and f"{one.subject}:", one.what, one.remedy) if part
    )


def _plain(cell: str, one: Finding) -> dict[str, object]:
    return {
        "cell": cell,
        "check": one.check,
        "outcome": one.outcome,
        "subject": one.subject or None,
        "what": one.what,
        "remedy": one.remedy or None,
        "error": one.error,
        "exit_code": int(one.exit_code),
    }
