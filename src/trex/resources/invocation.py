"""How a program is called, and how policies see it: arguments, environment, identity.

Owns:      `Invocation`, and the context of `execute` that is made of it.
Relies on: the host's lists of users and groups for names.
Never:     starts anything, or drops a part of what the program will get from what the policy sees.

**Two views of the arguments.** Rex shows them as a map of tags and three sets; in a map one value stands
for each key, the last, while the program gets them all. `-p bad -p good` is judged as `-p good`. Here
the policy is asked once for every way to read such a map (`readings`), and all of them must be
permitted; where nothing is repeated there is one. Beside it stands the list itself, in order.
"""

from __future__ import annotations

import os
from itertools import product
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from trex.authorization.entities import Entity
from trex.host import paths
from trex.invocations import built_problem, pairs, set_problem
from trex.resources import failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trex.host.files import Descriptor
    from trex.invocations import Shape

# What the kernel takes as one argument (MAX_ARG_STRLEN), and less than it takes in all.
MAX_TEXT = 128 * 1024 - 1
MAX_TOTAL = 1024 * 1024
MAX_READINGS = 64


class Invocation(Struct, frozen=True):
    """How a program is called.

    arguments:   keys and values, or single texts with None; without the program's name.
    user, group: names; None: those that we run as.
    namespace:   a process in whose pid namespace it runs.
    directory:   the path of the directory it starts in; None: ours.
    timeout:     seconds; None: as long as the run.
    max_output:  bytes of each stream; None: what one operation may read.
    kept:        files that it gets open for reading, as /dev/fd/3 and on.
    """

    arguments: list[tuple[str, str | None]] = []
    environment: dict[str, str] = {}
    user: str | None = None
    group: str | None = None
    capabilities: tuple[str, ...] = ()
    namespace: int | None = None
    directory: str | None = None
    stdin: str | None = None
    timeout: int | None = None
    max_output: int | None = None
    kept: tuple[Descriptor, ...] = ()

    def texts(self) -> list[str]:
        """The arguments as the program gets them."""
        return [text for key, value in self.arguments for text in ((key,) if value is None else (key, value))]

    def variables(self) -> list[bytes]:
        """The environment as the program gets it."""
        return [f"{name}={self.environment[name]}".encode() for name in sorted(self.environment)]


def checked(arguments: list[Any], environment: dict[str, Any], capabilities: list[Any]) -> list[tuple[str, str | None]]:
    """The arguments as pairs. What a script's process refuses when it builds options is refused again."""
    given: list[tuple[Shape, Any]] = [
        ("arguments", arguments),
        ("environment", environment),
        ("capabilities", capabilities),
    ]
    for shape, value in given:
        problem = set_problem(shape, value) or built_problem(shape, value)
        if problem is not None:
            raise failures.failure("ValidationError", problem)
    called = pairs(arguments)
    texts = [text for pair in called for text in pair if text is not None]
    _check_texts(texts, "an argument")
    _check_texts([*environment, *environment.values()], "the environment")
    # A name with `=` would set another variable than the one that the policy saw.
    wrong = next((name for name in environment if "=" in name), None)
    if wrong is not None:
        raise failures.failure("ValidationError", f"Validation error: environment variable '{wrong}' has a `=` in it")
    return called


def _check_texts(texts: list[str], what: str) -> None:
    total = 0
    for text in texts:
        if "\0" in text:
            raise failures.failure("ValidationError", f"Validation error: {what} contains a null byte")
        size = len(text) if text.isascii() else len(text.encode())
        total += size + 1
        if size > MAX_TEXT or total > MAX_TOTAL:
            raise OSError(7, "")  # E2BIG: what the kernel would say, before anything is asked of it


# --- who ---

_NOBODYS = 0xFFFFFFFF  # no user and no group can have this number


class Identity(Struct, frozen=True):
    """Who a program runs as; `groups` are the further ones. `changes`: others than we are."""

    user: str
    uid: int
    group: str
    gid: int
    groups: tuple[int, ...]
    changes: bool


def identity(user: str | None, group: str | None) -> Identity:
    """The user, group and further groups that a program gets.

    With a user, the groups are those of that user; with a group, that one alone.
    """
    import grp
    import pwd

    uid, gid, groups = os.getuid(), os.getgid(), tuple(os.getgroups())
    ours = (uid, gid, frozenset(groups) - {gid})
    if user is not None:
        try:
            entry = pwd.getpwnam(user)
        except (KeyError, ValueError):
            raise _unknown("user", user) from None
        uid, gid = entry.pw_uid, entry.pw_gid
        groups = tuple(os.getgrouplist(user, gid))
    if group is not None:
        try:
            gid = grp.getgrnam(group).gr_gid
        except (KeyError, ValueError):
            raise _unknown("group", group) from None
        groups = (gid,)
    changes = (uid, gid, frozenset(groups) - {gid}) != ours
    return Identity(user or _user(uid), uid, group or group_name(gid), gid, groups, changes)


def stranger(user: str | None, group: str | None) -> Identity:
    """Who the policy is asked about where the host does not know the user or the group: of no number."""
    return Identity(user or _user(os.getuid()), _NOBODYS, group or "", _NOBODYS, (), True)


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group; its number, if it has none."""
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _unknown(what: str, name: str) -> Exception:
    number = "uid" if what == "user" else "gid"
    text = f"Identity resolution error: No {what} mapping found for {number}: {name}"
    return failures.failure("IdentityResolutionError", text)


# --- what the policy sees ---


def contexts(invocation: Invocation, who: Identity, directory: str) -> Iterator[dict[str, Any]]:
    """The context of `execute`, once for every reading of the arguments; Rex's own reading comes first."""
    texts = invocation.texts()
    names = tuple(sorted(invocation.environment))
    shared: dict[str, Any] = {
        "environment": Entity(
            "file_system::Environment", "environment", {"names": names}, (), dict(invocation.environment)
        ),
        "user": {"username": who.user, "uid": who.uid},
        "group": {"groupname": who.group, "gid": who.gid},
        "argument_list": Entity(
            "file_system::ArgumentList",
            "list",
            {"count": len(texts), "line": quoted_line(texts), "values": tuple(dict.fromkeys(texts))},
            (),
            {str(position): text for position, text in enumerate(texts)},
        ),
        "supplementary_groups": tuple(sorted({group_name(gid) for gid in who.groups if gid != who.gid})),
        "capabilities": tuple(dict.fromkeys(invocation.capabilities)),
        "working_directory": directory,
        "has_stdin": invocation.stdin is not None,
    }
    if invocation.namespace is not None:
        shared["namespace"] = {"target_process_id": invocation.namespace}
    sets = _sets(invocation.arguments)
    for tags in readings(invocation.arguments):
        yield {"arguments": Entity("file_system::Arguments", "arguments", sets, (), tags), **shared}


def _sets(arguments: list[tuple[str, str | None]]) -> Mapping[str, tuple[str, ...]]:
    keys = dict.fromkeys(key for key, value in arguments if value is not None)
    single = dict.fromkeys(key for key, value in arguments if value is None)
    return {
        "keys": tuple(keys),
        "flags": tuple(each for each in single if each.startswith("-")),
        "positional_values": tuple(each for each in single if not each.startswith("-")),
    }


def readings(arguments: list[tuple[str, str | None]]) -> Iterator[dict[str, str]]:
    """Every map of tags that the arguments can be read as: for each tag, each of the values that it is given.

    The first is that of Rex, in which the last value stands.
    """
    values: dict[str, dict[str, None]] = {}
    alone = 0
    for key, value in arguments:
        if value is not None:
            _note(values, key, value)
        else:
            _note(values, f"$ARG{alone}", key)
            _note(values, key, "true")
            alone += 1
    count = 1
    for each in values.values():
        count *= len(each)
        if count > MAX_READINGS:
            text = f"Validation error: so many keys are repeated that more than {MAX_READINGS} readings would be judged"
            raise failures.failure("ValidationError", text)
    for chosen in product(*(reversed(each) for each in values.values())):
        yield dict(zip(values, chosen, strict=True))


def _note(values: dict[str, dict[str, None]], tag: str, value: str) -> None:
    """One more value of a tag; one that it was given before moves to the end."""
    known = values.setdefault(tag, {})
    known.pop(value, None)
    known[value] = None


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")


def quoted_line(texts: list[str]) -> str:
    """Texts as one line, quoted as for a shell. From different lists come different lines."""
    return " ".join(text if text and _PLAIN.issuperset(text) else _quoted(text) for text in texts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def current_directory() -> str:
    """Where we are, as policies know it; the root, if that place is gone."""
    try:
        return paths.from_kernel(os.getcwdb()).text
    except (FileNotFoundError, paths.PathRefused):
        return "/"
