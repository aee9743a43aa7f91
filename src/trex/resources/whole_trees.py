"""Directories and links whose mode or owner is changed, alone or with all that a directory holds.

Owns:      what is asked about the top and about each entry, the order in which a tree is changed, and what
           is said when a part of it stays as it was.
Relies on: `walks` for the way through the tree; descriptors of the very objects that were judged.
Never:     follows a link; says that a tree was changed where the host refused a part of it.

The top must be permitted, or nothing is changed. Below it `open` and the change are asked for each
entry; what is denied stays as it was, which the audit and the log tell. What the host refuses is
told in the log and, once all the others are changed, as an error with how many there are.

A mode that keeps a directory open to its owner is set before the directory is entered, any other
after all that it holds: so a tree can be opened, and closed, by the one who owns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need
from trex.errors import OperationError
from trex.host import attributes
from trex.host.files import SYMLINK
from trex.resources import failures
from trex.resources.changed import CHMOD, CHOWN, give, owner_numbers, permission_bits, set_owner
from trex.resources.file_system import OPEN, READ, Directory
from trex.resources.held import HeldDirectory
from trex.resources.links import HeldLink, Symlink
from trex.resources.walks import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor
    from trex.resources.walks import Found

_ENTERED = 0o500  # what its owner needs of a directory to list and to enter it


class WholeTree:
    """A directory whose mode or owner may be changed, and that of all it holds.

    tree: to go through; None where only the directory itself is meant.
    """

    __slots__ = ("_action", "_changed", "_directory", "_gate", "_tree")

    def __init__(self, directory: Directory, gate: Gate, action: Action, tree: Tree | None) -> None:
        self._directory, self._gate, self._action, self._tree = directory, gate, action, tree
        self._changed = 0

    def set_mode(self, mode: int) -> None:
        """Give it these permission bits; links have none."""
        bits = permission_bits(mode)

        def change(descriptor: Descriptor) -> None:
            attributes.set_mode(descriptor, bits)

        self._apply(change, before=mode & _ENTERED == _ENTERED, links=False)

    def set_owner(self, user: str | None, group: str | None) -> None:
        """Give it to this user, this group, or both; links are given away themselves."""
        uid, gid = owner_numbers(user, group)

        def change(descriptor: Descriptor) -> None:
            give(descriptor, uid, gid)

        self._apply(change, before=True, links=True)

    def _apply(self, change: Callable[[Descriptor], None], before: bool, links: bool) -> None:
        top, tree = self._directory.descriptor, self._tree
        if tree is None:
            change(top)
            return
        if before:
            change(top)
        for found in tree.walk(leaving=True):
            if (found.leaving != before or not found.is_directory) and (links or found.kind != SYMLINK):
                self._change(tree, found, change)
        if not before:
            change(top)
        self._changed += 1
        self._tell(tree)

    def _change(self, tree: Tree, found: Found, change: Callable[[Descriptor], None]) -> None:
        entity = (directory_entity if found.is_directory else file_entity)(found.path)
        # The walk has asked for `open` on directories: those that may not be opened it does not give.
        if not ((found.is_directory or tree.may(OPEN, entity)) and tree.may(self._action, entity)):
            return
        try:
            change(found.open())
        except FileNotFoundError:  # it was removed meanwhile
            return
        except OSError as error:
            tree.problem(found.path, failures.os_text(error))
        except OperationError as error:
            tree.problem(found.path, error.message)
        else:
            self._changed += 1

    def _tell(self, tree: Tree) -> None:
        self._gate.facts["changed"] = self._changed
        if tree.denied:
            text = f"{tree.denied} denials; what they are about stays as it was"
            self._gate.report.log("WARN", f"{tree.purpose}: {self._directory.path.text}: {text}", self._gate.line)
        if tree.problems:
            reason = (
                f"Error in {tree.purpose}, {self._changed} changed, {tree.problems} refused by the host, see the log"
            )
            raise failures.directory_failed(reason, self._directory.path)


class DirectoryToChange(HeldDirectory):
    """An open directory, with all that it holds if `recursive` is set."""

    uses = ("options",)

    def __init__(self, action: Action, purpose: str) -> None:
        super().__init__(
            Need(action, "Dir", "the directory"),
            Need(READ, "Dir", "the directory, and each one below it to be entered", "with `recursive`"),
            Need(OPEN, "Dir", "each directory below it", "with `recursive`"),
            Need(OPEN, "File", "each other entry below it", "with `recursive`"),
            Need(action, "File", "each entry below it; as `Dir` if it is a directory", "with `recursive`"),
        )
        self._action, self._purpose = action, purpose

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> WholeTree:
        (options,) = used
        gate.permit(self._action, argument.entity)
        tree = None
        if options.recursive:
            gate.permit(READ, argument.entity)
            tree = Tree(argument, gate, self._purpose)
        argument.check_place()
        return WholeTree(argument, gate, self._action, tree)


class OwnerOfLink:
    """An open symbolic link whose owner may be changed."""

    __slots__ = ("_link",)

    def __init__(self, link: Symlink) -> None:
        self._link = link

    def set(self, user: str | None, group: str | None) -> None:
        """Give the link itself to this user, this group, or both."""
        set_owner(self._link.descriptor, user, group)


class LinkToGive(HeldLink):
    """An open symbolic link to give away."""

    def acquire(self, gate: Gate, argument: Symlink, *used: Any) -> OwnerOfLink:
        gate.permit(CHOWN, argument.entity)
        argument.check_place()
        return OwnerOfLink(argument)


DirectoryMode = Annotated[WholeTree, DirectoryToChange(CHMOD, "chmod")]
DirectoryOwner = Annotated[WholeTree, DirectoryToChange(CHOWN, "set_ownership")]
LinkOwner = Annotated[OwnerOfLink, LinkToGive(Need(CHOWN, "File", "the link"))]
