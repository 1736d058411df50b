"""Where everything of one studio lies: its data directory, and the folders outside it that PostgreSQL sometimes needs.

Refuses nothing by itself except a path that cannot be a folder; it knows no process.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from infra.supervisor import postgres
from infra.supervisor.errors import CannotStart

ROOT = Path(__file__).resolve().parents[2]
"""The folder with `manage.py`."""
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def default_data_dir() -> Path:
    return Path(os.environ.get("HEADRACE_DATA_DIR") or ROOT / ".headrace").expanduser().absolute()


@dataclass(frozen=True, kw_only=True)
class Layout:
    data: Path

    @classmethod
    def of(cls, data_dir: Path | str | None) -> Layout:
        return cls(data=Path(data_dir).expanduser().absolute() if data_dir else default_data_dir())

    @property
    def state(self) -> Path:
        return self.data / "supervisor.json"

    @property
    def lock(self) -> Path:
        return self.data / "supervisor.lock"

    @property
    def log(self) -> Path:
        return self.data / "logs" / "headrace.log"

    @property
    def ports(self) -> Path:
        return self.data / "ports.json"

    @property
    def freed(self) -> Path:
        """What the last clean-up removed, as the platform's worker wrote it."""
        return self.data / "freed.json"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def static(self) -> Path:
        return self.data / "static"

    def make(self) -> None:
        """Make the data directory. As root others may pass through it (not look in), because PostgreSQL runs as somebody else."""
        try:
            if not self.data.exists():
                self.data.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.log.parent, self.valkey):
                folder.mkdir(exist_ok=True, mode=0o700)
        except FileExistsError as exc:
            raise CannotStart(
                f"{self.data} is a file or holds a file where a folder must be ({exc.filename}); choose another --data-dir."
            ) from exc
        except NotADirectoryError as exc:
            raise CannotStart(f"{self.data} cannot be a folder: a part of its path is a file; choose another --data-dir.") from exc

    def _outside(self) -> Path:
        """This data directory's own folder under the shared place, for what the account of PostgreSQL cannot reach here."""
        return postgres.shared_folder() / hashlib.sha256(os.fsencode(str(self.data.resolve()))).hexdigest()[:12]

    def postgres(self) -> Path:
        """The database's folder: in the data directory, or (as root, when PostgreSQL's account cannot get there) behind a link from it."""
        here = self.data / "postgres"
        if here.is_symlink():
            return here.resolve()
        who = postgres.account()
        if who is None or postgres.reachable(self.data, who):
            return here
        if here.exists():
            raise CannotStart(
                f"The database in {here} cannot be read by the account “{who.pw_name}”, as which PostgreSQL runs: "
                f"a folder above it is closed to others. Open it (chmod o+x on each folder of the path) or move the data directory."
            )
        away = self._outside() / "postgres"
        if away.exists():  # of a data directory that was removed: not to be taken for this one's, nor to be thrown away
            away.rename(away.with_name(f"postgres.{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"))
        away.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        here.symlink_to(away)
        return away

    def sockets(self) -> Path:
        """A folder for Unix sockets: in the data directory, or a short private one where that path is too long for a socket, closed to
        PostgreSQL, or holds characters (a space, a quote) that some client would misread in an address."""
        who = postgres.account()
        here = self.data / "run"
        if who is not None and not postgres.reachable(self.data, who):
            here = self._outside() / "run"
        if len(os.fsencode(str(here / "postgres" / ".s.PGSQL.5432"))) > postgres.SOCKET_LIMIT or not _PLAIN.fullmatch(str(here)):
            here = self._elsewhere()
        here.mkdir(parents=True, exist_ok=True, mode=0o711 if who else 0o700)
        mine = here / "postgres"
        mine.mkdir(exist_ok=True, mode=0o700)
        if who is not None:
            os.chown(mine, who.pw_uid, who.pw_gid)
        return here

    def _elsewhere(self) -> Path:
        """This data directory's own folder under `TMPDIR`."""
        name = hashlib.sha256(os.fsencode(str(self.data.resolve()))).hexdigest()[:10]
        return _private(Path(tempfile.gettempdir()) / f"headrace-{os.geteuid()}-{name}")

    def temporary(self) -> Path:
        """Where the parts put temporary files: under `TMPDIR` if that is set, else beside the sockets (some libraries put theirs there)."""
        here = (self._elsewhere() if "TMPDIR" in os.environ else self.sockets()) / "tmp"
        here.mkdir(parents=True, exist_ok=True, mode=0o700)
        return here

    def tidy(self) -> None:
        """Empty `temporary`: killed processes leave there what nobody asks for. For who holds the lock, and has no process running."""
        shutil.rmtree(self.temporary(), ignore_errors=True)
        self.temporary()

    def secret_key(self) -> str:
        """`SECRET_KEY`, made once. A damaged one is not replaced by silence: everybody would be signed out and tokens would change."""
        path = self.data / "secret_key"
        if not path.exists():
            fresh = path.with_name(f".secret_key.{os.getpid()}")
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_urlsafe(48) + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        key = path.read_text(errors="replace").strip()
        if len(key) < 32:
            raise CannotStart(
                f"{path} is damaged: it must hold one line of at least 32 characters. Restore it, "
                "or delete it to have a new one made (all sign-ins end then)."
            )
        return key


@cache
def _private(folder: Path) -> Path:
    """`folder` if it is ours alone (or can be made so), else a new one: the name is guessable, so a stranger's must not be used."""
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o066:
            return Path(tempfile.mkdtemp(prefix="headrace-"))
    return folder
