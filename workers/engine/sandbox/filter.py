"""The seccomp filter: which system calls user-written code may not make, assembled by hand as BPF for x86_64 and aarch64.

What is not named here is allowed: numeric libraries use a wide and moving part of the kernel, and files, accounts and limits
are bound elsewhere. Pure: numbers in, bytes out.
"""

from __future__ import annotations

import errno
import struct

# name → (x86_64, aarch64); None where that architecture has no such call
Numbers = dict[str, tuple[int | None, int | None]]

DENIED: Numbers = {
    # the network, and the sockets of other programs on this machine (socketpair is looked at below)
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    # other processes: their memory, files, priority
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "kcmp": (312, 272), "pidfd_getfd": (438, 438), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # memory that no limit counts, and memory shared with other programs
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181),
    # keys, and the kernel's back doors and great attack surfaces
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "personality": (135, 92), "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18), "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syslog": (103, 116), "vhangup": (153, 58), "nfsservctl": (180, 42), "uselib": (134, None),
    # Landlock does not look at watching: the names of others' new files would be told
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    # namespaces and mounts
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467), "setns": (308, 268), "unshare": (272, 97),
    # the machine
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "create_module": (174, None), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "acct": (163, 89),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    # nothing but files and folders is made; owners and attributes of others' files (of the same account) are not Landlock's business
    "mknod": (133, None), "mknodat": (259, 33), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip

PRETENDED: Numbers = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
"""Answered with success and not done: Landlock does not look at them, and libraries that copy a file's mode and time must not fail."""

SIGNALS: Numbers = {
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
}  # fmt: skip
"""Denied only where neither the account, nor a namespace, nor Landlock keeps signals inside."""

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NR, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in struct seccomp_data; the low half of an argument on little-endian machines
_LD, _JEQ, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020080
_PRCTL = (1, 4, 36)
"""PR_SET_PDEATHSIG (it dies with its worker), PR_SET_DUMPABLE (the worker can look at it), PR_SET_CHILD_SUBREAPER."""
_IOCTL = (0x5412, 0x541C, 0x8901, 0x8902)
"""TIOCSTI and TIOCLINUX (typing into somebody's terminal), FIOSETOWN and SIOCSPGRP (signals in the kernel's name)."""
_FCNTL = (8, 15)
"""F_SETOWN, F_SETOWN_EX."""


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _error(number: int) -> bytes:
    return _op(_RET, _ERRNO | number)


def program(architecture: str, *, signals: bool, own_pid: int) -> bytes:
    """The filter. `signals` says that signals are kept inside by other means; otherwise only `own_pid` may signal itself."""
    which = ("x86_64", "aarch64").index(architecture)
    code = [_op(_LD, _ARCH), _op(_JEQ, _AUDIT[architecture], 1, 0), _op(_RET, _KILL), _op(_LD, _NR)]
    if architecture == "x86_64":
        code += [_op(_JGE, _X32, 0, 1), _error(errno.ENOSYS)]

    def refuse(numbers: Numbers, number: int) -> None:
        for pair in numbers.values():
            if (nr := pair[which]) is not None:
                code.extend((_op(_JEQ, nr, 0, 1), _error(number)))

    def look(pair: tuple[int, int], body: list[bytes]) -> None:
        """When it is this call: `body`, which ends in a return on every path or falls out of its end to be allowed."""
        code.extend((_op(_JEQ, pair[which], 0, len(body) + 1), *body, _op(_RET, _ALLOW)))

    def one_of(argument: int, values: tuple[int, ...]) -> list[bytes]:
        return [_op(_LD, argument), *(op for v in values for op in (_op(_JEQ, v, 0, 1), _error(errno.EPERM)))]

    def only(argument: int, value: int) -> list[bytes]:
        return [_op(_LD, argument), _op(_JEQ, value, 1, 0), _error(errno.EPERM)]

    refuse(DENIED, errno.EPERM)
    refuse(PRETENDED, 0)
    refuse({"clone3": (435, 435)}, errno.ENOSYS)  # its flags lie in memory, where a filter cannot look; the C library falls back to clone
    look((56, 220), [_op(_LD, _ARG0), _op(_JSET, _NEW_NAMESPACES, 0, 1), _error(errno.EPERM)])  # clone
    # A pair of connected streams cannot be pointed at somebody else's socket; datagrams can.
    look((53, 199), [*only(_ARG0, 1), _op(_LD, _ARG1), _op(_AND, 0xF), _op(_JEQ, 1, 1, 0), _error(errno.EPERM)])
    look((157, 167), one_of(_ARG0, _PRCTL))
    look((16, 29), one_of(_ARG1, _IOCTL))
    look((72, 25), one_of(_ARG1, _FCNTL))
    look((302, 261), only(_ARG0, 0))  # prlimit64: its own limits, nobody else's
    look((203, 122), only(_ARG0, 0))  # sched_setaffinity
    if not signals:
        refuse(SIGNALS, errno.EPERM)
        look((234, 131), only(_ARG0, own_pid))  # tgkill: how a process aborts itself
    code.append(_op(_RET, _ALLOW))
    return b"".join(code)
