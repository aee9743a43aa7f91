"""What a policy permits on whole trees: for whoever can be told where, but not asked each time.

Owns:      rights on places, and the decisions about "anything below here" that they rest on.
Relies on: `partial` for what one policy says of a subject.
Never:     says "permitted" for what the engine might deny for any name below, or in any context; asks the host.

A program that runs confined is held by the kernel to places, and nobody is asked when it opens a
file. So a place is given to it only if the policy permits the action on *every* object there. The
answers are compared with the engine's by generated policies.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from trex.authorization.partial import DIR, FILE, UNKNOWN, URL, Case, Known, Subject, names_action, paths
from trex.authorization.vocabulary import action

if TYPE_CHECKING:
    from trex.authorization.authorizer import RunRecord
    from trex.authorization.entities import Action, Entity
    from trex.authorization.policy import Policy

# Rights on a place, as bits.
READ, LIST, WRITE, EXECUTE = 0x001, 0x002, 0x004, 0x008
MAKE_FILE, MAKE_DIRECTORY, REMOVE_FILE, REMOVE_DIRECTORY, MOVE = 0x010, 0x020, 0x040, 0x080, 0x100
ALL = 0x1FF
NAMES = {
    READ: "read", LIST: "list", WRITE: "write", EXECUTE: "execute", MAKE_FILE: "make files",
    MAKE_DIRECTORY: "make directories", REMOVE_FILE: "remove files", REMOVE_DIRECTORY: "remove directories",
    MOVE: "move",
}  # fmt: skip


class Reach:
    """What one principal may do on whole trees, in one run."""

    def __init__(self, policy: Policy, principal: Entity, run: RunRecord) -> None:
        groups = frozenset((each.type, each.id) for each in principal.family())
        known = {"id": run.id, "script": run.script, "language": run.language, "caller": run.caller}
        self._known = Known((principal.type, principal.id), groups, known)
        self._policies: list[dict[str, Any] | None] = [policy.syntax(id) for id in policy.labels]
        self._relevant: dict[Action, _Index] = {}
        self._work = 0
        self._remembered: dict[tuple[Action, str, str, bool, bool, bool], Any] = {}
        self._named: list[str] | None = None

    # --- places ---

    def tree(self, path: str) -> int:
        """The rights that hold on the directory `path` and everything below it."""
        here, directories, files = Subject(DIR, path, False), Subject(DIR, path, True), Subject(FILE, path, True)
        if not self._all(_OPEN, here, directories):
            return 0
        rights = 0
        if self._all(_READ, here, directories):
            rights |= LIST
        if self._all(_CREATE, directories):
            rights |= MAKE_DIRECTORY
        if self._all(_DELETE, directories):
            rights |= REMOVE_DIRECTORY
        if self._all(_OPEN, files):
            for wanted, right in _ON_FILES.items():
                if self._all(wanted, files) and self._is_readable(right, files):
                    rights |= right
            if rights & MAKE_FILE and rights & MAKE_DIRECTORY and self._all(_MOVE, files, directories):
                rights |= MOVE
        return rights

    def file(self, path: str) -> int:
        """The rights that hold on one file."""
        here = Subject(FILE, path, False)
        home = Subject(DIR, path.rpartition("/")[0] or "/", False)
        if not self._all(_OPEN, here, home):
            return 0
        rights = 0
        for wanted, right in ((_READ, READ), (_WRITE, WRITE), (_EXECUTE, EXECUTE)):
            if self._all(wanted, here) and self._is_readable(right, here):
                rights |= right
        return rights

    def may_hold_on_more(self, path: str) -> bool:
        """Whether something that no policy names may have rights below a directory that `tree` does not tell.

        Then it is worth looking at what is there, one by one.
        """
        rights = self.tree(path)
        for kind, verbs in ((FILE, _ON_FILES), (DIR, _ON_DIRECTORIES)):
            subject = Subject(kind, path, True, unnamed=True)
            if self._decide(_OPEN, subject) is False:
                continue
            missing = (wanted for wanted, right in verbs.items() if not rights & right)
            if any(self._decide(wanted, subject) is not False for wanted in missing):
                return True
        return False

    def everywhere(self, verb: str) -> bool:
        """Whether an action on files is permitted on every file and directory."""
        wanted = action("file_system", verb)
        return self._all(wanted, *(Subject(FILE, "/", True), Subject(DIR, "/", True), Subject(DIR, "/", False)))

    def network(self) -> bool:
        """Whether every contact with another host is permitted."""
        anywhere = Subject(URL, "", True)
        return self._all(_CONNECT, anywhere) and self._all(_GET, anywhere)

    def is_free(self, path: str, whole: bool, actions: tuple[Action, ...] | None = None) -> bool:
        """Whether no policy forbids anything there: the file, or with `whole` the directory and what is below.

        actions: that may not be forbidden; None: what reading takes.
        """
        subjects = [Subject(FILE, path, whole)]
        if whole:
            subjects += [Subject(DIR, path, False), Subject(DIR, path, True)]
        return all(
            self._decide(wanted, subject, implied=True) is True
            for wanted in actions or (_OPEN, _READ)
            for subject in subjects
        )

    # --- what the policies speak of ---

    def named(self) -> list[str]:
        """The paths that occur in the policies, in order; those of patterns up to the last whole directory."""
        if self._named is None:
            found: set[str] = set()
            for policy in self._policies:
                if policy is not None:
                    found.update(paths(policy))
            self._named = sorted(found)
        return self._named

    def speaks_below(self, path: str) -> bool:
        """Whether a policy names something strictly below a directory."""
        prefix = path if path.endswith("/") else path + "/"
        named = self.named()
        at = bisect_left(named, prefix)
        if at < len(named) and named[at] == prefix:
            at += 1
        return at < len(named) and named[at].startswith(prefix)

    # --- decisions ---

    def _is_readable(self, right: int, files: Subject) -> bool:
        """Whether a right does not bring reading where that is forbidden: what a program executes it can also read."""
        return right != EXECUTE or self._decide(_READ, files, implied=True) is True

    def _all(self, wanted: Action, *subjects: Subject) -> bool:
        return all(self._decide(wanted, each) is True for each in subjects)

    def _decide(self, wanted: Action, subject: Subject, implied: bool = False) -> Any:
        """True: permitted whatever the rest is; False: denied; or `UNKNOWN`. `implied`: no permit is needed."""
        key = (wanted, subject.type, subject.path, subject.below, subject.unnamed, implied)
        found = self._remembered.get(key)
        if found is None:
            found = self._remembered[key] = self._decided(wanted, subject, implied)
        return found

    def _decided(self, wanted: Action, subject: Subject, implied: bool) -> Any:
        if None in self._policies:  # nested too deeply to be read: it may say anything
            return UNKNOWN
        permitted: Any = bool(implied)
        for policy in self._about(wanted, subject):
            case = Case(self._known, wanted, subject)
            applies = case.applies(policy)
            if case.may_fail:
                return UNKNOWN
            if policy["effect"] == "forbid":
                if applies is True:
                    return False
                if applies is UNKNOWN:
                    return UNKNOWN
            elif applies is True:
                permitted = True
            elif applies is UNKNOWN and permitted is False:
                permitted = UNKNOWN
        return permitted

    def _about(self, wanted: Action, subject: Subject) -> list[dict[str, Any]]:
        """The policies whose scope may be met, forbidding ones first."""
        index = self._relevant.get(wanted)
        if index is None:
            about = [each for each in self._policies if each is not None and names_action(each["action"], wanted)]
            index = self._relevant[wanted] = _Index(about)
        found = index.about(subject)
        self._work += len(found)
        if self._work > MAX_WORK:
            raise TooManyPolicies
        return sorted(found, key=lambda each: each["effect"] != "forbid")


class TooManyPolicies(Exception):
    """To find out what holds on whole trees would take too long."""


# Half a second, where this was measured; a policy of a hundred rules takes a thousandth of it.
MAX_WORK = 200_000


class _Index:
    """Policies by the path in their scope, so that those about other places need not be looked at."""

    __slots__ = ("_anywhere", "_by_path", "_paths")

    def __init__(self, policies: list[dict[str, Any]]) -> None:
        self._anywhere: list[dict[str, Any]] = []
        self._by_path: dict[str, list[dict[str, Any]]] = {}
        for policy in policies:
            entity = policy["resource"].get("entity")
            if entity is not None and entity["type"] in (FILE, DIR):
                self._by_path.setdefault(entity["id"], []).append(policy)
            else:
                self._anywhere.append(policy)
        self._paths = sorted(self._by_path)

    def about(self, subject: Subject) -> list[dict[str, Any]]:
        found = list(self._anywhere)
        path = subject.path
        while path:
            found += self._by_path.get(path, ())
            path = "" if path == "/" else path.rpartition("/")[0] or "/"
        if subject.below:
            prefix = subject.prefix
            for path in self._paths[bisect_left(self._paths, prefix) :]:
                if not path.startswith(prefix):
                    break
                if path != "/":
                    found += self._by_path[path]
        return found


_OPEN, _READ, _WRITE = action("file_system", "open"), action("file_system", "read"), action("file_system", "write")
_CREATE, _DELETE = action("file_system", "create"), action("file_system", "delete")
_EXECUTE, _MOVE = action("file_system", "execute"), action("file_system", "move")
_CONNECT, _GET = action("network", "connect"), action("network", "GET")
_ON_DIRECTORIES = {_READ: LIST, _CREATE: MAKE_DIRECTORY, _DELETE: REMOVE_DIRECTORY}
_ON_FILES = {_READ: READ, _WRITE: WRITE, _EXECUTE: EXECUTE, _CREATE: MAKE_FILE, _DELETE: REMOVE_FILE}
