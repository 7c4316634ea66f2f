"""A real browser on a real Dagster webserver."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from pipeline.settings import PROJECT

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str:
    found = subprocess.run(
        [PROJECT / "deploy" / "chromium.sh"], stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode:
        pytest.fail("there is no Chromium; `make test` gets it or says how", pytrace=False)
    return found.stdout.strip()


# Looked for when tests are collected, before any of them has run.
CHROMIUM = _chromium()


@contextmanager
def browser_page(address: str) -> Iterator[Page]:
    """Open a headless browser whose paths are relative to `address`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=address, viewport={"width": 1400, "height": 860})
        page.set_default_timeout(60_000)
        yield page
        browser.close()
