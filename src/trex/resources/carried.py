"""What a move takes along: that nothing gets out of a policy's reach by having another name.

Owns:      what is asked about a file that is moved, and about all that a directory holds which is renamed, beside
           the permits for the move itself.
Relies on: `Reach` to tell where no policy says anything against it, so that nothing need be asked there.
Never:     follows a link; names to the script what is in a directory that it may not read.

Policies speak of names, and a rename gives new ones to everything below. So a policy that forbids
`read` in `/srv/a/keys` would be lost with a rename of `/srv/a`. What comes along needs no permit of its own, but a
`move` of it that is forbidden, or a forbidden `create` where it goes, stops the move; and so does what
is forbidden with it where it is, and would not be denied where it goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.authorization.reach import TooManyPolicies
from trex.authorization.vocabulary import action
from trex.errors import AccessDenied
from trex.host import trees
from trex.resources.file_system import CREATE, DELETE, OPEN, READ, WRITE

if TYPE_CHECKING:
    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor
    from trex.host.paths import Path
    from trex.host.trees import Step

MOVE = action("file_system", "move")

_OF_FILES: tuple[Action, ...] = (OPEN, READ, WRITE, DELETE)
_OF_DIRECTORIES: tuple[Action, ...] = (OPEN, READ, DELETE)


def judge_file(gate: Gate, source: Path, target: Path) -> None:
    """A file that is moved must not be freed of what is forbidden with it."""
    if not _is_free(gate, source.text, False, _OF_FILES):
        _judge_rules(gate, source.text, target.text, is_directory=False)


def judge_tree(gate: Gate, directory: Descriptor, source: Path, target: Path, destination: dict[str, Any]) -> None:
    """All that a directory holds which is renamed. `destination`: of the directory, as the move of it was judged."""
    if _is_free(gate, source.text, True, (MOVE, *_OF_FILES)) and _is_free(gate, target.text, True, (CREATE,)):
        return
    _judge_rules(gate, source.text, target.text, is_directory=True)

    def judge(step: Step) -> None:
        gate.budget.check_time()
        entity = directory_entity if step.is_directory else file_entity
        new = target.text + step.path.removeprefix(source.text)
        try:
            gate.unless_forbidden(MOVE, entity(step.path), destination)
            gate.unless_forbidden(CREATE, entity(new))
            _judge_rules(gate, step.path, new, step.is_directory)
        except AccessDenied as denied:
            raise told(gate, source.text, step.path, denied) from None

    for step in trees.walk(directory, source, cross=True, entering=judge):
        if not step.is_directory:
            judge(step)


def told(gate: Gate, top: str, path: str, denied: AccessDenied) -> AccessDenied:
    """What a script sees of a denial below `top`: that of the first directory on the way that it may not read."""
    at = top
    for part in path[len(top) :].strip("/").split("/"):
        reading = gate.ask(READ, directory_entity(at))
        if isinstance(reading, AccessDenied):
            return reading
        at = f"{at.rstrip('/')}/{part}"
    return denied


def _judge_rules(gate: Gate, old: str, new: str, is_directory: bool) -> None:
    entity = directory_entity if is_directory else file_entity
    for wanted in _OF_DIRECTORIES if is_directory else _OF_FILES:
        try:
            gate.unless_forbidden(wanted, entity(old))
        except AccessDenied:
            if not isinstance(gate.ask(wanted, entity(new)), AccessDenied):
                raise


def _is_free(gate: Gate, path: str, whole: bool, actions: tuple[Action, ...]) -> bool:
    try:
        return gate.reach.is_free(path, whole, actions)
    except TooManyPolicies:  # then each thing is asked about
        return False
