"""A broker that may be killed, and comes back on the same data."""

from __future__ import annotations

from pathlib import Path

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from headwater.stack.process import Process
from pipeline.settings import load_settings


class MortalBroker:
    """One broker of its owner's own, running from the start. Stop it when done."""

    def __init__(self, root: Path) -> None:
        jars = ensure_jars(load_settings().cache, "kafka", print)
        self._broker = KafkaBroker(root, jars, free_port(), free_port(), root / "kafka.log")
        self._process: Process = self._broker.start()
        self.bootstrap_servers = self._broker.bootstrap_servers

    def kill(self) -> None:
        """SIGKILL it."""
        self._process.kill()

    def revive(self) -> None:
        """Start it if it is dead, and return once it answers."""
        if not self._process.alive:
            self._process = self._broker.start()

    def stop(self) -> None:
        """Shut it down."""
        self._process.stop()
