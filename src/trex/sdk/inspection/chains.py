"""From a server's certificate to a trusted one: path building and validation (RFC 5280, section 6).

Owns:      which paths are tried, what every certificate on one must be, and the reason for a refusal.
Relies on: `cryptography` to parse certificates and to verify single signatures; `names` for
           constraints on names.
Never:     fetches anything, compares the host's name, or takes a certificate for good because
           something critical in it is not understood.

The path is built from the server's certificate upwards: the trusted one first, then every candidate
whose subject is the issuer that is looked for. What is tried is bounded, because certificates of a
hostile file can name each other as issuers in ever new ways. Of several failures the one that came
farthest is told.

`cryptography` has a verifier of its own. It has no Ed25519, demands extensions that the certificates
of private authorities often lack, and tells failures as prose; so only its primitives are used.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from trex.sdk.inspection.names import Constraints, TooManyNames

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_INTERMEDIATE = 6
MAX_SIGNATURES = 100

_HASHES = frozenset({"sha256", "sha384", "sha512"})
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_UNDERSTOOD = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
    x509.NameConstraints,
)

# Reasons why one path is refused, in the order of how far it came; the last one says most.
_REASONS = (
    "UnknownIssuer",
    "MaximumPathDepthExceeded",
    "EndEntityUsedAsCa",
    "UnsupportedCriticalExtension",
    "PathLenConstraintViolated",
    "RequiredEkuNotFound",
    "CertNotValidYet",
    "CertExpired",
    "UnsupportedSignatureAlgorithm",
    "InvalidSignatureForPublicKey",
    "NameConstraintViolation",
)


class ChainRefused(Exception):
    """No path leads to the trusted certificate. `reason` is one word for it, where needed with a `detail`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Certificate:
    """One certificate, with what its extensions say. Raises `ValueError` where it cannot be read.

    is_ca:   whether it may issue others; None where it does not say.
    is_understood: whether there is no critical extension that is of an unknown kind.
    """

    __slots__ = (
        "constraints",
        "is_ca",
        "is_understood",
        "may_sign",
        "names",
        "parsed",
        "path_length",
        "purposes",
        "shown",
    )

    def __init__(self, encoded: bytes) -> None:
        self.is_ca: bool | None = None
        self.path_length: int | None = None
        self.purposes: list[x509.ObjectIdentifier] | None = None
        self.may_sign = True
        self.names: list[x509.GeneralName] = []
        self.constraints: Constraints | None = None
        self.is_understood = True
        try:
            self.parsed = x509.load_der_x509_certificate(encoded)
            subject = self.parsed.subject
            for extension in self.parsed.extensions:
                self._read(extension)
        except (UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, TypeError) as error:
            raise ValueError(str(error)) from None
        self.shown = _shown(subject)
        if subject.rdns:
            self.names.append(x509.DirectoryName(subject))

    def _read(self, extension: x509.Extension[x509.ExtensionType]) -> None:
        value = extension.value
        if isinstance(value, x509.BasicConstraints):
            self.is_ca, self.path_length = value.ca, value.path_length
        elif isinstance(value, x509.ExtendedKeyUsage):
            self.purposes = list(value)
        elif isinstance(value, x509.KeyUsage):
            self.may_sign = value.key_cert_sign
        elif isinstance(value, x509.SubjectAlternativeName):
            self.names += value
        elif isinstance(value, x509.NameConstraints):
            self.constraints = Constraints(value)
        if extension.critical and not isinstance(value, _UNDERSTOOD):
            self.is_understood = False

    def is_same(self, other: Certificate) -> bool:
        return self.parsed == other.parsed

    @property
    def is_self_issued(self) -> bool:
        return self.parsed.subject == self.parsed.issuer

    def check_form(self) -> None:
        """Fail unless it is of the form that a server's certificate has today."""
        if self.parsed.version is not x509.Version.v3:
            raise ChainRefused("UnsupportedCertVersion")
        self.check_understood()

    def check_understood(self) -> None:
        if not self.is_understood:
            raise ChainRefused("UnsupportedCriticalExtension")

    def check_purpose(self) -> None:
        if self.purposes is not None and ExtendedKeyUsageOID.SERVER_AUTH not in self.purposes:
            raise ChainRefused("RequiredEkuNotFound", f"{self.shown} is not for servers")

    def check_time(self, now: datetime) -> None:
        start, end = self.parsed.not_valid_before_utc, self.parsed.not_valid_after_utc
        if now < start:
            raise ChainRefused("CertNotValidYet", f"{self.shown} from {start.isoformat()} on")
        if now > end:
            raise ChainRefused("CertExpired", f"{self.shown} since {end.isoformat()}")


def readable(encoded: bytes) -> Certificate | None:
    """A candidate, or None for what no path can lead through."""
    try:
        return Certificate(encoded)
    except ValueError:
        return None


def verify(leaf: Certificate, candidates: list[Certificate], root: Certificate, now: datetime | None = None) -> None:
    """Return if a path leads from `leaf`, whose form was checked, to `root`. Raises `ChainRefused`."""
    now = now or datetime.now(UTC)
    leaf.check_time(now)
    if leaf.is_ca:
        raise ChainRefused("CaUsedAsEndEntity")
    leaf.check_purpose()
    try:
        _Search(candidates, root, now).climb([leaf])
    except TooManyNames:
        raise ChainRefused("MaximumNameConstraintComparisonsExceeded") from None


class _Search:
    """One search for a path."""

    __slots__ = ("_candidates", "_now", "_root", "_signatures")

    def __init__(self, candidates: list[Certificate], root: Certificate, now: datetime) -> None:
        self._root, self._now = root, now
        self._signatures = 0
        self._candidates: dict[bytes, list[Certificate]] = {}
        for candidate in candidates:
            self._candidates.setdefault(candidate.parsed.subject.public_bytes(), []).append(candidate)

    def climb(self, path: list[Certificate]) -> None:
        """Find a way from the last certificate of the path to the root."""
        refused = ChainRefused("UnknownIssuer")
        for issuer in self._issuers(path):
            try:
                if issuer is self._root:
                    self._check_root(path)
                    return
                self._check_intermediate(issuer, path)
                self.climb([*path, issuer])
                return
            except ChainRefused as found:
                if found.reason not in _REASONS:  # a bound on the whole search
                    raise
                if _REASONS.index(found.reason) > _REASONS.index(refused.reason):
                    refused = found
        raise refused

    def _issuers(self, path: list[Certificate]) -> Iterator[Certificate]:
        """The root, if it has the issuer's name, and every candidate that has and is not on the path."""
        name = path[-1].parsed.issuer.public_bytes()
        if name == self._root.parsed.subject.public_bytes():
            yield self._root
        for candidate in self._candidates.get(name, ()):
            if not any(candidate.is_same(each) for each in path):
                yield candidate

    def _check_root(self, path: list[Certificate]) -> None:
        """A trusted certificate needs not say that it may issue; but what it says of itself holds."""
        root = self._root
        if not path[-1].is_same(root):  # not even then for one that is trusted itself, as a server's
            if root.is_ca is False or not root.may_sign:
                raise ChainRefused("EndEntityUsedAsCa")
            self._check_length(root, path)
        root.check_time(self._now)
        self._check_signature(root, path[-1])
        self._check_names(root, path)

    def _check_intermediate(self, issuer: Certificate, path: list[Certificate]) -> None:
        if len(path) > MAX_INTERMEDIATE:
            raise ChainRefused("MaximumPathDepthExceeded")
        if not issuer.is_ca or not issuer.may_sign:
            raise ChainRefused("EndEntityUsedAsCa")
        issuer.check_understood()
        self._check_length(issuer, path)
        issuer.check_purpose()
        issuer.check_time(self._now)
        self._check_signature(issuer, path[-1])
        self._check_names(issuer, path)

    def _check_length(self, issuer: Certificate, path: list[Certificate]) -> None:
        between = sum(not each.is_self_issued for each in path[1:])
        if issuer.path_length is not None and between > issuer.path_length:
            raise ChainRefused("PathLenConstraintViolated")

    def _check_signature(self, issuer: Certificate, signed: Certificate) -> None:
        self._signatures += 1
        if self._signatures > MAX_SIGNATURES:
            raise ChainRefused("MaximumSignatureChecksExceeded")
        try:
            algorithm = signed.parsed.signature_hash_algorithm
            if not _is_strong(issuer.parsed) or (algorithm is not None and algorithm.name not in _HASHES):
                raise ChainRefused("UnsupportedSignatureAlgorithm", f"of {signed.shown}")
            signed.parsed.verify_directly_issued_by(issuer.parsed)
        except (UnsupportedAlgorithm, TypeError):
            raise ChainRefused("UnsupportedSignatureAlgorithm", f"of {signed.shown}") from None
        except (InvalidSignature, ValueError):
            raise ChainRefused("InvalidSignatureForPublicKey") from None

    def _check_names(self, issuer: Certificate, path: list[Certificate]) -> None:
        if issuer.constraints is None:
            return
        if not all(issuer.constraints.hold_for(each.names) for each in path):
            raise ChainRefused("NameConstraintViolation")


def _is_strong(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return 2048 <= key.key_size <= 8192
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, _CURVES)
    return isinstance(key, ed25519.Ed25519PublicKey)


def _shown(name: x509.Name) -> str:
    """A name for an error's text."""
    return name.rfc4514_string()[:200]
