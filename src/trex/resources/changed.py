"""Open files that are changed in themselves: content in place, size, mode, owner, attributes.

Owns:      the permit that each takes, and what can be said when the kernel refuses.
Relies on: descriptors of the very file that was judged.
Never:     touches another file than the one that is held.
"""

from __future__ import annotations

import os
from errno import EPERM
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.vocabulary import action
from trex.catalogue.declare import Need
from trex.host import attributes, files
from trex.resources import content, failures
from trex.resources.file_system import WRITE, File
from trex.resources.held import HeldFile

if TYPE_CHECKING:
    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate

CHMOD = action("file_system", "chmod")
CHOWN = action("file_system", "chown")
SET_X_ATTR = action("file_system", "set_x_attr")

LARGEST = 2**63 - 1  # the kernel's own bound on positions in a file


class ChangedFile:
    """An open file whose content or size may be changed in place."""

    __slots__ = ("_file", "_gate")

    def __init__(self, file: File, gate: Gate) -> None:
        self._file, self._gate = file, gate

    def overwrite(self, data: bytes) -> None:
        """Make this the content of the file itself, from its start; other names of it show it too."""
        self._must_be_writable()
        self._gate.budget.write(len(data))
        content.overwrite(self._file.descriptor, data, self._file.path)
        self._file.page = 0

    def cut(self, size: int) -> None:
        """Give it this size: cut the rest off, or add a hole."""
        if size < 0:
            raise failures.invalid_arguments("Size must be greater than or equal to 0")
        try:
            os.ftruncate(self._file.descriptor.number, _fitting(size))
        except OSError as error:
            raise failures.from_os(error, "RustixError") from error

    def reserve(self, size: int) -> None:
        """Take space on the disk for so many bytes; the file gets at least this size."""
        self._must_be_writable()
        missing = size - files.status(self._file.descriptor).st_size
        if missing > 0:
            self._gate.budget.write(missing)
        try:
            os.posix_fallocate(self._file.descriptor.number, 0, _fitting(size))
        except OSError as error:
            raise failures.from_os(error, "RustixError") from error

    def _must_be_writable(self) -> None:
        if not self._file.writable:
            raise failures.not_opened_for("write", self._file.path)


def _fitting(size: int) -> int:
    if size > LARGEST:
        raise failures.invalid_arguments(f"{size} bytes are more than any file can have")
    return size


class ModeOf:
    """Something open whose mode may be changed."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    def set(self, mode: int) -> None:
        """Give it these permission bits."""
        attributes.set_mode(self._file.descriptor, permission_bits(mode))


def permission_bits(mode: int) -> int:
    """The mode, which must hold permissions only."""
    if mode < 0:
        raise failures.failure("TryFromIntError", "out of range integral type conversion attempted")
    if mode > attributes.PERMISSION_BITS:
        text = f"Invalid permissions. Permissions must be in the range 0-777 octal: 0o{mode:o}"
        raise failures.failure("ValidationError", f"Validation error: {text}")
    return mode


class OwnerOf:
    """Something open whose owner may be changed."""

    __slots__ = ("_file",)

    def __init__(self, file: File) -> None:
        self._file = file

    def set(self, user: str | None, group: str | None) -> None:
        """Give it to this user, this group, or both."""
        set_owner(self._file.descriptor, user, group)


def set_owner(descriptor: files.Descriptor, user: str | None, group: str | None) -> None:
    """Give an object to a user and group by name; None leaves what it has."""
    give(descriptor, *owner_numbers(user, group))


def owner_numbers(user: str | None, group: str | None) -> tuple[int | None, int | None]:
    """The numbers of a user and a group, where their names are given."""
    return None if user is None else _user_number(user), None if group is None else _group_number(group)


def give(descriptor: files.Descriptor, uid: int | None, gid: int | None) -> None:
    """Give an object to a user and group; None leaves what it has."""
    if uid is None and gid is None:
        return
    try:
        attributes.set_owner(descriptor, uid, gid)
    except OSError as error:
        if error.errno != EPERM:
            raise
        raise failures.may_not_chown() from error


def _user_number(name: str) -> int:
    from pwd import getpwnam

    try:
        return getpwnam(name).pw_uid
    except (KeyError, ValueError):  # ValueError: a NUL byte
        raise failures.unknown_account("user mapping found for uid", name) from None


def _group_number(name: str) -> int:
    from grp import getgrnam

    try:
        return getgrnam(name).gr_gid
    except (KeyError, ValueError):
        raise failures.unknown_account("group mapping found for gid", name) from None


SELINUX = "security.selinux"
_PARTS = ("user", "role", "type", "level")


class LabelOf:
    """An open file whose SELinux label may be changed."""

    __slots__ = ("_file", "_name")

    def __init__(self, file: File, name: str) -> None:
        self._file, self._name = file, name

    def set(self, **parts: str | None) -> None:
        """Replace the parts that are given: `user`, `role`, `type`, `level`."""
        if self._name != SELINUX:
            raise failures.unsupported(
                f"Extended attribute for '{self._name}' is not supported. Only '{SELINUX}' is supported."
            )
        given = {name: _component(name, part) for name, part in parts.items() if part is not None}
        try:
            old = attributes.attribute(self._file.descriptor, SELINUX)
            label = _changed(old, given)
            attributes.set_attribute(self._file.descriptor, SELINUX, label)
        except OSError as error:
            raise failures.from_os(error, "RustixError") from error


def _component(name: str, part: str) -> str:
    reason = ""
    if not part.strip():
        reason = "cannot be empty or whitespace-only"
    elif part != part.strip():
        reason = "cannot have leading or trailing whitespace"
    elif ":" in part:
        reason = "cannot contain ':' character as it is the context delimiter"
    elif any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in part):
        reason = "cannot contain control characters"
    if reason:
        raise failures.invalid_arguments(f"SELinux {name} {reason}")
    return part


def _changed(old: bytes, given: dict[str, str]) -> bytes:
    text = old.removesuffix(b"\0")
    parts = dict(zip(_PARTS, text.split(b":", 3), strict=False))  # a level has colons of its own: `s0:c1`
    if len(parts) != len(_PARTS):
        raise failures.invalid_arguments("the file's SELinux label has not the parts user, role, type and level")
    parts.update({name: part.encode() for name, part in given.items()})
    return b":".join(parts.values()) + old[len(text) :]


class OpenedToChange(HeldFile):
    """An open file to change; which permit that takes is said where it is declared."""

    def __init__(self, what: Action, makes: type[Any]) -> None:
        super().__init__(Need(what, "File", "the file"))
        self._action, self._makes = what, makes

    def acquire(self, gate: Gate, argument: File, *used: Any) -> Any:
        gate.permit(self._action, argument.entity)
        argument.check_place()
        return ChangedFile(argument, gate) if self._makes is ChangedFile else self._makes(argument)


class OpenedToLabel(HeldFile):
    """An open file to give an extended attribute."""

    uses = ("options",)

    def acquire(self, gate: Gate, argument: File, *used: Any) -> LabelOf:
        (options,) = used
        gate.permit(SET_X_ATTR, argument.entity, {"xattr": {"name": options.name}})
        argument.check_place()
        return LabelOf(argument, options.name)


FileChanged = Annotated[ChangedFile, OpenedToChange(WRITE, ChangedFile)]
FileMode = Annotated[ModeOf, OpenedToChange(CHMOD, ModeOf)]
FileOwner = Annotated[OwnerOf, OpenedToChange(CHOWN, OwnerOf)]
FileLabel = Annotated[LabelOf, OpenedToLabel(Need(SET_X_ATTR, "File", "the file"))]
