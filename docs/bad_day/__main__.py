"""Play a bad deploy on a real stack, work through it by commands, and write docs/how-to/bad-day.md.

Exits with 1 when an event is not there as it should be, or the ledger does not balance.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docs.bad_day.deploy import ship
from docs.bad_day.page import page
from docs.bad_day.steps import Step, evening, morning
from docs.bad_day.verdict import Verdict, verdict
from headwater.demo import wait_until_ingested, wait_until_published
from pipeline.cells import load_cell
from pipeline.contract.load import load_product
from pipeline.hours.read import read_hour_states
from pipeline.settings import PROJECT

PAGE = PROJECT / "docs" / "how-to" / "bad-day.md"
NAME = "viewing_events"
SHARE = 0.05
WAIT_S = 900.0
EXAMPLES = """\
examples:
  make bad-day                                              a minute at 500 records a second (about 8 min)
  python -m docs.bad_day --seconds 5 --rate 100 --out /tmp/bad-day.md   a short one, leaves the docs alone
"""


def main() -> int:
    """Play the day, write the page, and return the exit code."""
    options = argparse.ArgumentParser(
        "python -m docs.bad_day", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    options.add_argument("--seconds", type=float, default=60.0, help="how long it is out (60)")
    options.add_argument("--rate", type=int, default=500, help="records a second in all (500)")
    options.add_argument("--kafka-port", type=int, default=29_192)
    options.add_argument("--web-port", type=int, default=3_192)
    options.add_argument("--out", type=Path, default=PAGE, help="where the page goes")
    chosen = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="bad-day-"))
    shutil.copytree(PROJECT / "contracts", home / "contracts")
    day = Day(home)
    try:
        day.quietly(
            "up", "--kafka-port", str(chosen.kafka_port), "--web-port", str(chosen.web_port)
        )
        found = day.play(chosen.seconds, chosen.rate)
    finally:
        day.quietly("down")
        shutil.rmtree(home, ignore_errors=True)
    chosen.out.write_text(page(day.steps, found, chosen.seconds, chosen.rate))
    sys.stderr.write(f"{found}\n")
    return 0 if found.holds else 1


class Day:
    """The day, played in one home.

    Attributes:
        steps: what was run, with what it printed.
    """

    def __init__(self, home: Path) -> None:
        self.steps: list[tuple[Step, str]] = []
        self._home = home / "home"
        self._env = {
            **os.environ,
            "HEADWATER_HOME": str(self._home),
            "HEADWATER_CONTRACTS": str(home / "contracts"),
            "COLUMNS": "110",
        }
        os.environ.update({k: self._env[k] for k in ("HEADWATER_HOME", "HEADWATER_CONTRACTS")})
        self._product = load_product(home / "contracts" / NAME)

    def play(self, seconds: float, rate: int) -> Verdict:
        """Play it on a stack that runs."""
        cell, product = load_cell(self._home, "us"), self._product
        self.quietly("produce", NAME, "--count", "20000", "--backfill-hours", "3")
        self._caught_up(hours=True)
        published = max(read_hour_states(cell, product).closed)
        begin = int(published.timestamp() * 1_000_000)
        bad = max(1, round(rate * seconds * SHARE))
        good = round(rate * seconds) - bad
        with ThreadPoolExecutor() as both:
            shipped = both.submit(ship, cell, product, bad, seconds, begin)
            self.quietly(
                "produce", NAME, "--seed", "2", "--count", str(good), "--rate", str(good / seconds)
            )
        self._caught_up(hours=False)
        replayed, _ = morning(NAME, self.run)
        self._caught_up(hours=True)
        evening(NAME, replayed, self.run)
        return verdict(cell, product, shipped.result(), good + 20_000, published)

    def run(self, step: Step) -> str:
        """Run a step of the operator's, and keep what it printed."""
        sys.stderr.write(f"$ headwater {shlex.join(step.command)}\n")
        done = subprocess.run(
            ["headwater", *step.command], env=self._env, capture_output=True, text=True, check=False
        )
        if done.returncode not in step.codes:
            raise RuntimeError(f"{step.command} ended with {done.returncode}: {done.stderr}")
        self.steps.append((step, done.stdout))
        return done.stdout

    def quietly(self, *command: str) -> None:
        """Run a command that is not the operator's."""
        sys.stderr.write(f"{' '.join(command)}\n")
        subprocess.run(["headwater", *command], env=self._env, check=True, capture_output=True)

    def _caught_up(self, *, hours: bool) -> None:
        cell = load_cell(self._home, "us")
        wait_until_ingested(cell, self._product, WAIT_S, _say)
        if hours:
            # The hour that is going on is not closed, and not waited for.
            time.sleep(1)
            wait_until_published(cell, self._product, WAIT_S, _say)


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


if __name__ == "__main__":
    sys.exit(main())
