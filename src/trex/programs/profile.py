"""What a confined program may not do, and what it may do unasked: rules as data, a reason per line.

Owns:  the system calls that are refused or tied to a condition, the capabilities that are left, the
       places that every program needs, the rights of Landlock by kernel version.
Never: makes a system call; `confinement` carries out what stands here.

A program is not a worker: it may be any program, so that a list of what is allowed cannot be made.
Refused is what reaches beyond files (other processes, the kernel, namespaces, sockets), what changes
files without opening them (their mode, owner, attributes, times: Landlock does not look at these), and every
call that is newer than this list. Files are Landlock's part.
"""

from __future__ import annotations

from msgspec import Struct

EPERM, EAFNOSUPPORT, ENOSYS, EOPNOTSUPP = 1, 97, 38, 95

# The newest call that was looked at (file_setattr, Linux 6.17). Behind it everything fails with
# ENOSYS, as it would on an older kernel.
NEWEST_CALL = 469


class Where(Struct, frozen=True):
    """A condition on one argument of a call: after masking, its lower 32 bits equal `value` (or not, `equal` false)."""

    index: int
    value: int
    mask: int = 0xFFFFFFFF
    equal: bool = True


class Refusal(Struct, frozen=True):
    """Calls that fail with `error`, if all conditions hold.

    unless: what must be permitted for them to work: `"attributes"`, `"network"`, `"everything"`.
    before: only where Landlock's interface is older than this version, which has a rule of its own.
    """

    names: str
    reason: str
    when: tuple[Where, ...] = ()
    error: int = EPERM
    unless: str = ""
    before: int = 0


_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_TRUNCATE, _ACCESS = 0o1000, 0o3

REFUSED = (
    # --- other processes ---
    Refusal("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd", "reads and changes other processes"),
    Refusal("process_madvise process_mrelease migrate_pages move_pages", "moves the memory of other processes"),
    Refusal("prlimit64", "changes the limits of another process", (Where(0, 0, equal=False),)),
    Refusal(
        "sched_setaffinity sched_setscheduler sched_setparam sched_setattr",
        "places another process",
        (Where(0, 0, equal=False),),
    ),
    Refusal("setpriority ioprio_set", "ranks other processes", (Where(1, 0, equal=False),)),
    Refusal("setpriority", "ranks all processes of a group or user", (Where(0, 0, equal=False),)),
    Refusal(
        "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal",
        "signals: this kernel's Landlock cannot tell ours from others'",
        before=6,
    ),
    Refusal("fcntl", "signals by way of a descriptor (F_SETOWN)", (Where(1, 8),), before=6),
    Refusal("fcntl", "the same (F_SETOWN_EX)", (Where(1, 15),), before=6),
    Refusal("shmget shmat shmctl", "memory that other programs share, which no path names"),
    Refusal("msgget msgsnd msgrcv msgctl semget semop semctl semtimedop", "queues and locks that no path names"),
    Refusal("mq_open mq_unlink", "queues that no path names"),
    # --- the kernel ---
    Refusal("kexec_load kexec_file_load reboot", "starts another kernel, or ends this one"),
    Refusal("init_module finit_module delete_module create_module query_module", "loads code into the kernel"),
    Refusal("bpf perf_event_open userfaultfd", "runs code in the kernel, watches it, or makes it wait"),
    Refusal("io_uring_setup io_uring_enter io_uring_register", "makes calls that no filter sees", error=ENOSYS),
    Refusal("add_key request_key keyctl", "keys of other programs, which no path names"),
    Refusal("swapon swapoff acct quotactl quotactl_fd", "administers the machine"),
    Refusal("sethostname setdomainname iopl ioperm vhangup nfsservctl", "administers the machine"),
    Refusal("settimeofday clock_settime clock_adjtime adjtimex", "sets the clock"),
    Refusal("syslog lookup_dcookie", "reads what the kernel logged about everybody"),
    Refusal("ioctl", "types into a terminal (TIOCSTI)", (Where(1, 0x5412),)),
    Refusal("personality", "loosens memory protection; 0xffffffff only asks", (Where(0, 0xFFFFFFFF, equal=False),)),
    # --- namespaces and mounts: other names for the same files ---
    Refusal("mount umount2 pivot_root chroot open_tree open_tree_attr move_mount", "gives files other names"),
    Refusal("fsopen fsconfig fsmount fspick mount_setattr statmount listmount", "gives files other names"),
    Refusal("setns unshare", "enters or makes a namespace"),
    *(
        Refusal("clone", "makes a namespace", (Where(0, 1 << bit, 1 << bit),))
        for bit in range(32)
        if _NEW_NAMESPACES >> bit & 1
    ),
    Refusal("clone3", "has its flags where no filter sees them; libraries fall back to clone", error=ENOSYS),
    Refusal("name_to_handle_at open_by_handle_at", "opens files without a path"),
    Refusal("fanotify_init fanotify_mark", "watches whole file systems"),
    Refusal("inotify_add_watch", "names of files in directories that may not be listed"),
    # --- sockets; Landlock rules TCP where it can, but not datagrams ---
    Refusal("socketpair", "only pairs within the program itself", (Where(0, _AF_UNIX, equal=False),)),
    Refusal(
        "socket",
        "sockets of other families reach the kernel and its modules",
        (
            Where(0, _AF_UNIX, equal=False),
            Where(0, _AF_INET, equal=False),
            Where(0, _AF_INET6, equal=False),
            Where(0, _AF_NETLINK, equal=False),
        ),
        error=EAFNOSUPPORT,
    ),
    Refusal("socket", "services of this host, whatever they do for whom", (Where(0, _AF_UNIX),), unless="everything"),
    *(
        Refusal("socket", "other hosts", (Where(0, family),), unless="network")
        for family in (_AF_INET, _AF_INET6, _AF_NETLINK)
    ),
    Refusal(
        "socket",
        "of the kernel's sockets, only the one that tells addresses and routes",
        (Where(0, _AF_NETLINK), Where(2, 0, equal=False)),
    ),
    # --- what changes files without opening them ---
    Refusal("chmod fchmod fchmodat fchmodat2", "no rule of Landlock", unless="chmod"),
    Refusal("chown fchown lchown fchownat", "no rule of Landlock", unless="chown"),
    Refusal(
        "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat file_setattr",
        "no rule of Landlock",
        error=EOPNOTSUPP,
        unless="set_x_attr",
    ),
    Refusal(
        "getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat file_getattr",
        "no rule of Landlock; attributes hold content",
        error=EOPNOTSUPP,
        unless="read",
    ),
    Refusal("utime utimes futimesat utimensat", "no rule of Landlock", unless="write"),
    Refusal("truncate", "this kernel's Landlock does not know it", unless="write", before=3),
    Refusal("openat2", "has its flags where no filter sees them", error=ENOSYS, before=3),
    Refusal("open", "empties a file that is opened for reading", (Where(1, _TRUNCATE, _TRUNCATE | _ACCESS),), before=3),
    Refusal("openat", "the same", (Where(2, _TRUNCATE, _TRUNCATE | _ACCESS),), before=3),
)  # fmt: skip

NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "open": 2, "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "socket": 41, "socketpair": 53, "clone": 56,
        "kill": 62, "semget": 64, "semop": 65, "semctl": 66, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71,
        "fcntl": 72, "truncate": 76, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101,
        "syslog": 103, "rt_sigqueueinfo": 129, "utime": 132, "personality": 135, "setpriority": 141,
        "sched_setparam": 142, "sched_setscheduler": 144, "vhangup": 153, "pivot_root": 155, "adjtimex": 159,
        "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
        "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
        "init_module": 175, "delete_module": 176, "query_module": 178, "quotactl": 179, "nfsservctl": 180,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "getxattr": 191, "lgetxattr": 192, "fgetxattr": 193,
        "listxattr": 194, "llistxattr": 195, "flistxattr": 196, "removexattr": 197, "lremovexattr": 198,
        "fremovexattr": 199, "tkill": 200, "sched_setaffinity": 203, "lookup_dcookie": 212, "semtimedop": 220,
        "clock_settime": 227, "tgkill": 234, "utimes": 235, "mq_open": 240, "mq_unlink": 241, "kexec_load": 246,
        "add_key": 248, "request_key": 249, "keyctl": 250, "ioprio_set": 251, "inotify_add_watch": 254,
        "migrate_pages": 256, "openat": 257, "fchownat": 260, "futimesat": 261, "fchmodat": 268, "unshare": 272,
        "move_pages": 279, "utimensat": 280, "rt_tgsigqueueinfo": 297, "perf_event_open": 298, "fanotify_init": 300,
        "fanotify_mark": 301, "prlimit64": 302, "name_to_handle_at": 303, "open_by_handle_at": 304,
        "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "finit_module": 313, "sched_setattr": 314, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
    },
    "aarch64": {
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "getxattr": 8, "lgetxattr": 9, "fgetxattr": 10, "listxattr": 11,
        "llistxattr": 12, "flistxattr": 13, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
        "lookup_dcookie": 18, "fcntl": 25, "inotify_add_watch": 27, "ioctl": 29, "ioprio_set": 30, "umount2": 39,
        "mount": 40, "pivot_root": 41, "nfsservctl": 42, "truncate": 45, "chroot": 51, "fchmod": 52, "fchmodat": 53,
        "fchownat": 54, "fchown": 55, "openat": 56, "vhangup": 58, "quotactl": 60, "utimensat": 88, "acct": 89,
        "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106,
        "clock_settime": 112, "syslog": 116, "ptrace": 117, "sched_setparam": 118, "sched_setscheduler": 119,
        "sched_setaffinity": 122, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "setpriority": 140,
        "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "mq_open": 180,
        "mq_unlink": 181, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191,
        "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196, "socket": 198, "socketpair": 199,
        "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225,
        "migrate_pages": 238, "move_pages": 239, "rt_tgsigqueueinfo": 240, "perf_event_open": 241, "prlimit64": 261,
        "fanotify_init": 262, "fanotify_mark": 263, "name_to_handle_at": 264, "open_by_handle_at": 265,
        "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
        "finit_module": 273, "sched_setattr": 274, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
    },
}  # fmt: skip  # a table, several entries a line

# The same on every architecture: calls added since Linux 5.1.
COMMON_NUMBERS = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435,
    "openat2": 437, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "process_mrelease": 448, "fchmodat2": 452, "statmount": 457, "listmount": 458, "setxattrat": 463,
    "getxattrat": 464, "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468,
    "file_setattr": 469,
}  # fmt: skip

# --- capabilities: what is left of root's power ---

KEPT_CAPABILITIES = {
    "CAP_CHOWN": "owners of files; the call itself is refused unless permitted",
    "CAP_DAC_OVERRIDE": "files of others, in the permitted places",
    "CAP_DAC_READ_SEARCH": "the same, for reading",
    "CAP_FOWNER": "files of others, in the permitted places",
    "CAP_FSETID": "modes that survive a write",
    "CAP_KILL": "processes of its own that took on another user",
    "CAP_SETGID": "fewer rights: to become somebody else",
    "CAP_SETUID": "fewer rights: to become somebody else",
}
NETWORK_CAPABILITIES = {
    "CAP_NET_BIND_SERVICE": "ports below 1024, where the network is permitted",
    "CAP_NET_RAW": "ping, where the network is permitted",
}

# --- places that a program is lost without ---

_READ, _LIST, _WRITE = 1, 2, 4


class Place(Struct, frozen=True):
    """A place that confined programs may use unless a policy forbids it; links in the path are followed.

    rights: as in `trex.authorization.reach`: 1 read, 2 list, 4 write.
    dynamic: only for programs that are linked dynamically.
    """

    path: str
    rights: int
    reason: str
    dynamic: bool = False


PLACES = (
    *(
        Place(path, _READ | _LIST, "libraries, and modules of interpreters", dynamic=True)
        for path in ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
    ),
    Place("/etc/ld.so.cache", _READ, "where libraries are", dynamic=True),
    Place("/etc/ld.so.preload", _READ, "libraries that the administrator adds to all programs", dynamic=True),
    Place("/etc/localtime", _READ, "the time zone: without it, times are silently shown in another", dynamic=True),
    Place("/usr/share/zoneinfo", _READ, "time zones", dynamic=True),
    Place("/dev/null", _READ | _WRITE, "where output goes that nobody wants"),
    Place("/dev/zero", _READ, "zeros"),
    Place("/dev/full", _READ | _WRITE, "a full disk, for tests"),
    Place("/dev/random", _READ, "random bytes"),
    Place("/dev/urandom", _READ, "random bytes"),
)
