"""Symbolic links as resources: opened themselves, read, made, replaced.

Owns:      the sequence of checks of each, and the handle of a link.
Relies on: `trex.host.links` for making them; the gate for permits.
Never:     follows a link, be it the last component or one before it.
"""

from __future__ import annotations

import os
from errno import EINVAL, ENOENT, EXDEV
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import CATALOGUE, Need, Resource
from trex.errors import AccessDenied
from trex.host import files, links, paths
from trex.host.paths import PathRefused, decode, encode
from trex.resources import failures
from trex.resources.file_system import CREATE, DELETE, OPEN, READ, STAT, Directory
from trex.resources.held import Held, Seen

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor
    from trex.host.paths import Path


@CATALOGUE.handle("SymlinkHandle")
class Symlink:
    """An open symbolic link: the link itself, not what it leads to.

    path: under which it was judged.
    """

    __slots__ = ("descriptor", "entity", "path")

    def __init__(self, descriptor: Descriptor, path: Path) -> None:
        self.descriptor, self.path = descriptor, path
        self.entity = file_entity(path.text)

    def check_place(self) -> None:
        """Fail if the link was moved since it was judged."""
        if not files.is_at(self.descriptor, self.path):
            raise failures.moved(self.path)


class InDirectory(Resource):
    """Something by its name inside an open directory."""

    uses: tuple[str, ...] = ("directory",)
    sample = "name"

    def check(self, argument: str) -> Any:
        try:
            return paths.component(argument)
        except PathRefused as refused:
            raise failures.from_path(refused) from None


class LinkInDirectory(InDirectory):
    """A link by its name inside an open directory."""

    needs = (Need(OPEN, "File", "the link"),)

    def acquire(self, gate: Gate, argument: str, *used: Any) -> Any:
        directory: Directory
        (directory,) = used
        path = directory.path.child(argument)
        entity = file_entity(path.text)
        gate.permit(OPEN, entity).require(OPEN, path.text)
        directory.check_place()
        descriptor = files.open_name(directory.descriptor, encode(argument))
        if files.kind(files.status(descriptor)) != files.SYMLINK:
            raise failures.failure("ValidationError", "Validation error: argument is not a symlink")
        return Symlink(descriptor, path)


class LinkToRead(InDirectory):
    """A link by its path from an open directory, to read what it holds. No link on the way is followed."""

    needs = (Need(READ, "File", "the link"),)

    def check(self, argument: str) -> Any:
        return _below(argument)

    def acquire(self, gate: Gate, argument: list[str], *used: Any) -> Any:
        directory: Directory
        (directory,) = used
        path = directory.path
        for name in argument:
            path = path.child(name)
        gate.permit(READ, file_entity(path.text)).require(READ, path.text)
        directory.check_place()
        link = files.open_name(directory.descriptor, encode("/".join(argument)))
        if files.kind(files.status(link)) != files.SYMLINK:
            raise OSError(EINVAL, os.strerror(EINVAL))
        return decode(files.link_target(link))


def _below(text: str) -> list[str]:
    """The components of a path from a directory."""
    if text.startswith("/"):
        raise failures.failure("IoError", failures.os_text(OSError(EXDEV, "")))
    try:
        parts = list(paths.parse("/" + text).parts)
    except PathRefused as refused:
        raise failures.from_path(refused) from None
    if not parts:
        raise failures.from_os(OSError(ENOENT, ""))
    return parts


class LinkPlace:
    """A name that may become a symbolic link."""

    __slots__ = ("_directory", "_force", "_name")

    def __init__(self, directory: Directory, name: str, force: bool) -> None:
        self._directory, self._name, self._force = directory, name, force

    def make(self, target: str) -> None:
        """Make the link; with `force`, in place of what stands there."""
        if "\0" in target:
            raise failures.invalid_arguments("a link cannot hold a NUL character")
        make = links.put if self._force else links.make
        make(self._directory.descriptor, encode(self._name), encode(target))


class LinkToMake(InDirectory):
    """The name of a link to make in an open directory."""

    uses = ("directory", "options")
    needs = (
        Need(CREATE, "File", "the link"),
        Need(DELETE, "File", "the link, for what it replaces", "with `force`"),
    )

    def acquire(self, gate: Gate, argument: str, *used: Any) -> Any:
        directory: Directory
        directory, options = used
        path = directory.path.child(argument)
        entity = file_entity(path.text)
        gate.permit(CREATE, entity).require(CREATE, path.text)
        if options.force:
            gate.permit(DELETE, entity).require(DELETE, path.text)
        directory.check_place()
        return LinkPlace(directory, argument, options.force)


class HeldLink(Held):
    """An open symbolic link."""

    type = "SymlinkHandle"


class LinkToSee(HeldLink):
    """An open link whose status is read, and what it holds where that is permitted."""

    def acquire(self, gate: Gate, argument: Symlink, *used: Any) -> Seen:
        gate.permit(STAT, argument.entity).require(STAT, argument.path.text)
        reading = gate.ask(READ, argument.entity)
        argument.check_place()
        target = None if isinstance(reading, AccessDenied) else decode(files.link_target(argument.descriptor))
        return Seen(files.status(argument.descriptor), target)


LinkNamed = Annotated[Symlink, LinkInDirectory()]
LinkTarget = Annotated[str, LinkToRead()]
LinkMade = Annotated[LinkPlace, LinkToMake()]
LinkSeen = Annotated[
    Seen,
    LinkToSee(
        Need(STAT, "File", "the link"),
        Need(READ, "File", "the link", "for its target, which is otherwise left out"),
    ),
]
