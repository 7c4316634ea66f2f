"""Events posted to a collector, as Marquez and DataHub take them: OpenLineage's own transport."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any

import requests
from openlineage.client.transport.http import HttpConfig, HttpTransport

from pipeline.lineage.collector import Collector
from pipeline.lineage.errors import CollectorRefusedError, CollectorUnavailableError

_LOG = logging.getLogger(__name__)
_OF_THE_EVENT = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    422,
)
"""Answers that say that this event will never be taken."""
_TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class HttpSender:
    """Posts one event after the other."""

    def __init__(self, collector: Collector, transport: HttpTransport) -> None:
        self._collector = collector
        self._transport = transport

    def send(self, lines: Sequence[str]) -> int:
        """See `Sender`."""
        return sum(not self._is_taken(line) for line in lines)

    def _is_taken(self, line: str) -> bool:
        event: Any = json.loads(line)
        try:
            self._transport.emit(event)
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status not in _OF_THE_EVENT:
                raise self._named(status) from error
            _LOG.warning("the collector refuses a lineage event for good: HTTP %d", status)
            return False
        except (requests.RequestException, OSError) as error:
            raise _unavailable(self._collector, error) from error
        return True

    def _named(self, status: int) -> CollectorUnavailableError | CollectorRefusedError:
        what, subject = f"it answers HTTP {status}.", self._collector.address
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRY_AGAIN:
            return CollectorUnavailableError(
                what, subject=subject, remedy="Events wait on disk, and are sent again."
            )
        return CollectorRefusedError(
            what,
            subject=subject,
            remedy="Correct `url`, `endpoint` or `api_key` in `openlineage` of the cell's settings.",
        )


@contextmanager
def opened(collector: Collector) -> Iterator[HttpSender]:
    """Yield the way to a collector of HTTP; nothing is connected yet."""
    settings: dict[str, Any] = {
        "url": collector.url,
        "endpoint": collector.endpoint,
        "timeout": collector.timeout_s,
        # What is tried again is on disk.
        "retry": {"total": 0, "read": 0, "connect": 0, "status_forcelist": []},
    }
    if collector.api_key:
        settings["auth"] = {"type": "api_key", "apiKey": str(collector.api_key)}
    if collector.ca_location:
        settings["sslContext"] = {"caCertPath": collector.ca_location}
    with closing(HttpTransport(HttpConfig.from_dict(settings))) as transport:
        yield HttpSender(collector, transport)


def look(collector: Collector) -> None:
    """Go on if the collector answers, whatever it says. Sends no event, and no key.

    Raises:
        CollectorUnavailableError: it does not.
    """
    try:
        requests.get(
            collector.url,
            timeout=collector.timeout_s,
            verify=collector.ca_location or True,
            allow_redirects=False,
        ).close()
    except (requests.RequestException, OSError) as error:
        raise _unavailable(collector, error) from error


def _unavailable(collector: Collector, error: Exception) -> CollectorUnavailableError:
    return CollectorUnavailableError(
        f"it does not answer ({type(error).__name__}).",
        subject=collector.address,
        remedy="Let it be started; events wait on disk, and go once it answers.",
    )
