"""The process list, which everybody on a machine can read, has no secret of Spark's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import embedded_cell, save_cell
from pipeline.settings import PROJECT

START = {
    "session": """
from pipeline.spark.session import start_session
session = start_session(cell, jars)
""",
    "Dagster": """
import dagster as dg
from resources.spark import spark_resource
resources = dg.build_resources({"spark": spark_resource("eu")}).__enter__()
assert "hush" not in repr(resources.spark)
session = resources.spark.spark_session
""",
}
LOOK = """
import json, sys
from pathlib import Path
import psutil
from pipeline.cells import load_cell
cell = load_cell(Path(sys.argv[1]), "eu")
jars = [Path(jar) for jar in sys.argv[2:]]
%s
def arguments(process):
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a helper of the start's, which has ended
        return []

java = [arguments(one) for one in psutil.Process().children(recursive=True)]
configured = session.sparkContext.getConf()
print(json.dumps({
    "arguments": java,
    "password": session.conf.get("spark.sql.catalog.eu.jdbc.password"),
    "key": configured.get("spark.hadoop.fs.s3a.secret.key"),
    "store": session.conf.get("spark.sql.catalog.eu.s3.secret-access-key"),
    "name": configured.get("spark.app.name"),
}))
session.stop()
"""


@pytest.mark.parametrize("start", START)
def test_the_jvm_gets_secrets_and_its_arguments_have_none(
    start: str, tmp_path: Path, spark_jars: tuple[Path, ...]
) -> None:
    cell = replace(
        embedded_cell(tmp_path, "eu", "127.0.0.1:9"),
        catalog_uri="postgresql+psycopg2://reader:hush1@db/iceberg",
        warehouse="s3://lake",
        s3={"region": "eu-central-1", "access_key_id": "hush3", "secret_access_key": "hush4"},
        spark={"spark.hadoop.fs.s3a.secret.key": "hush2", "spark.app.name": "named"},
    )
    save_cell(tmp_path, cell)
    done = subprocess.run(
        [sys.executable, "-c", LOOK % START[start], str(tmp_path), *map(str, spark_jars)],
        cwd=PROJECT,
        env={**os.environ, "HEADWATER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["password"], told["key"], told["name"]) == ("hush1", "hush2", "named")
    assert told["store"] == "hush4"
    assert any("spark.app.name=named" in one for one in told["arguments"])
    assert "hush" not in json.dumps(told["arguments"])
    assert "hush" not in done.stderr
