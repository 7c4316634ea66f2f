"""Real Spark servers from the jars that pyspark bundles: a standalone cluster, a Connect server."""

from __future__ import annotations

import json
import os
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark

from headwater.stack.java import java_command
from headwater.stack.ports import free_port
from headwater.stack.process import Process, start_detached, tail

SPARK_HOME = Path(pyspark.__file__).parent
READY_TIMEOUT_S = 60.0
CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


@dataclass(frozen=True)
class Standalone:
    """A standalone cluster of two workers, of one core each, on loopback.

    Attributes:
        master: its URL.
        workers: the folders of its workers, in which each keeps the executors it started.
    """

    master: str
    workers: tuple[Path, ...]

    def executors(self) -> tuple[set[str], ...]:
        """Return the ids of the executors that each worker started, of whatever application."""
        return tuple(
            {folder.name for folder in worker.glob("app-*/*") if folder.is_dir()}
            for worker in self.workers
        )


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    """Start a master and two workers; what they started ends with them."""
    port, page = free_port(), free_port()
    master = f"spark://127.0.0.1:{port}"
    workers = (folder / "worker-0", folder / "worker-1")
    listen = ["--host", "127.0.0.1", "--webui-port"]
    room = ["--cores", "1", "--memory", "640M"]
    commands = [
        ["org.apache.spark.deploy.master.Master", *listen, str(page), "--port", str(port)],
        *(
            [
                "org.apache.spark.deploy.worker.Worker",
                *listen,
                "0",
                *room,
                "-d",
                str(worker),
                master,
            ]
            for worker in workers
        ),
    ]

    def ready() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{page}/json/", timeout=3) as answer:
            return bool(json.load(answer)["aliveworkers"] == len(workers))

    with _running(folder, commands, ready):
        yield Standalone(master, workers)


@contextmanager
def connect_server(folder: Path, jars: Sequence[Path]) -> Iterator[str]:
    """Start a Spark Connect server that has `jars` and Iceberg's extensions; yields its address."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.extensions": EXTENSIONS,
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
    }
    command = ["org.apache.spark.deploy.SparkSubmit", "--class", CONNECT_SERVER]
    command += ["--master", "local[2]", "--jars", ",".join(str(jar) for jar in jars)]
    for name, value in settings.items():
        command += ["--conf", f"{name}={value}"]

    def ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=3):
            return True

    with _running(folder, [[*command, "spark-internal"]], ready):
        yield f"sc://127.0.0.1:{port}"


def tasks_by_executor(event_logs: Path) -> Counter[str]:
    """Count the tasks that each executor finished, from the event logs that drivers left."""
    lines = (
        json.loads(line)
        for log in event_logs.rglob("*")
        if log.is_file() and not log.name.startswith(("appstatus", "."))
        for line in log.read_text().splitlines()
    )
    return Counter(
        line["Task Info"]["Executor ID"]
        for line in lines
        if line["Event"] == "SparkListenerTaskEnd"
        and line["Task End Reason"]["Reason"] == "Success"
    )


@contextmanager
def _running(
    folder: Path, commands: Sequence[Sequence[str]], ready: Callable[[], bool]
) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    # What Spark's own scripts would set.
    own = {"SPARK_HOME": str(SPARK_HOME), "SPARK_SCALA_VERSION": "2.13"}
    environment = {**os.environ, **own, "SPARK_LOCAL_IP": "127.0.0.1"}
    java = [
        *java_command(),
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        *_module_options(),
    ]
    java += ["-cp", f"{SPARK_HOME / 'jars'}/*"]
    started: list[tuple[Process, Path]] = []
    try:
        for number, command in enumerate(commands):
            log = folder / f"server-{number}.log"
            process = start_detached([*java, *command], log, environment, folder)
            started.append((process, log))
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not _holds(ready):
            for process, log in started:
                assert process.alive, tail(log, 40)
            assert time.monotonic() < deadline, [tail(log) for _, log in started]
            time.sleep(0.1)
        yield
    finally:
        for process, _ in reversed(started):
            process.stop()


def _holds(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except OSError:
        return False


def _module_options() -> list[str]:
    # What spark-class would add: Spark and Arrow reach into these packages of Java 17.
    packages = ("java.lang", "java.lang.invoke", "java.nio", "java.net", "java.util", "sun.nio.ch")
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in packages]
    more = ["java.util.concurrent", "java.util.concurrent.atomic", "sun.util.calendar"]
    return opened + [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in more]
