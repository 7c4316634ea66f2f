"""Sessions on a Spark Connect server."""

from __future__ import annotations

import weakref
from typing import Any, cast

from pyspark.sql import SparkSession

ANSWER_S = 15.0
"""How long a server may take to accept a connection. Spark's own client would try for ten minutes."""


def answers(address: str, within_s: float = ANSWER_S) -> bool:
    """Return whether a server accepts a connection at `address` (`sc://...`). Starts no session.

    Raises:
        pyspark.errors.PySparkValueError: it is no such address.
    """
    # Only a cell with such a server has any use for these.
    import grpc
    from pyspark.sql.connect.client import DefaultChannelBuilder

    with DefaultChannelBuilder(address).toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(within_s)
        except grpc.FutureTimeoutError:
            return False
    return True


def clone(spark: SparkSession) -> SparkSession:
    """Return a session of its own on `spark`'s server, with its settings. Nobody need stop it.

    The connection is closed when the session is let go, and at the latest when the process begins to
    end. The server forgets the session once it was not used for an hour.
    """
    # pyspark has it on its Connect sessions alone, which its types do not tell apart.
    remote = cast("Any", spark).cloneSession()
    # Python would close what is left after the threads have ended that closing waits for: for ever.
    for session in (spark, remote):
        weakref.finalize(session, cast("Any", session).client.close)
    return cast("SparkSession", remote)
