"""One sandbox's folders, what it sees besides them, and the command that starts it.

`inputs/` is a small artifact store of the step's inputs (hard links or copies, never to be changed), `scratch/` the only folder it
writes to, with `tmp/` for temporary files. Seen besides: the system's programs and libraries, this Python with its packages, the package
`workers`, a handful of harmless devices and facts about the machine. Everything else is not there (bubblewrap) or refused (Landlock).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workers.engine.sandbox.enter import closed_on_the_way
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.machine import ISOLATION, Machine, Mode, NoSandbox, python_folders
from workers.sdk.store import Store

Json = dict[str, Any]
WORKERS = Path(__file__).resolve().parents[2]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/alternatives")
FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
         "/sys/devices/system/node", "/sys/fs/cgroup/cpu.max")  # fmt: skip
"""What numeric libraries ask of the machine."""
DEVICES = {"/dev/null": "use", "/dev/zero": "read", "/dev/full": "use", "/dev/random": "read", "/dev/urandom": "read"}
SHARED_MEMORY = 64 * 1024 * 1024


class Box:
    """The folders of one sandbox below `folder`, which must not exist yet. `uid` is the account that owns scratch (root only)."""

    def __init__(self, folder: Path, machine: Machine, mode: Mode, limits: Limits):
        self.folder, self.machine, self.mode, self.limits = folder.resolve(), machine, mode, limits
        self.uid = machine.uid()
        self.inputs, self.scratch, self._code = self.folder / "inputs", self.folder / "scratch", self.folder / "code"
        self.made = self.folder / "made"
        """Where the worker lays what it took over from scratch: closed to the sandbox."""
        self.peak: int | None = None
        """The most memory that its processes were seen to hold together."""

    def make(self) -> None:
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o711)
        if self.uid is not None and self.mode == "landlock" and not self.machine.namespaces:
            for path in (self.folder, WORKERS):
                if closed := closed_on_the_way(f"{path}/"):
                    hint = f"Open {closed} to be passed (chmod o+x), put the data folder elsewhere, or install bubblewrap."
                    raise NoSandbox(f"The step's account cannot reach {path}.", hint=hint)
        for folder, mode in ((self.inputs, 0o755), (self.scratch, 0o700), (self._code, 0o755), (self.made, 0o700)):
            folder.mkdir()
            folder.chmod(mode)
        (self.scratch / "tmp").mkdir(0o700)
        (self._code / "workers").symlink_to(WORKERS)
        if self.uid is not None:
            for folder in (self.scratch, self.scratch / "tmp"):
                os.chown(folder, self.uid, self.uid)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def bring(self, digests: Iterable[str], store: Store) -> None:
        """Lay blobs of the studio's store into `inputs`, under their digests. Linked where nobody may change them, else copied."""
        there = Store(self.inputs)
        for digest in digests:
            target = there._path(digest)
            if target.exists():
                continue
            for folder in (target.parent.parent, target.parent):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o755)
            source = store.fetch(digest)
            with contextlib.suppress(OSError):
                if source.stat().st_mode & 0o777 == 0o444:
                    os.link(source, target)
                    continue
            shutil.copyfile(source, target)
            target.chmod(0o444)

    @property
    def inside(self) -> tuple[str, str]:
        """(inputs, scratch) as the step sees them."""
        return ("/inputs", "/scratch") if self.mode == "bubblewrap" else (str(self.inputs), str(self.scratch))

    def command(self, control: int) -> tuple[list[str], dict[str, str]]:
        """What to start and with which environment; `control` is the descriptor of the message socket."""
        wrapped = self.mode == "bubblewrap"
        code = "/headrace" if wrapped else str(self._code)
        scratch = self.inside[1]
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": scratch, "TMPDIR": "/tmp" if wrapped else f"{scratch}/tmp", "USER": "step",  # noqa: S108 - a folder of its own
            "LANG": "C.UTF-8", "PYTHONPATH": code, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
            "OMP_NUM_THREADS": str(threads()), "OPENBLAS_NUM_THREADS": str(threads()), "MALLOC_ARENA_MAX": "2",
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        }  # fmt: skip
        python = str(Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name)
        version = self.machine.landlock if self.machine.landlock >= 3 else 0
        own_processes = wrapped or self.machine.namespaces
        limits = self.limits
        plan = {
            "mode": self.mode, "namespaces": self.machine.namespaces and not wrapped, "parent": 0 if wrapped else os.getpid(),
            "uid": self.uid, "fd": control, "scratch": scratch, "landlock": version, "env": environment,
            "reach": [*map(str, python_folders()), str(WORKERS), str(self.folder)],
            "rules": self._rules(), "signals": own_processes or self.uid is not None or version >= 6,
            "argv": [python, "-m", "workers.engine.sandbox.inside", str(control)],
            "limits": {
                "RLIMIT_DATA": limits.memory, "RLIMIT_CPU": limits.cpu_s, "RLIMIT_NOFILE": limits.files, "RLIMIT_FSIZE": limits.scratch,
                "RLIMIT_NPROC": limits.processes + (_threads_of_account() if self.uid is None else 0), "RLIMIT_CORE": 0,
                "RLIMIT_MEMLOCK": 64 * 1024, "RLIMIT_MSGQUEUE": 0, "RLIMIT_SIGPENDING": 1024,
            },
        }  # fmt: skip
        enter = [python, "-S", "-m", "workers.engine.sandbox.enter", json.dumps(plan)]
        return (self._wrap(enter) if wrapped else enter), environment

    def _rules(self) -> list[tuple[str, str]]:
        """Landlock's: path → "read" (and run), "use" (read and write a device), "change"."""
        inputs, scratch = self.inside
        seen = [*SYSTEM, *FACTS, *map(str, python_folders()), inputs]
        own = ["/headrace", "/proc/self"] if self.mode == "bubblewrap" else [str(self._code), str(WORKERS), "/proc/self"]
        rules = [(path, "read") for path in (*seen, *own)] + list(DEVICES.items()) + [(scratch, "change")]
        if self.mode == "bubblewrap":
            rules.append(("/tmp", "change"))  # noqa: S108 - a folder of its own
        if self.mode == "bubblewrap" or self.machine.namespaces:
            rules.append(("/dev/shm", "change"))  # noqa: S108 - as above
        return rules

    def _wrap(self, command: list[str]) -> list[str]:
        assert self.machine.bubblewrap is not None
        rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if self.machine.root else ["--unshare-user"]
        seen: list[str] = []
        for path in (*SYSTEM, *FACTS[4:], *map(str, python_folders())):
            if Path(path).is_symlink():
                seen += ["--symlink", str(Path(path).readlink()), path]
            else:
                seen += [*_folders(Path(path)), "--ro-bind-try", path, path]
        return [
            # Its own /tmp first: Python, or the studio, may lie below the machine's.
            self.machine.bubblewrap, *ISOLATION, *rights, "--bind", str(self.scratch / "tmp"), "/tmp",  # noqa: S108 - a folder of its own
            *seen, "--proc", "/proc", "--dev", "/dev",
            "--perms", "1777", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm", "--remount-ro", "/dev",  # noqa: S108 - its own
            "--dir", "/headrace", "--ro-bind", str(WORKERS), "/headrace/workers", "--ro-bind", str(self.inputs), "/inputs",
            "--bind", str(self.scratch), "/scratch",
            "--remount-ro", "/", "--chdir", "/", *command,
        ]  # fmt: skip


def _folders(path: Path) -> list[str]:
    """The folders above a path that is bound: made by us, because bubblewrap as root would close those it makes to everybody else."""
    return [word for folder in reversed(path.parents[:-1]) for word in ("--dir", str(folder))]


def threads() -> int:
    """How many threads a numeric library may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) > 0 else min(16, len(os.sched_getaffinity(0)))


def _threads_of_account() -> int:
    """Threads that this account has now: the kernel's limit counts them together with the sandbox's."""
    own, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == own:
                    count += sum(1 for _ in os.scandir(f"/proc/{entry.name}/task"))
    return count
