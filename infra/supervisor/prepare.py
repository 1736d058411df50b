"""Migrations and static files at a start, each only when something changed; the work is done in a process of its own.

What was done is remembered where it was done: the migrations as the database's own comment, the static files in their folder,
so that whoever removes one of them removes what is known about it too.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys

from infra.supervisor.layout import ROOT, Layout
from infra.supervisor.plan import Addresses


def needed(layout: Layout, addresses: Addresses) -> list[str]:
    """Which of `migrate` and `collectstatic` must run. A database that is not ours may have been changed by others: always migrate."""
    wanted = []
    if not addresses.embedded_database or _comment(addresses.database) != migrations():
        wanted.append("migrate")
    stamp = layout.static / ".collected"
    if not stamp.exists() or stamp.read_text() != _pages():
        wanted.append("collectstatic")
    return wanted


def remember(layout: Layout, addresses: Addresses, done: list[str]) -> None:
    if "migrate" in done and addresses.embedded_database:
        _comment(addresses.database, migrations())
    if "collectstatic" in done:
        (layout.static / ".collected").write_text(_pages())


def _fingerprint(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def migrations() -> str:
    """What the tables of a database depend on, as a digest."""
    files = sorted([*ROOT.glob("backend/*/migrations/*.py"), *ROOT.glob("backend/*/sql/*.sql")])
    known = [f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return _fingerprint([importlib.metadata.version("django"), *known])


def _pages() -> str:
    dist = ROOT / "frontend" / "dist"
    files = sorted(path for path in dist.rglob("*") if path.is_file() and not path.name.startswith("."))
    seen = [f"{path.relative_to(dist)} {found.st_size} {found.st_mtime_ns}" for path in files for found in [path.stat()]]
    return _fingerprint([importlib.metadata.version("django"), importlib.metadata.version("django-ninja"), *seen])


def _comment(database: str, text: str | None = None) -> str | None:
    """Read (or set) the database's comment."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(database, autocommit=True) as connection:
        if text is not None:
            connection.execute(sql.SQL("COMMENT ON DATABASE headrace IS {}").format(sql.Literal(text)))
            return text
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        return str(row[0]) if row and row[0] else None


def main(wanted: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    if "migrate" in wanted:
        call_command("migrate", interactive=False, verbosity=1)
    if "collectstatic" in wanted:
        # Source maps and the second API browser that ninja brings are never asked for.
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=["*.map", "redoc*"])


if __name__ == "__main__":
    main(sys.argv[1:])
