"""Why no broker of a cluster answers: its name, its port, or TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

from pipeline.errors import HeadwaterError
from pipeline.kafka.errors import BrokerUnavailableError, KafkaTlsError

ANSWER_S = 2.0
"""How long a broker may take to answer what this asks."""
_PORT = 9092
_ASK_VERSIONS = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
"""Kafka's request for the versions that a broker has: every broker answers it, before any login."""
_CHECK = "Check `security.protocol` and the `ssl.` settings in `kafka` of the cell's settings."
_TRUST = (
    "Name its authority's certificate as `ssl.ca.location` in `kafka` of the cell's settings, or correct its"
    " host in `bootstrap_servers`."
)
_WAIT = (
    "Check the broker, a local one with `headwater status`, or correct `bootstrap_servers` in the cell's"
    " settings; then try again."
)


@dataclass(frozen=True)
class Fault:
    """Why a broker does not answer: what happened, what can be done, and whether it is about TLS."""

    what: str
    remedy: str
    is_tls: bool = False


def why_unreachable(
    bootstrap_servers: str, tls: ssl.SSLContext | None, within_s: float = ANSWER_S
) -> HeadwaterError | None:
    """Return an error that says why none of `bootstrap_servers` (comma separated) answers.

    None if one does, as far as this asks: it neither logs in nor reads. Without `tls` it speaks plainly.
    Each server is tried for about three times `within_s`. KafkaTlsError where it is TLS with all of them,
    BrokerUnavailableError otherwise.
    """
    faults: dict[str, Fault] = {}
    for server in bootstrap_servers.split(","):
        fault = _fault(*_address(server.strip()), tls, within_s)
        if fault is None:
            return None
        faults[server.strip()] = fault
    server, first = next(iter(faults.items()))
    more = f" Nor do the {len(faults) - 1} others answer." if len(faults) > 1 else ""
    if all(one.is_tls for one in faults.values()):
        return KafkaTlsError(f"{first.what}{more}", subject=server, remedy=first.remedy)
    what = f"Kafka does not answer: {first.what}{more}"
    return BrokerUnavailableError(what, subject=server, remedy=first.remedy)


def _fault(host: str, port: int, tls: ssl.SSLContext | None, within_s: float) -> Fault | None:
    try:
        with socket.create_connection((host, port), within_s) as connection:
            if tls is not None:
                return _fault_of_tls(connection, host, port, tls)
            if _answers(connection):
                return None
    except socket.gaierror as error:
        return Fault(f"no host of this name is known here ({error.strerror}).", _WAIT)
    except ConnectionRefusedError:
        return Fault("nothing listens on this port.", _WAIT)
    except OSError as error:
        return Fault(f"it cannot be reached ({error.strerror or error}).", _WAIT)
    if _speaks_tls(host, port, within_s):
        return Fault("it speaks TLS, and the cell does not.", _CHECK, is_tls=True)
    return Fault("it takes connections, and answers nothing.", _WAIT)


def _fault_of_tls(
    connection: socket.socket, host: str, port: int, tls: ssl.SSLContext
) -> Fault | None:
    within_s = connection.gettimeout() or ANSWER_S
    try:
        with tls.wrap_socket(connection, server_hostname=host) as secured:
            # That it wants a certificate of the client, a server says when it is first asked something.
            return None if _answers(secured) else Fault("it answers nothing.", _WAIT)
    except ssl.SSLCertVerificationError as error:
        return Fault(f"its certificate is not trusted ({error.verify_message}).", _TRUST, True)
    except OSError as error:
        # A broker that is only stopping ends TLS, too.
        is_cut = not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError)
        why = error.strerror or str(error)
    with suppress(OSError), socket.create_connection((host, port), within_s) as plain:
        if _answers(plain):
            return Fault("it speaks no TLS, and the cell does.", _CHECK, is_tls=True)
    if is_cut:
        return Fault(f"it ends the connection while TLS begins ({why}).", _WAIT)
    return Fault(f"TLS does not come about ({why}).", _CHECK, is_tls=True)


def _answers(connection: socket.socket) -> bool:
    """Whether a broker of Kafka is there.

    Raises:
        ssl.SSLError: it refuses what TLS has come about with.
    """
    try:
        # Where it has refused TLS already, nothing can be sent, and why is to be received.
        with suppress(OSError):
            connection.sendall(_ASK_VERSIONS)
        # Its length, and the number of the request. An alert of TLS is none of that.
        return connection.recv(8)[4:] == _ASK_VERSIONS[8:12]
    except ssl.SSLError:
        raise
    except OSError:
        return False


def _speaks_tls(host: str, port: int, within_s: float) -> bool:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), within_s) as connection,
            anybody.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except ssl.SSLError as error:
        # It wants what this does not have: so it speaks TLS.
        return "alert" in str(error).lower()
    except OSError:
        return False


def _address(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdecimal() else (server, _PORT)
