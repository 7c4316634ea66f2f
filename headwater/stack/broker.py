"""A real Kafka broker in KRaft mode, for one cell on one machine."""

from __future__ import annotations

import base64
import os
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from kafka.errors import KafkaError

from headwater.stack.java import java_command
from headwater.stack.process import Process, StartFailedError, start_detached
from headwater.stack.starting import Starting, wait_until_ready
from pipeline.cells import embedded_cell
from pipeline.errors import HeadwaterError
from pipeline.files import write_atomically
from pipeline.kafka.connect import answering_within, connect_admin

READY_TIMEOUT_S = 90.0
_ANSWER_S = 1.0

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.retention.check.interval.ms=300000
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
"""

LOGGING = """\
status=WARN
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
logger.kafka.name=kafka.server.KafkaRaftServer
logger.kafka.level=INFO
"""


class KafkaBroker:
    """One broker whose every byte lies under `root`.

    Starting it again, after a stop or a crash, is on the same data.
    """

    def __init__(
        self,
        root: Path,
        jars: Sequence[Path],
        port: int,
        controller_port: int,
        log: Path,
        more_properties: str = "",
        java_options: Sequence[str] = (),
    ) -> None:
        """Have `more_properties`, lines of a server.properties, win over those that a broker has here."""
        self._java_options = java_options
        self._more_properties = more_properties
        self._root = root
        self._jars = jars
        self._port = port
        self._controller_port = controller_port
        self.log = log

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> Process:
        """Start the broker and return once it answers.

        Raises:
            StartFailedError: it ended, or did not answer in time; the message has its log's end.
            JavaMissingError: there is no Java.
        """
        starting = self.launch()
        wait_until_ready([starting])
        return starting.process

    def launch(self) -> Starting:
        """Start the broker, and leave the waiting to the caller.

        Raises:
            StartFailedError: its storage could not be formatted.
            JavaMissingError: there is no Java.
        """
        properties = self._configure()
        options = ["-Xmx512m", "-XX:+UseSerialGC", *self._java_options]
        command = [*self._java(*options), "kafka.Kafka", str(properties)]
        process = start_detached(command, self.log, os.environ, self._root)
        subject = f"Kafka broker {self.bootstrap_servers}"
        return Starting(process, subject, self.log, self.is_ready, READY_TIMEOUT_S)

    def is_ready(self) -> bool:
        """Whether the broker answers an API call."""
        cell = embedded_cell(self._root, "broker", self.bootstrap_servers)
        try:
            # Not by a client of its own: what fails to connect would leave its thread behind.
            with connect_admin(answering_within(cell, _ANSWER_S)) as admin:
                return bool(admin.describe_cluster()["brokers"])
        except (HeadwaterError, KafkaError):
            return False

    def _configure(self) -> Path:
        data = self._root / "data"
        self._root.mkdir(parents=True, exist_ok=True)
        write_atomically(self._root / "log4j2.properties", LOGGING)
        properties = self._root / "server.properties"
        text = PROPERTIES.format(port=self._port, controller_port=self._controller_port, data=data)
        write_atomically(properties, text + self._more_properties)
        if not (data / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            # A cluster id may not begin with a dash: the tool takes it for an option.
            cluster = "k" + cluster[1:] if cluster.startswith("-") else cluster
            command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", cluster]
            done = subprocess.run(
                [*command, "-c", str(properties), "--ignore-formatted"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise StartFailedError(
                    f"its storage could not be formatted: {(done.stdout + done.stderr)[-800:]}",
                    subject=f"Kafka broker {self.bootstrap_servers}",
                    remedy=f"Look at {data}.",
                )
        return properties

    def _java(self, *options: str) -> list[str]:
        classpath = os.pathsep.join(str(jar) for jar in self._jars)
        logging = f"-Dlog4j2.configurationFile={self._root / 'log4j2.properties'}"
        return [*java_command(), *options, logging, "-cp", classpath]
