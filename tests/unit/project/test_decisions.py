"""Every decision tells its status and date, and the index tells the same."""

from __future__ import annotations

import re

from pipeline.settings import PROJECT

FOLDER = PROJECT / "docs" / "adr"
PAGE = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"- Status: (?P<status>proposed|accepted|superseded by \d+)\n"
    r"- Date: (?P<date>\d{4}-\d\d-\d\d)\n\n"
)


def test_the_index_lists_each_decision_with_its_status_and_date() -> None:
    rows = []
    for page in sorted(FOLDER.glob("0*.md")):
        head = PAGE.match(page.read_text())
        assert head is not None, f"{page.name} does not begin with title, status and date"
        assert page.name.startswith(f"{int(head['number']):04}-"), page.name
        rows.append(
            "| {number} | [{title}]({page}) | {status} | {date} |".format(
                page=page.name, **head.groupdict()
            )
        )
    index = (FOLDER / "README.md").read_text().splitlines()
    assert rows == [line for line in index if re.match(r"\| \d", line)]
