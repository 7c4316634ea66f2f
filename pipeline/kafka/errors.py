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
    UnknownBrokerIdError,
    UnsupportedSaslMechanismError,
)

from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.security.access import PAGE, Access


class BrokerUnavailableError(RetryableError):
    """No broker answered in time."""


class KafkaAccessError(TerminalError):
    """The cluster refused the credentials or the operation."""


class KafkaSettingError(TerminalError):
    """A Kafka setting of the cell is not one that clients know."""


class KafkaTlsError(TerminalError):
    """TLS with the cluster does not come about, or only one of both sides wants it."""


@contextmanager
def named_errors(subject: str, access: Access | None = None) -> Iterator[None]:
    """Turn the client library's errors into named ones about `subject`.

    `access` is what the cluster must permit for this.

    Raises:
        BrokerUnavailableError: the same call may succeed later.
        KafkaAccessError: the cluster refused the credentials, or `access`.
    """
    try:
        yield
    except AuthorizationError as error:
        if access is None:
            raise _refused(subject, error) from error
        raise access_refused(access) from error
    except (
        SaslAuthenticationFailedError,
        UnsupportedSaslMechanismError,
    ) as error:
        raise _refused(subject, error) from error
    except (
        RetriableError,
        BrokerNotAvailableError,
        InvalidReceiveError,
        # Of a broker that went while it was asked, whose number the client then knows no more.
        UnknownBrokerIdError,
        OSError,
    ) as error:
        raise BrokerUnavailableError(
            f"Kafka does not answer ({str(error) or type(error).__name__}).",
            subject=subject,
            remedy="Check the broker with `headwater status`, then try again.",
        ) from error


def access_refused(access: Access, *, unseen: bool = False) -> KafkaAccessError:
    """Return the error that says what the cluster does not permit, and which ACL would.

    `unseen` where it does not even say whether there is such a topic.
    """
    hidden = ", nor be told whether there is one" if unseen else ""
    return KafkaAccessError(
        f"the cell's login may not {access.operation.value} this topic{hidden}.",
        subject=f"topic {access.topic}",
        remedy=f"Let an administrator add the ACL, `{access.command}`; {PAGE} lists all that are needed.",
    )


def _refused(subject: str, error: Exception) -> KafkaAccessError:
    return KafkaAccessError(
        f"Kafka refused the access ({error}).",
        subject=subject,
        remedy="Check the credentials in the cell's kafka settings and the cluster's ACLs.",
    )
