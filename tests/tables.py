"""A database with every table, made once and kept until a migration changes. Who needs one begins with a copy: making it takes longer
than most tests. The first start of a studio, which makes its own, is tested where it is the matter (test_root, the demo)."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from infra.supervisor import postgres, prepare
from infra.supervisor.layout import ROOT, Layout

KEPT = ROOT / ".pytest_cache" / "tables"
STUDIOS = "headrace"
"""The database in it that an embedded studio looks for, with the comment that says that it is migrated. Nobody here connects to it, so
that it can also be a template. Beside it `postgres` with the same tables."""


def copy(target: Path) -> None:
    """A data directory of PostgreSQL with every table at `target`, which must not be there yet."""
    subprocess.run(["cp", "-a", str(_made()), str(target)], check=True)


def furnish(data_dir: Path) -> None:
    """The same for a studio that will start on `data_dir`."""
    layout = Layout.of(data_dir)
    layout.make()
    copy(layout.postgres())


def _made() -> Path:
    made = KEPT / prepare.migrations()
    if made.exists():
        return made
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # processes of one run begin together
        if not made.exists():
            for old in KEPT.iterdir():
                if old.is_dir():
                    shutil.rmtree(old, ignore_errors=True)
            _make(made)
    return made


def _make(made: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="hr-tables-"))
    try:
        folder.chmod(0o755)
        if who := postgres.account():
            os.chown(folder, who.pw_uid, who.pw_gid)
        tables = folder / "pg"
        postgres.initialise(tables)
        log = (folder / "log").open("wb")
        server = subprocess.Popen([*postgres.command(tables, folder), "-F"], stdout=log, stderr=log, cwd="/", **postgres.demotion())  # type: ignore[call-overload]  # demotion's values differ in type
        try:
            url = f"postgresql://headrace@/postgres?host={folder}"
            wait(url, folder / "log")
            env = {
                **os.environ,
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "backend.config.settings",
                "SECRET_KEY": "only-for-tests-" + "x" * 40,
                "HEADRACE_DATA_DIR": str(folder / "data"),
            }
            subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], env=env, cwd=ROOT, check=True)
            with psycopg.connect(f"postgresql://headrace@/template1?host={folder}", autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE postgres").format(sql.Identifier(STUDIOS)))
                connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(STUDIOS), prepare.migrations()))
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
        fresh = made.with_name(made.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        subprocess.run(["cp", "-a", str(tables), str(fresh)], check=True)
        fresh.rename(made)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait(url: str, log: Path) -> None:
    """Until PostgreSQL answers there."""
    for _ in range(400):
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start: " + log.read_text())
