"""What is held of every contract of this project, also in CI."""

from __future__ import annotations

import json
import subprocess


def test_no_contract_has_a_mistake() -> None:
    check = ["headwater", "contract", "check", "--json"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    mistakes = [
        one for product in json.loads(done.stdout)["products"] for one in product["mistakes"]
    ]
    assert not mistakes
