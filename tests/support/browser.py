"""A real browser on a real Dagster webserver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser_page(address: str) -> Iterator[Page]:
    """Open a headless browser whose paths are relative to `address`; fails where there is none."""
    if not CHROMIUM.exists():
        pytest.fail(f"There is no {CHROMIUM}. Get it with: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=address, viewport={"width": 1400, "height": 860})
        page.set_default_timeout(60_000)
        yield page
        browser.close()
