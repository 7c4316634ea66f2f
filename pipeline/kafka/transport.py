"""A connection's bytes, for answers of many megabytes: what the client library copies five times."""

from __future__ import annotations

import kafka.errors as kafka_errors
import numpy as np
from kafka.net.transport import KafkaTCPTransport

_READ_BYTES = 1 << 20


class LargeAnswers(KafkaTCPTransport):  # type: ignore[misc]
    """A transport that takes what has arrived in one call, where the library takes 4 KiB a call.

    An answer of more than 1 MiB is received where it stays. Plain connections only.
    """

    def _sock_recv(self) -> tuple[bytes, Exception | None]:
        try:
            left = self._left()
            if not left:
                data = self._sock.recv(_READ_BYTES)
                return data, None if data else _gone()
            received = self._sock.recv_into(left)
        except (BlockingIOError, InterruptedError):
            return b"", None
        except OSError as error:
            return b"", kafka_errors.KafkaConnectionError(error)
        if not received:
            return b"", _gone()
        answer = self._protocol.parser._rbuffer
        answer.seek(answer.tell() + received)
        return b"", None

    def _left(self) -> memoryview | None:
        """Return where the rest of a large answer belongs, up to its last byte: that the parser awaits."""
        parser = self._protocol.parser
        answer = parser._rbuffer
        if answer is None or len(answer) <= _READ_BYTES:
            return None
        if not isinstance(answer, _Answer):
            begun = memoryview(answer)[: answer.tell()]
            answer = parser._rbuffer = _Answer(len(answer))
            answer.write(begun)
        return answer.left()


class _Answer:
    """What `kafka.protocol.frame.KafkaBytes` is to the parser; the whole is read without a copy."""

    def __init__(self, size: int) -> None:
        # Of numpy's, for it asks the system for huge pages.
        self._memory = np.empty(size, np.uint8).data
        self._at = 0

    def __len__(self) -> int:
        return len(self._memory)

    def tell(self) -> int:
        return self._at

    def seek(self, at: int) -> None:
        self._at = at

    def write(self, data: bytes | memoryview) -> None:
        self._memory[self._at : self._at + len(data)] = data
        self._at += len(data)

    def read(self, size: int | None = None) -> bytes | memoryview:
        begin, self._at = self._at, len(self) if size is None else self._at + size
        part = self._memory[begin : self._at]
        return part if size is None else part.tobytes()

    def left(self) -> memoryview:
        return self._memory[self._at : -1]


def _gone() -> kafka_errors.KafkaConnectionError:
    return kafka_errors.KafkaConnectionError("socket disconnected")
