"""The page of errors names every one that the code has, each with what to do."""

from __future__ import annotations

import pytest

from docs.errors import NamedError, named_errors, page
from pipeline.settings import PROJECT

ERRORS = named_errors()
DEAD_LETTERS = "PoisonError"
"""Told by a dead letter's `reason` and `detail`, beside which docs/reference/format.md says what to do."""


def test_the_page_is_what_the_code_says() -> None:
    written = (PROJECT / "docs" / "reference" / "errors.md").read_text()
    assert written == page(ERRORS), "python -m docs.errors > docs/reference/errors.md"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.name)
def test_an_error_says_its_cause_and_what_to_do(error: NamedError) -> None:
    assert error.cause
    assert error.remedies or error.kind == DEAD_LETTERS
