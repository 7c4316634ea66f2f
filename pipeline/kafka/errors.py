"""What goes wrong with a cell's Kafka cluster, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import (
    AuthorizationError,
    BrokerNotAvailableError,
    InvalidReceiveError,
    RetriableError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)

from pipeline.errors import RetryableError, TerminalError


class BrokerUnavailableError(RetryableError):
    """No broker answered in time."""


class KafkaAccessError(TerminalError):
    """The cluster refused the credentials or the operation."""


class KafkaSettingError(TerminalError):
    """A Kafka setting of the cell is not one that clients know."""


class KafkaTlsError(TerminalError):
    """TLS with the cluster does not come about, or only one of both sides wants it."""


@contextmanager
def named_errors(subject: str) -> Iterator[None]:
    """Turn the client library's errors into named ones about `subject`.

    Raises:
        BrokerUnavailableError: the same call may succeed later.
        KafkaAccessError: the cluster refused the credentials or the operation.
    """
    try:
        yield
    except (
        AuthorizationError,
        SaslAuthenticationFailedError,
        UnsupportedSaslMechanismError,
    ) as error:
        raise KafkaAccessError(
            f"Kafka refused the access ({error}).",
            subject=subject,
            remedy="Check the credentials in the cell's kafka settings and the cluster's ACLs.",
        ) from error
    except (RetriableError, BrokerNotAvailableError, InvalidReceiveError, OSError) as error:
        raise BrokerUnavailableError(
            f"Kafka does not answer ({str(error) or type(error).__name__}).",
            subject=subject,
            remedy="Check the broker with `headwater status`, then try again.",
        ) from error
