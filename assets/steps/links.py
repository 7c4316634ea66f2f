"""Links from materializations to pages of the Data Docs, where these are served."""

from __future__ import annotations

from urllib.parse import quote

import dagster as dg

from assets.keys import Keys
from pipeline.settings import load_settings
from quality.data_docs import Page


def audit_links(keys: Keys, page: Page | None) -> dict[str, dg.MetadataValue[str]]:
    """Return links to an audit's page and chart."""
    served = load_settings().data_docs
    if page is None or served is None:
        return {}
    found = dg.MetadataValue.url(f"{served}/{keys.cell}/{page.validation}")
    return {"data docs": found, **drawn(keys, "distributions", page.chart)}


def drawn(keys: Keys, name: str, chart: str | None) -> dict[str, dg.MetadataValue[str]]:
    """Return a chart of the Data Docs; nothing without it."""
    served = load_settings().data_docs
    if chart is None or served is None:
        return {}
    return {name: dg.MetadataValue.md(f"![{name}]({served}/{keys.cell}/{chart})")}


def lineage_link(keys: Keys, page: str | None, table: str) -> dict[str, dg.MetadataValue[str]]:
    """Return a link to a table's part of the product's lineage page; nothing without the page."""
    served = load_settings().data_docs
    if page is None or served is None:
        return {}
    return {"lineage": dg.MetadataValue.url(f"{served}/{keys.cell}/{page}#table-{quote(table)}")}
