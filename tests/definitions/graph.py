"""The text of a cell's whole graph; run this file to write it to graph.<cell>.json.

python tests/definitions/graph.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import dagster as dg

FOLDER = Path(__file__).resolve().parent
CELLS = ("us", "eu", "studio")


def golden(cell: str) -> Path:
    """Return the file that holds the graph as it was last agreed on."""
    return FOLDER / f"graph.{cell}.json"


def graph(definitions: dg.Definitions) -> str:
    """Return every asset, check, job, sensor and schedule; one change, one line of difference."""
    repository = definitions.get_repository_def()
    nodes = repository.asset_graph
    document: dict[str, Any] = {
        "assets": {
            key.to_user_string(): {
                "deps": sorted(parent.to_user_string() for parent in nodes.get(key).parent_keys),
                "group": nodes.get(key).group_name,
                "kinds": sorted(nodes.get(key).kinds),
                "owners": list(nodes.get(key).owners),
                "materializable": nodes.get(key).is_materializable,
                "partitions": str(nodes.get(key).partitions_def),
                "single run backfill": str(nodes.get(key).backfill_policy),
            }
            for key in sorted(nodes.get_all_asset_keys())
        },
        "checks": {
            key.to_user_string(): {"blocking": nodes.get(key).blocking}
            for key in sorted(nodes.asset_check_keys, key=lambda key: key.to_user_string())
        },
        "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
        "sensors": {
            sensor.name: f"every {sensor.minimum_interval_seconds} s, {sensor.default_status.value}"
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
        "schedules": {
            schedule.name: f"{schedule.cron_schedule}, {schedule.default_status.value}"
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
    }
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parent.parent))
    from assets.definitions import build

    for name in CELLS:
        golden(name).write_text(graph(build(name)))
