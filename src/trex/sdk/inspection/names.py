"""Constraints on names in certificates (RFC 5280, section 4.2.1.10).

Owns:      whether a name is inside of a constraint, for each kind of name, and a bound on the work.
Relies on: `cryptography` for parsed names.
Never:     lets a name pass whose kind is constrained in a way that is not understood.

A constraint permits or excludes a part of the names of one kind; names of kinds that are not
mentioned are free. A wildcard name stands for every name that it matches: it is excluded if one of
these is.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_COMPARISONS = 250_000


class TooManyNames(Exception):
    """More comparisons than anybody needs."""


class Constraints:
    """What one certificate permits and excludes for those below it."""

    __slots__ = ("_comparisons", "_excluded", "_permitted")

    def __init__(self, value: x509.NameConstraints) -> None:
        self._permitted = list(value.permitted_subtrees or ())
        self._excluded = list(value.excluded_subtrees or ())
        self._comparisons = 0

    def hold_for(self, names: Iterable[x509.GeneralName]) -> bool:
        """Whether each of the names is permitted, and none is excluded."""
        for name in names:
            permitted = [base for base in self._permitted if type(base) is type(name)]
            if permitted and not any(self._is_inside(name, base, False) for base in permitted):
                return False
            if any(self._is_inside(name, base, True) for base in self._excluded if type(base) is type(name)):
                return False
        return True

    def _is_inside(self, name: x509.GeneralName, base: x509.GeneralName, excluding: bool) -> bool:
        """Whether the name is inside; for what is not understood, the answer that refuses it."""
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise TooManyNames
        if isinstance(name, x509.DNSName) and isinstance(base, x509.DNSName):
            return _is_domain_inside(name.value, base.value, excluding)
        if isinstance(name, x509.IPAddress) and isinstance(base, x509.IPAddress):
            network = base.value
            if isinstance(network, IPv4Network | IPv6Network) and not isinstance(name.value, IPv4Network | IPv6Network):
                return name.value.version == network.version and name.value in network
        if isinstance(name, x509.DirectoryName) and isinstance(base, x509.DirectoryName):
            wanted = base.value.rdns
            return name.value.rdns[: len(wanted)] == wanted
        if isinstance(name, x509.RFC822Name) and isinstance(base, x509.RFC822Name):
            return _is_mailbox_inside(name.value, base.value)
        if isinstance(name, x509.UniformResourceIdentifier) and isinstance(base, x509.UniformResourceIdentifier):
            host = _host(name.value)
            return excluding if host is None else _is_host_inside(host, base.value)
        return excluding


def _is_domain_inside(name: str, base: str, excluding: bool) -> bool:
    """`example.com` has itself and what is below inside, `.example.com` only what is below."""
    name, base = name.lower(), base.lower()
    if not base:
        return True
    if excluding and name.startswith("*."):
        # The names that it stands for are one label longer than what follows the star.
        parent = name[2:]
        inner = base.removeprefix(".")
        if inner.endswith("." + parent) and inner.count(".") == parent.count(".") + 1 and not base.startswith("."):
            return True
    if base.startswith("."):
        return name.endswith(base)
    return name == base or name.endswith("." + base)


def _is_host_inside(host: str, base: str) -> bool:
    """Of URIs: `example.com` is that host alone, `.example.com` what is below."""
    host, base = host.lower(), base.lower()
    return host.endswith(base) if base.startswith(".") else host == base


def _is_mailbox_inside(mailbox: str, base: str) -> bool:
    local, _, host = mailbox.rpartition("@")
    if "@" in base:
        base_local, _, base_host = base.rpartition("@")
        return local == base_local and host.lower() == base_host.lower()
    return _is_host_inside(host, base)


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None
