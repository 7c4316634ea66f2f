"""Data Docs' pages are Great Expectations' own; their templates are compiled for the first one alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from great_expectations import ExpectationSuite
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.render.components import RenderedDocumentContent
from great_expectations.render.renderer.page_renderer import ExpectationSuitePageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import Environment

from quality.pages.view import PageView


@pytest.fixture(scope="module")
def document() -> RenderedDocumentContent:
    rule = ExpectColumnValuesToNotBeNull(column="order_id")
    renderer: Any = ExpectationSuitePageRenderer()
    rendered: RenderedDocumentContent = renderer.render(ExpectationSuite("orders", [rule]))
    return rendered


def drawn_by(view: type[Any], document: RenderedDocumentContent) -> str:
    return str(view().render(document))


def test_a_page_is_the_library_s(document: RenderedDocumentContent) -> None:
    # Names of elements are drawn anew for each page, and links have its time.
    drawn = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\?d=[0-9TZ.]+")
    page = drawn_by(PageView, document)
    assert "order_id" in page
    assert drawn.sub("", page) == drawn.sub("", drawn_by(DefaultJinjaPageView, document))


def test_a_second_page_compiles_no_template(
    document: RenderedDocumentContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_by(PageView, document)

    def compile_(*_: object, **__: object) -> None:
        raise RuntimeError("a template is compiled")

    monkeypatch.setattr(Environment, "compile", compile_)
    with pytest.raises(RuntimeError):
        drawn_by(DefaultJinjaPageView, document)
    assert "order_id" in drawn_by(PageView, document)
