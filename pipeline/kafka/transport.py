"""A connection's bytes, for responses of many megabytes: what the client library copies five times."""

from __future__ import annotations

import kafka.errors as kafka_errors
import numpy as np

from pipeline.kafka.kafka_python_private import ReceivingTransport

_READ_BYTES = 1 << 20


class LargeResponseTransport(ReceivingTransport):
    """A transport that takes what has arrived in one call, where the library takes 4 KiB a call.

    A response of more than 1 MiB is received where it stays. Plain connections only.
    """

    def receive(self) -> tuple[bytes, Exception | None]:
        """Return what has arrived of anything but a large response, and what ends the connection."""
        try:
            response = self._large_response()
            if response is None or not (left := response.left()):
                data = self.sock.recv(_READ_BYTES)
                return data, None if data else _gone()
            received = self.sock.recv_into(left)
        except (BlockingIOError, InterruptedError):
            return b"", None
        except OSError as error:
            return b"", kafka_errors.KafkaConnectionError(error)
        if not received:
            return b"", _gone()
        response.seek(response.tell() + received)
        return b"", None

    def _large_response(self) -> _Response | None:
        begun = self.response
        if begun is None or len(begun) <= _READ_BYTES:
            return None
        if isinstance(begun, _Response):
            return begun
        response = self.response = _Response(len(begun))
        response.write(memoryview(begun)[: begun.tell()])
        return response


class _Response:
    """What the parser collects a response in; the whole is read without a copy."""

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
        """Return where the rest of it belongs, up to its last byte: that the parser awaits."""
        return self._memory[self._at : -1]


def _gone() -> kafka_errors.KafkaConnectionError:
    return kafka_errors.KafkaConnectionError("socket disconnected")
