"""Which certificates lead to a root, and why others do not."""

from __future__ import annotations

import ipaddress
import itertools
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="certificates need the package `cryptography`")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from support.authority import CLIENT, NOW, Issued, issue, key, named
from support.host import EVERYTHING, Broker, Failure
from trex.sdk.inspection import certificates, chains, names
from trex.values import Object

ROOT = issue("root", private=key("p384"), ca=True, usage=True)
INTER = issue("inter", ROOT, private=key("rsa2048"), ca=True, usage=True)
LEAF = issue("leaf", INTER)
DIRECT = issue("direct", ROOT)


@pytest.fixture
def broker():
    return Broker()


def pem(*issued: Issued) -> bytes:
    return b"".join(each.pem for each in issued)


def opened(broker: Broker, directory: Path, name: str, content: bytes) -> Object:
    (directory / name).write_bytes(content)
    return broker.file(broker.directory(directory), name, read=True)


def verify(broker: Broker, directory: Path, leaf: bytes, root: bytes, *others: bytes) -> None:
    file, trusted = opened(broker, directory, "leaf", leaf), opened(broker, directory, "root", root)
    if others:
        more = [opened(broker, directory, f"other{number}", other) for number, other in enumerate(others)]
        broker.call("inspection.verify_cert_chain", file, trusted, more)
    else:
        broker.call("inspection.verify_cert", file, trusted)


def reason(leaf: Issued, root: Issued, *candidates: Issued) -> str:
    """One word for why a chain is refused; empty if it is not."""
    found = [chains.Certificate(each.der) for each in candidates]
    certificate = chains.Certificate(leaf.der)
    try:
        certificate.check_form()
        chains.verify(certificate, found, chains.Certificate(root.der))
    except chains.ChainRefused as refused:
        return refused.reason
    return ""


# --- chains that hold ---


@pytest.mark.parametrize(
    "leaf, others",
    [
        (pem(DIRECT), []),
        (pem(LEAF, INTER), []),
        (pem(LEAF), [pem(INTER)]),
        (pem(LEAF), [b"no certificate here\n", pem(INTER)]),
        (pem(LEAF), [pem(DIRECT, ROOT, INTER, LEAF)]),
        (b"text before\n" + pem(LEAF) + b"text between\n" + pem(INTER) + b"text behind", []),
        (pem(LEAF).replace(b"\n", b"\r\n"), [pem(INTER)]),
    ],
)
def test_a_chain_that_leads_to_the_root_holds(broker, tmp_path, leaf, others):
    verify(broker, tmp_path, leaf, pem(ROOT), *others)


def test_only_the_first_certificate_of_the_root_file_is_trusted(broker, tmp_path):
    verify(broker, tmp_path, pem(DIRECT), pem(ROOT, INTER))
    with pytest.raises(Failure, match="UnknownIssuer"):
        verify(broker, tmp_path, pem(DIRECT), pem(INTER, ROOT))


def test_an_intermediate_certificate_may_be_trusted(broker, tmp_path):
    verify(broker, tmp_path, pem(LEAF), pem(INTER))


def test_keys_in_the_files_are_passed_over(broker, tmp_path):
    private = ROOT.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    verify(broker, tmp_path, private + pem(LEAF, INTER), private + pem(ROOT))


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa2048", "ed25519"])
def test_every_kind_of_key_can_issue(kind):
    root = issue("root", private=key(kind), ca=True)
    inter = issue("inter", root, private=key(kind, 1), ca=True)
    assert reason(issue("leaf", inter, private=key(kind, 2)), root, inter) == ""


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_every_strong_digest_is_accepted(digest):
    assert reason(issue("leaf", ROOT, digest=digest), ROOT) == ""


@pytest.mark.parametrize(
    "leaf",
    [
        issue("leaf", ROOT, purposes=()),
        issue("leaf", ROOT, names=()),
        issue("leaf", ROOT, ca=None),
        issue("leaf", ROOT, private=key("rsa1024")),
        issue("leaf", ROOT, usage=False),
        issue("leaf", ROOT, more=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), False),)),
    ],
    ids=["without purposes", "without names", "without constraints", "a short key of its own", "with usages", "more"],
)
def test_what_a_servers_certificate_may_leave_out(leaf):
    assert reason(leaf, ROOT) == ""


def test_a_servers_own_certificate_may_be_the_trusted_one():
    pinned = issue("pinned", usage=False)
    assert reason(pinned, pinned) == ""


def test_six_certificates_may_be_between():
    for count, expected in ((5, ""), (6, ""), (7, "MaximumPathDepthExceeded")):
        issued = [ROOT]
        for number in range(count):
            issued.append(issue(f"i{number}", issued[-1], ca=True))
        assert reason(issue("leaf", issued[-1]), ROOT, *issued[1:]) == expected


def test_another_way_is_tried_where_the_first_one_fails():
    """Two intermediate certificates of one name and key: one expired, one not; and one of another root."""
    expired = issue("inter", ROOT, private=key("rsa2048"), ca=True, days=(-10, -1))
    elsewhere = issue("inter", issue("elsewhere", ca=True), private=key("rsa2048"), ca=True)
    for order in itertools.permutations((expired, elsewhere, INTER)):
        assert reason(LEAF, ROOT, *order) == ""


# --- chains that do not ---

OTHER = issue("other", ca=True)


@pytest.mark.parametrize(
    "expected, leaf, root, candidates",
    [
        ("UnknownIssuer", LEAF, ROOT, []),
        ("UnknownIssuer", DIRECT, OTHER, []),
        ("UnknownIssuer", LEAF, OTHER, [INTER]),
        ("InvalidSignatureForPublicKey", DIRECT, issue("root", private=key("p384", 9), ca=True), []),
        ("InvalidSignatureForPublicKey", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048", 9), ca=True)]),
        ("InvalidSignatureForPublicKey", DIRECT, issue("root", private=key("ed25519", 9), ca=True), []),
        ("CertExpired", issue("leaf", ROOT, days=(-10, -1)), ROOT, []),
        ("CertExpired", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048"), ca=True, days=(-10, -1))]),
        ("CertExpired", DIRECT, issue("root", private=key("p384"), ca=True, days=(-10, -1)), []),
        ("CertNotValidYet", issue("leaf", ROOT, days=(1, 10)), ROOT, []),
        ("CertNotValidYet", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048"), ca=True, days=(1, 10))]),
        ("CaUsedAsEndEntity", INTER, ROOT, []),
        ("CaUsedAsEndEntity", ROOT, ROOT, []),
        ("EndEntityUsedAsCa", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048"))]),
        ("EndEntityUsedAsCa", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048"), ca=None)]),
        ("EndEntityUsedAsCa", LEAF, ROOT, [issue("inter", ROOT, private=key("rsa2048"), ca=True, usage=False)]),
        ("EndEntityUsedAsCa", DIRECT, issue("root", private=key("p384")), []),
        ("EndEntityUsedAsCa", DIRECT, issue("root", private=key("p384"), ca=True, usage=False), []),
        ("RequiredEkuNotFound", issue("leaf", ROOT, purposes=(CLIENT,)), ROOT, []),
        (
            "RequiredEkuNotFound",
            LEAF,
            ROOT,
            [
                issue(
                    "inter", ROOT, private=key("rsa2048"), ca=True, more=((x509.ExtendedKeyUsage([CLIENT]), False),)
                )
            ],
        ),
        ("PathLenConstraintViolated", LEAF, issue("root", private=key("p384"), ca=True, length=0), [INTER]),
        (
            "UnsupportedCriticalExtension",
            issue("l", ROOT, more=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True),)),
            ROOT,
            [],
        ),
        ("UnsupportedSignatureAlgorithm", issue("leaf", ROOT, digest=hashes.SHA224()), ROOT, []),
        (
            "UnsupportedSignatureAlgorithm",
            issue("leaf", issue("root", private=key("rsa1024"), ca=True)),
            issue("root", private=key("rsa1024"), ca=True),
            [],
        ),
        (
            "UnsupportedSignatureAlgorithm",
            issue("leaf", issue("root", private=key("k256"), ca=True)),
            issue("root", private=key("k256"), ca=True),
            [],
        ),
    ],
)  # fmt: skip
def test_a_chain_that_does_not_hold_is_refused_with_one_word(expected, leaf, root, candidates):
    assert reason(leaf, root, *candidates) == expected


def test_a_certificate_that_was_changed_is_refused(broker, tmp_path):
    """One bit of the name; the signature is of what it was."""
    changed = DIRECT.der.replace(b"direct", b"dirEct")
    import base64

    text = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(changed) + b"-----END CERTIFICATE-----\n"
    with pytest.raises(Failure) as failed:
        verify(broker, tmp_path, text, pem(ROOT))
    assert failed.value.kind == "Other"
    assert failed.value.message == (
        "Certificate verification error: Certificate chain verification failed: InvalidSignatureForPublicKey"
    )


def test_the_time_is_the_one_of_now():
    for days, expected in (((-1, 0.04), ""), ((-1, -0.0001), "CertExpired"), ((0.04, 1), "CertNotValidYet")):
        assert reason(issue("leaf", ROOT, days=days), ROOT) == expected
    assert NOW.tzinfo is not None


# --- constraints on names ---


def subtree(kind: str, text: str) -> x509.GeneralName:
    if kind == "dns":
        return x509.DNSName(text)
    if kind == "ip":
        return x509.IPAddress(ipaddress.ip_network(text))
    if kind == "email":
        return x509.RFC822Name(text)
    if kind == "uri":
        return x509.UniformResourceIdentifier(text)
    return x509.DirectoryName(named(text))


def given_name(kind: str, text: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(text)) if kind == "ip" else subtree(kind, text)


INSIDE = [
    ("dns", "example.com", "example.com"),
    ("dns", "example.com", "a.b.example.com"),
    ("dns", "example.com", "HOST.EXAMPLE.COM"),
    ("dns", "example.com", "*.example.com"),
    ("dns", ".example.com", "a.example.com"),
    ("ip", "10.0.0.0/8", "10.1.2.3"),
    ("ip", "fd00::/8", "fd00::1"),
    ("email", "example.com", "me@example.com"),
    ("email", ".example.com", "me@mail.example.com"),
    ("email", "me@example.com", "me@EXAMPLE.com"),
    ("uri", "host.example.com", "https://host.example.com/path"),
    ("uri", ".example.com", "https://host.example.com:444/"),
]
OUTSIDE = [
    ("dns", "example.com", "badexample.com"),
    ("dns", "example.com", "example.com.evil.org"),
    ("dns", ".example.com", "example.com"),
    ("ip", "10.0.0.0/8", "11.1.2.3"),
    ("ip", "10.0.0.0/8", "::a01:203"),
    ("email", "example.com", "me@mail.example.com"),
    ("email", "me@example.com", "you@example.com"),
    ("uri", "host.example.com", "https://evil.org/host.example.com"),
    ("uri", ".example.com", "https://example.com/"),
    ("uri", "host.example.com", "https://host.example.com@evil.org/"),
]


def constrained(permitted: list[x509.GeneralName], excluded: list[x509.GeneralName]) -> Issued:
    limits = x509.NameConstraints(permitted or None, excluded or None)
    return issue("constrained", ROOT, private=key("p256", 5), ca=True, constraints=limits)


@pytest.mark.parametrize("kind, base, name", INSIDE)
def test_a_name_inside_is_permitted_or_excluded(kind, base, name):
    for permitted, excluded, expected in (
        ([subtree(kind, base)], [], ""),
        ([], [subtree(kind, base)], "NameConstraintViolation"),
        ([subtree(kind, base)], [subtree(kind, base)], "NameConstraintViolation"),
    ):
        inter = constrained(permitted, excluded)
        leaf = issue("leaf", inter, names=(given_name(kind, name),))
        assert reason(leaf, ROOT, inter) == expected


@pytest.mark.parametrize("kind, base, name", OUTSIDE)
def test_a_name_outside_is_not_permitted_and_not_excluded(kind, base, name):
    for permitted, excluded, expected in (
        ([subtree(kind, base)], [], "NameConstraintViolation"),
        ([], [subtree(kind, base)], ""),
    ):
        inter = constrained(permitted, excluded)
        leaf = issue("leaf", inter, names=(given_name(kind, name),))
        assert reason(leaf, ROOT, inter) == expected


def test_a_wildcard_is_excluded_with_one_of_the_names_that_it_stands_for():
    inter = constrained([], [x509.DNSName("secret.example.com")])
    for text, expected in (
        ("*.example.com", "NameConstraintViolation"),
        ("*.secret.example.com", "NameConstraintViolation"),
        ("*.public.example.com", ""),
        ("*.com", ""),
    ):
        assert reason(issue("leaf", inter, names=(x509.DNSName(text),)), ROOT, inter) == expected


def test_the_subject_is_a_name_too():
    """Of the server's certificate and of those between; other kinds of names are free."""
    inter = constrained([x509.DirectoryName(named("leaf"))], [])
    assert reason(issue("leaf", inter, names=(x509.DNSName("anything"),)), ROOT, inter) == ""
    assert reason(issue("other", inter), ROOT, inter) == "NameConstraintViolation"
    below = issue("below", inter, ca=True)
    assert reason(issue("leaf", below), ROOT, inter, below) == "NameConstraintViolation"


def test_a_constraint_that_is_not_understood_refuses_the_names_that_it_is_about():
    identifier = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
    for permitted, excluded in (([identifier], []), ([], [identifier])):
        inter = constrained(permitted, excluded)
        assert reason(issue("leaf", inter), ROOT, inter) == ""
        leaf = issue("leaf", inter, names=(identifier,))
        assert reason(leaf, ROOT, inter) == "NameConstraintViolation"


def test_constraints_of_the_root_hold_for_all_below():
    root = issue(
        "root", private=key("p384"), ca=True, constraints=x509.NameConstraints([x509.DNSName("example.org")], None)
    )
    assert reason(DIRECT, root) == "NameConstraintViolation"
    assert reason(LEAF, root, INTER) == "NameConstraintViolation"


# --- hostile files ---


def test_certificates_that_name_each_other_end():
    """Every one could have issued every other one."""
    keys = [key("p256", number) for number in range(12)]
    ring = [
        issue("ring", Issued("ring", keys[number - 1], issue("ring").certificate), private=keys[number], ca=True)
        for number in range(12)
    ]
    started = time.monotonic()
    leaf = issue("leaf", ring[0])
    assert reason(leaf, ROOT, *ring) in ("UnknownIssuer", "MaximumPathDepthExceeded", "InvalidSignatureForPublicKey")
    many = [
        issue("ring", Issued("ring", keys[0], issue("ring").certificate), private=keys[0], ca=True) for _ in range(60)
    ]
    assert reason(issue("leaf", many[0]), ROOT, *many) == "MaximumSignatureChecksExceeded"
    assert time.monotonic() - started < 10


def test_names_and_constraints_by_the_thousand_end(monkeypatch):
    monkeypatch.setattr(names, "MAX_COMPARISONS", 1000)
    inter = constrained([x509.DNSName(f"host{number}.org") for number in range(100)], [])
    leaf = issue("leaf", inter, names=tuple(x509.DNSName(f"host{99}.org") for _ in range(100)))
    assert reason(leaf, ROOT, inter) == "MaximumNameConstraintComparisonsExceeded"


@pytest.mark.parametrize(
    "leaf, root, text",
    [
        (b"", pem(ROOT), "No certificates found in server certificate file"),
        (b"hello", pem(ROOT), "No certificates found in server certificate file"),
        (pem(LEAF), b"hello", "No certificates found in root CA file"),
        (pem(LEAF)[:200], pem(ROOT), "Failed to parse PEM certificates: missing section end marker"),
        (pem(LEAF), pem(ROOT)[:200], "Failed to parse PEM certificates: missing section end marker"),
        (pem(LEAF).replace(b"M", b"!", 1), pem(ROOT), "Failed to parse PEM certificates: "),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            pem(ROOT),
            "Failed to parse end-entity certificate: ",
        ),
        (
            pem(LEAF),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "Failed to parse root certificate as trust anchor: ",
        ),
        (b"x" * (certificates.MAX_FILE + 1), pem(ROOT), "the server certificate file has more than 1048576 bytes"),
    ],
)
def test_what_is_no_certificate_is_told(broker, tmp_path, leaf, root, text):
    with pytest.raises(Failure) as failed:
        verify(broker, tmp_path, leaf, root)
    assert failed.value.kind == "Other"
    assert failed.value.message.startswith(f"Certificate parse error: {text}")


def test_a_candidate_that_cannot_be_read_is_no_way(broker, tmp_path):
    junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    verify(broker, tmp_path, pem(LEAF), pem(ROOT), junk, pem(INTER))
    with pytest.raises(Failure, match="UnknownIssuer"):
        verify(broker, tmp_path, pem(LEAF), pem(ROOT), junk)


def test_more_candidates_than_allowed_are_refused(broker, tmp_path, monkeypatch):
    monkeypatch.setattr(certificates, "MAX_CANDIDATES", 3)
    with pytest.raises(Failure, match="more than 3 certificates"):
        verify(broker, tmp_path, pem(LEAF), pem(ROOT), pem(INTER, INTER), pem(INTER))


def test_an_element_that_is_no_file_is_refused(broker, tmp_path):
    file = opened(broker, tmp_path, "leaf", pem(DIRECT))
    for stranger in (1, "leaf", [file], broker.directory(tmp_path)):
        with pytest.raises(Failure, match="Array with non-file-handle elements"):
            broker.call("inspection.verify_cert_chain", file, file, [file, stranger])


# --- what is asked ---


def test_every_file_must_be_permitted_and_opened_for_reading(tmp_path):
    """Rex reads them without asking (W-E5)."""
    broker = Broker()
    verify(broker, tmp_path, pem(LEAF), pem(ROOT), pem(INTER))
    assert broker.asked[-3:] == [f"read File {tmp_path}/{name}" for name in ("leaf", "root", "other0")]
    for name in ("leaf", "root", "other0"):
        resource = f'file_system::File::"{tmp_path}/{name}"'
        denying = Broker(
            EVERYTHING + f'forbid (principal, action == file_system::Action::"read", resource == {resource});'
        )
        with pytest.raises(Failure, match="PermissionDenied"):
            verify(denying, tmp_path, pem(LEAF), pem(ROOT), pem(INTER))
    directory = broker.directory(tmp_path)
    files: list[Any] = [broker.file(directory, name, read=True) for name in ("leaf", "root", "other0")]
    for index, name in enumerate(("leaf", "root", "other0")):
        written = files.copy()
        written[index] = broker.file(directory, name, write=True)
        with pytest.raises(Failure, match="InvalidFileMode"):
            broker.call("inspection.verify_cert_chain", written[0], written[1], [written[2]])


# --- beside other verifiers ---


@pytest.mark.skipif(shutil.which("openssl") is None, reason="this host has no openssl")
@pytest.mark.parametrize("kind", ["p256", "rsa2048", "ed25519"])
def test_openssl_agrees(tmp_path, kind):
    """On what both judge: times, issuers, signatures, purposes, path lengths, names."""
    root = issue("root", private=key(kind), ca=True, usage=True)
    narrow = x509.NameConstraints([x509.DNSName("example.com")], [x509.DNSName("bad.example.com")])
    inters = [
        issue("inter", root, private=key(kind, 1), **{"ca": True, "usage": True, **extra})
        for extra in (
            {},
            {"days": (-10, -1)},
            {"length": 0},
            {"constraints": narrow},
            {"usage": False},
            {"ca": False, "usage": None},
        )
    ]
    leaves: list[dict[str, Any]] = [
        {},
        {"days": (-10, -1)},
        {"days": (1, 10)},
        {"purposes": (CLIENT,)},
        {"names": (x509.DNSName("bad.example.com"),)},
        {"names": (x509.DNSName("x.example.org"),)},
    ]
    for inter, extra in itertools.product(inters, leaves):
        leaf = issue("leaf", inter, private=key(kind, 2), **extra)
        for name, each in (("root", root), ("inter", inter), ("leaf", leaf)):
            (tmp_path / name).write_bytes(each.pem)
        command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", "root", "-untrusted", "inter", "leaf"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0) == (reason(leaf, root, inter) == ""), done.stdout + done.stderr
