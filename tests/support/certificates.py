"""Certificates of servers that tests start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_OWN = "an authority of the suite's own"


def self_signed(folder: Path) -> Path:
    """Return a file with a key and its certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


def signed_by_authority(folder: Path) -> tuple[Path, Path]:
    """Return a file with a key and its certificate for 127.0.0.1, and one with that of who signed it."""
    now = datetime.now(UTC)
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (_OWN, "127.0.0.1")
    ]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]

    def signed(which: int, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(names[0], names[which], keys[which].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(keys[0], hashes.SHA256())

    authority = signed(0, (x509.BasicConstraints(ca=True, path_length=0), True))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    server = signed(1, (here, False), (x509.BasicConstraints(ca=False, path_length=None), True))
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    own, trusted = folder / "signed.pem", folder / "authority.pem"
    key = keys[1].private_bytes(pem, private, serialization.NoEncryption())
    own.write_bytes(key + server.public_bytes(pem))
    trusted.write_bytes(authority.public_bytes(pem))
    return own, trusted


def certificate_of(keys: Path) -> bytes:
    """Return the certificate in a file of `self_signed`, without its key."""
    begin = b"-----BEGIN CERTIFICATE"
    return begin + keys.read_bytes().partition(begin)[2]
