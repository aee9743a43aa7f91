"""Certificates in PEM files: does one lead to a root that is trusted?

Owns:      the operations, reading PEM, and how failures are told.
Relies on: `trex.resources` to authorize; `chains` for the verification; `cryptography`, which is
           only needed, and only loaded, for these operations.
Never:     opens a file, decides a permission, reads a private key, or asks the network.
"""

from typing import TYPE_CHECKING, Annotated

from trex.catalogue.declare import CATALOGUE, Need
from trex.errors import OperationError
from trex.resources import failures
from trex.resources.content import ReadableContent
from trex.resources.file_system import READ
from trex.resources.held import OpenedToRead
from trex.resources.several import FilesRead

if TYPE_CHECKING:
    from trex.sdk.inspection.chains import Certificate

MAX_FILE = 1024 * 1024  # bytes of one file: some hundreds of certificates
MAX_CANDIDATES = 1000

ServerRead = Annotated[ReadableContent, OpenedToRead(Need(READ, "File", "the server's certificate"))]
RootRead = Annotated[ReadableContent, OpenedToRead(Need(READ, "File", "the trusted certificate"))]

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@CATALOGUE.operation("verify_cert")
def verify_cert(
    file: Annotated[ServerRead, "the server's certificate in PEM, opened for reading; intermediate ones may follow it"],
    root_file: Annotated[RootRead, "the certificate that is trusted, the first one in its file, opened for reading"],
) -> None:
    """Fail unless a server's certificate leads to a trusted one, now.

    Signatures, times, the right to sign, purposes (server authentication) and constraints on names
    are verified; not the host's name, and not whether it was revoked.

    certificate.verify_cert(root)
    """
    _verify(file, root_file, [])


@CATALOGUE.operation("verify_cert_chain")
def verify_cert_chain(
    file: Annotated[ServerRead, "the server's certificate in PEM, opened for reading; intermediate ones may follow it"],
    root_file: Annotated[RootRead, "the certificate that is trusted, the first one in its file, opened for reading"],
    intermediate_files: Annotated[FilesRead, "files with intermediate certificates, opened for reading"],
) -> None:
    """Fail unless a server's certificate leads to a trusted one, now, by way of any intermediate ones.

    What is verified is the same as with `verify_cert`.

    certificate.verify_cert_chain(root, [intermediate])
    """
    _verify(file, root_file, intermediate_files)


def _verify(leaf_file: ReadableContent, root_file: ReadableContent, others: list[ReadableContent]) -> None:
    try:
        from trex.sdk.inspection import chains
    except ModuleNotFoundError as missing:
        raise failures.unsupported(
            f"certificates are verified by the Python package `cryptography`: {missing.name} is not installed"
        ) from None
    roots = _sections(root_file, "root CA")
    leaves = _sections(leaf_file, "server certificate")
    more = [section for file in others for section in _sections(file, "intermediate certificate", needed=False)]
    if len(leaves) + len(more) > MAX_CANDIDATES:
        raise _unparsed(f"more than {MAX_CANDIDATES} certificates")
    root = _parsed(roots[0], "root certificate as trust anchor")
    leaf = _parsed(leaves[0], "end-entity certificate")
    try:
        leaf.check_form()
    except chains.ChainRefused as refused:
        raise _unparsed(f"Failed to parse end-entity certificate: {refused}") from None
    # A candidate that cannot be read is no way to the root, but may be of no use anyway.
    candidates = [
        certificate for section in (*leaves[1:], *more) if (certificate := chains.readable(section)) is not None
    ]
    try:
        chains.verify(leaf, candidates, root)
    except chains.ChainRefused as refused:
        raise failures.failure(
            "Other", f"Certificate verification error: Certificate chain verification failed: {refused}"
        ) from None


def _parsed(section: bytes, what: str) -> "Certificate":
    from trex.sdk.inspection.chains import Certificate

    try:
        return Certificate(section)
    except ValueError as error:
        raise _unparsed(f"Failed to parse {what}: {error}") from None


def _sections(file: ReadableContent, what: str, needed: bool = True) -> list[bytes]:
    """The certificates of a PEM file, undecoded; other sections, such as keys, are passed over."""
    from binascii import Error, a2b_base64

    if file.size > MAX_FILE:
        raise _unparsed(f"the {what} file has more than {MAX_FILE} bytes")
    data = file.data()
    found = []
    position = data.find(_BEGIN)
    while position >= 0:
        end = data.find(_END, position)
        if end < 0:
            raise _unparsed("Failed to parse PEM certificates: missing section end marker")
        try:
            found.append(a2b_base64(b"".join(data[position + len(_BEGIN) : end].split()), strict_mode=True))
        except Error as error:
            raise _unparsed(f"Failed to parse PEM certificates: {error}") from None
        position = data.find(_BEGIN, end)
    if needed and not found:
        raise _unparsed(f"No certificates found in {what} file")
    return found


def _unparsed(reason: str) -> OperationError:
    return failures.failure("Other", f"Certificate parse error: {reason}")
