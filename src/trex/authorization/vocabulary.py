"""The words policies are written in: namespaces, entity types, actions, contexts, as data.

Owns:  every name, attribute and applicability that a policy may use, each with a line of doc.
       The Cedar schema, the reference pages and the recording rules are rendered from here.
Never: decides anything, talks to the engine, or knows how an entity comes to be.

Names are those of Rex, so that its policies load and mean the same; what Trex adds is marked
`added` and is optional wherever a value may be missing (a URL without a port, a process whose
executable the kernel does not tell). A policy guards an optional attribute with `has`:

    forbid (principal, action == network::Action::"GET", resource)
    when { resource has address && resource.address.isInRange(ip("169.254.0.0/16")) };

An added attribute has a name that Rex uses nowhere. Its policies tell kinds of resources apart by
`resource has path`; a URL with an attribute `path` would pass for a file.
"""

from __future__ import annotations

from msgspec import Struct

from trex.authorization.entities import Action


class Attribute(Struct, frozen=True):
    """One attribute of an entity or one field of a record.

    type:     a Cedar type (`String`, `Long`, `Bool`, `ipaddr`, `Set<String>`, an entity type), or
              the fields of a record.
    optional: policies must ask `has` before they read it.
    added:    not in Rex.
    recorded: its value may be written to the audit log; of the others only the names are.
    """

    name: str
    type: str | tuple[Attribute, ...]
    doc: str
    optional: bool = False
    added: bool = False
    recorded: bool = True


class EntityType(Struct, frozen=True):
    """A kind of thing that actions are about.

    within: the entity types that may contain it (`resource in ...`).
    tags:   the type of its tags, for things with keys that nobody knows beforehand.
    added:  not in Rex.
    """

    name: str
    doc: str
    attributes: tuple[Attribute, ...] = ()
    within: tuple[str, ...] = ()
    tags: str | None = None
    recorded_tags: bool = True
    added: bool = False


class Verb(Struct, frozen=True):
    """One action of a namespace: what it may be applied to, and what its context holds."""

    name: str
    doc: str
    resources: tuple[str, ...]
    context: tuple[Attribute, ...] = ()


class Namespace(Struct, frozen=True):
    """One area of the host, with the group that all of its actions belong to."""

    name: str
    doc: str
    group: str
    entities: tuple[EntityType, ...]
    verbs: tuple[Verb, ...]


PRINCIPAL = EntityType("User", "Who asks: by default the effective user that Trex runs as.")

RUN = Attribute(
    "run",
    (
        Attribute("id", "String", "the run's id, the same as in its outcome and audit log"),
        Attribute("script", "String", "SHA-256 of the script's text, in lower-case hexadecimal digits"),
        Attribute("language", "String", 'the script\'s language, such as "rhai"'),
        Attribute("caller", "String", 'who or what started the run, such as "command line"'),
    ),
    "the run that asks; in the context of every action",
    added=True,
)
RUN_TYPE = "Run"


def _path(doc: str) -> Attribute:
    return Attribute("path", "String", doc)


FILE_SYSTEM = Namespace(
    "file_system",
    "Files and directories, and programs that are run from them.",
    "SafeIO",
    (
        EntityType("Dir", "A directory; its id is its normal path.", (_path("the same text as the id"),), ("Dir",)),
        EntityType("File", "A file; its id is its normal path.", (_path("the same text as the id"),), ("Dir",)),
        EntityType(
            "Arguments",
            "The arguments of a program. Tags: each key with its value, `$ARGn` with the n-th argument that has no"
            " value, and that argument with `true`.",
            (
                Attribute("keys", "Set<String>", "the keys of arguments that have a value"),
                Attribute("flags", "Set<String>", "arguments without value that start with `-`"),
                Attribute("positional_values", "Set<String>", "the other arguments without value"),
            ),
            tags="String",
        ),
        EntityType(
            "Environment",
            "The environment of a program. Tags: each name with its value.",
            (Attribute("names", "Set<String>", "the names of the variables"),),
            tags="String",
            recorded_tags=False,  # passwords and tokens travel in environments
        ),
        EntityType(
            "ArgumentList",
            "The arguments of a program as it gets them, without its name: in order, repeats included. Tags: each"
            " position, from `0`, with the argument that stands there.",
            (
                Attribute("count", "Long", "how many there are", added=True),
                Attribute(
                    "line",
                    "String",
                    "all of them as one line, quoted as for a shell: two lists with the same line are the same list",
                    added=True,
                ),
                Attribute("values", "Set<String>", "each argument, whatever its place", added=True),
            ),
            tags="String",
            added=True,
        ),
    ),
    (
        Verb("open", "open, before anything else is done", ("File", "Dir")),
        Verb("read", "read the content of a file, or list a directory", ("File", "Dir")),
        Verb("redacted_read", "read a file with its secrets replaced, where `read` is not permitted", ("File",)),
        Verb("write", "change the content of a file", ("File",)),
        Verb("create", "make a file or directory that is not there", ("File", "Dir")),
        Verb("delete", "remove a file, or a directory with what is in it", ("File", "Dir")),
        Verb("stat", "read size, times, owner and mode", ("File", "Dir")),
        Verb("chmod", "change the mode", ("File", "Dir")),
        Verb("chown", "change owner or group", ("File", "Dir")),
        Verb(
            "set_x_attr",
            "set an extended attribute",
            ("File", "Dir"),
            (Attribute("xattr", (Attribute("name", "String", "the attribute's name"),), "the extended attribute"),),
        ),
        Verb(
            "move",
            "move or rename",
            ("File", "Dir"),
            (
                Attribute(
                    "destination",
                    (
                        Attribute("path", "String", "the new path"),
                        Attribute("name", "String", "the last part of the new path"),
                        Attribute("parent_path", "String", "the new path without its last part"),
                    ),
                    "where it goes",
                ),
            ),
        ),
        Verb(
            "execute",
            "run the file as a program",
            ("File",),
            (
                Attribute("arguments", "Arguments", "the program's arguments"),
                Attribute("environment", "Environment", "the program's environment"),
                Attribute(
                    "user",
                    (
                        Attribute("username", "String", "the name of the user"),
                        Attribute("uid", "Long", "the user's number"),
                    ),
                    "the user it runs as",
                ),
                Attribute(
                    "group",
                    (
                        Attribute("groupname", "String", "the name of the group"),
                        Attribute("gid", "Long", "the group's number"),
                    ),
                    "the group it runs as",
                ),
                Attribute(
                    "namespace",
                    (Attribute("target_process_id", "Long", "the process whose namespace is entered"),),
                    "the process namespace it runs in, if not our own",
                    optional=True,
                ),
                Attribute("argument_list", "ArgumentList", "the program's arguments in order", added=True),
                Attribute(
                    "supplementary_groups",
                    "Set<String>",
                    "the names of its further groups; of a group without a name, the number",
                    added=True,
                ),
                Attribute("capabilities", "Set<String>", 'what it asks for, such as `"CAP_NET_RAW"`', added=True),
                Attribute("working_directory", "String", "the directory that it starts in", added=True),
                Attribute("has_stdin", "Bool", "whether the script feeds its standard input", added=True),
            ),
        ),
        Verb("network_namespace", "enter the network namespace that the file stands for", ("File",)),
        Verb("unmount", "unmount what is mounted at the directory", ("Dir",)),
    ),
)

SYSINFO = Namespace(
    "sysinfo",
    "What the host tells about itself, and names that it resolves.",
    "SysinfoAction",
    (
        EntityType("Uname", "The kernel's own description."),
        EntityType("Sysinfo", "The host's name, addresses, processors and kernel."),
        EntityType(
            "Hostname",
            "A host's name; its id is that name.",
            (Attribute("hostname", "String", "the same text as the id"),),
        ),
    ),
    (
        Verb("list", "read information about the host", ("Uname", "Sysinfo")),
        Verb("resolve_hostname", "ask the resolver for a name's addresses", ("Hostname",)),
    ),
)

NETWORK = Namespace(
    "network",
    "Other hosts.",
    "NetworkAction",
    (
        EntityType(
            "url",
            "A URL or the name of an endpoint; its id is the text that the script gave.",
            (
                Attribute("url", "String", "the same text as the id"),
                Attribute("scheme", "String", 'lower case, such as "https"', optional=True, added=True),
                Attribute("host", "String", "lower case, without brackets", optional=True, added=True),
                Attribute("port", "Long", "the port, the scheme's own if none is written", optional=True, added=True),
                Attribute("url_path", "String", "the path, `/` if none is written", optional=True, added=True),
                Attribute(
                    "address",
                    "ipaddr",
                    "the address that is about to be contacted; known at the second decision, before connecting",
                    optional=True,
                    added=True,
                ),
            ),
        ),
    ),
    (
        Verb("GET", "send an HTTP GET request", ("url",)),
        Verb("connect", "try whether a connection can be made", ("url",)),
    ),
)

PROCESS_SYSTEM = Namespace(
    "process_system",
    "Processes of the host.",
    "ProcessAction",
    (
        EntityType(
            "Process",
            "A process; its id is its number in decimal digits.",
            (
                Attribute("name", "String", "the short name that the kernel keeps"),
                Attribute("username", "String", "the name of its real user"),
                # Other people's command lines hold passwords.
                Attribute("command", "String", "its command line, joined by spaces", recorded=False),
                # Rex supplies it without declaring it, and its documents promise it: no `has` needed.
                Attribute("pid", "String", "the same text as the id", added=True),
                Attribute("user_id", "Long", "the number of its real user", optional=True, added=True),
                Attribute("started", "Long", "clock ticks from boot to its start", optional=True, added=True),
                Attribute("executable", "String", "the path of its program", optional=True, added=True),
                Attribute("unit", "String", "the systemd unit it belongs to", optional=True, added=True),
                Attribute("kernel_thread", "Bool", "whether it is part of the kernel", optional=True, added=True),
            ),
        ),
    ),
    (
        Verb("list", "read what the host tells about the process", ("Process",)),
        Verb("list_fds", "read which files it has open", ("Process",)),
        Verb("kill", "send a signal other than SIGHUP", ("Process",)),
        Verb("interrupt", "send SIGHUP", ("Process",)),
        Verb("trace", "read its stack", ("Process",)),
        Verb("mount_namespace", "enter its mount namespace", ("Process",)),
        Verb("network_namespace", "enter its network namespace", ("Process",)),
    ),
)

SYSTEMD = Namespace(
    "systemd",
    "Units of the service manager.",
    "SystemdAction",
    (
        EntityType("Service", "A unit; its id is its name.", (Attribute("name", "String", "the same text as the id"),)),
        EntityType("Systemd", "The service manager itself."),
    ),
    (
        Verb("start", "start a unit", ("Service",)),
        Verb("stop", "stop a unit", ("Service",)),
        Verb("restart", "restart a unit", ("Service",)),
        Verb("status", "read a unit's state", ("Service",)),
        Verb("daemon_reload", "make the manager read its configuration again", ("Systemd",)),
    ),
)

SYSCTL = Namespace(
    "sysctl",
    "Kernel parameters as a whole; single ones are files below `/proc/sys`.",
    "SysctlAction",
    (EntityType("Sysctl", "The kernel's parameters."),),
    (Verb("load", "load all parameters from the host's configuration", ("Sysctl",)),),
)

NAMESPACES = (FILE_SYSTEM, SYSINFO, NETWORK, PROCESS_SYSTEM, SYSTEMD, SYSCTL)

ACTIONS: dict[Action, Verb] = {
    Action(namespace.name, verb.name): verb for namespace in NAMESPACES for verb in namespace.verbs
}
ENTITY_TYPES: dict[str, EntityType] = {PRINCIPAL.name: PRINCIPAL} | {
    f"{namespace.name}::{entity.name}": entity for namespace in NAMESPACES for entity in namespace.entities
}


def action(namespace: str, verb: str) -> Action:
    """The declared action of that name; asking for another is an error where it is asked."""
    found = Action(namespace, verb)
    if found not in ACTIONS:
        raise LookupError(f"the vocabulary declares no action {found}")
    return found


def group_of(action: Action) -> Action:
    """The group that an action belongs to."""
    return Action(action.namespace, next(each.group for each in NAMESPACES if each.name == action.namespace))
