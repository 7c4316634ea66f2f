"""Every reason is told: what it is, what it comes of, what helps; and the page says just that."""

from __future__ import annotations

from pipeline.dead_letters.look.remedies import EXPLAINED, Help, explained
from pipeline.ingest.transform.records import Reason
from pipeline.settings import PROJECT

PAGE = PROJECT / "docs" / "reference" / "dead-letters.md"
BEGIN = "| reason | what it is | usual cause | what helps | what to do |\n| --- | --- | --- | --- | --- |\n"


def table() -> str:
    """The table of the page, which this file writes when it is run."""
    return BEGIN + "".join(
        f"| `{reason}` | {one.what} | {one.cause} | {one.help} | {one.remedy} |\n"
        for reason, one in EXPLAINED.items()
    )


def test_there_are_at_least_fifteen_and_each_is_explained() -> None:
    assert set(EXPLAINED) == set(Reason)
    assert len(Reason) >= 15
    assert all(part for one in EXPLAINED.values() for part in (one.what, one.cause, one.remedy))


def test_the_page_says_what_the_code_says() -> None:
    assert table() in PAGE.read_text(), "python tests/unit/dead_letters/test_reasons.py"


def test_every_kind_of_help_helps_against_some_reason() -> None:
    assert {one.help for one in EXPLAINED.values()} == set(Help)


def test_a_reason_of_a_newer_version_is_told_as_such() -> None:
    assert "does not know" in explained("eaten_by_a_dog").what


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + table() + "\n" + rest.partition("\n\n")[2])
