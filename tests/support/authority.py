"""Certificate authorities for tests: keys, certificates of every shape, and PEM files."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "k256": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
}


@lru_cache
def key(kind: str, number: int = 0) -> Any:
    """A key, made once for all tests; `number` tells several of a kind apart."""
    return KEYS[kind]()


def named(text: str) -> x509.Name:
    """A name such as `CN=root`."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Issued:
    """A certificate, the name and the key that can issue others."""

    def __init__(self, name: str, private: Any, certificate: x509.Certificate) -> None:
        self.name, self.private, self.certificate = name, private, certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def issue(
    name: str,
    by: Issued | None = None,
    *,
    private: Any = None,
    ca: bool | None = False,
    days: tuple[float, float] = (-1, 30),
    purposes: tuple[Any, ...] = (SERVER,),
    names: tuple[x509.GeneralName, ...] = (x509.DNSName("host.example.com"),),
    length: int | None = None,
    usage: bool | None = None,
    constraints: x509.NameConstraints | None = None,
    more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    digest: hashes.HashAlgorithm | None = None,
) -> Issued:
    """A certificate, by itself unless `by` another. `usage`: whether its key may sign certificates."""
    private = private or key("p256", hash(name) % 1000)
    signer = by.private if by else private
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(by.certificate.subject if by else named(name))
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=days[0]))
        .not_valid_after(NOW + datetime.timedelta(days=days[1]))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, length), True)
    if usage is not None:
        flags = [False] * 9
        flags[5] = usage
        flags[0] = not usage
        builder = builder.add_extension(x509.KeyUsage(*flags), True)
    if not ca and purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), False)
    if not ca and names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), False)
    if constraints is not None:
        builder = builder.add_extension(constraints, True)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    if isinstance(signer, ed25519.Ed25519PrivateKey):
        return Issued(name, private, builder.sign(signer, None))
    return Issued(name, private, builder.sign(signer, digest or hashes.SHA256()))
