"""The studio's artifact store over HTTP, for a host that has joined: the few methods of an fsspec file system that `store` uses.

A name's last part is the blob's digest. The host's token comes from `HEADRACE_HOST_TOKEN`. A studio that is away for a while is waited for.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import httpx

SCHEME = "headrace+"
PATIENCE_S = 120.0
IN_MEMORY = 8 * 1024**2
T = TypeVar("T")


class StudioBlobs:
    """`url` is `http://studio/hosts/v1/blobs`."""

    def __init__(self, url: str, token: str = ""):
        self.url = url.rstrip("/")
        self._token = token or os.environ.get("HEADRACE_HOST_TOKEN", "")
        self._http: httpx.Client | None = None
        self._pid = 0

    def open(self, path: str, mode: str = "rb") -> IO[bytes]:
        """The whole blob as a file of this machine's."""

        def fetch() -> IO[bytes]:
            kept: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller closes it
            with self._client().stream("GET", self._address(path)) as answer:
                self._check(answer, path)
                for piece in answer.iter_bytes():
                    kept.write(piece)
            kept.seek(0)
            return kept

        return self._patiently(fetch)

    def exists(self, path: str) -> bool:
        try:
            self._head(path)
        except FileNotFoundError:
            return False
        return True

    def size(self, path: str) -> int:
        return int(self._head(path)["content-length"])

    def modified(self, path: str) -> datetime:
        return parsedate_to_datetime(self._head(path)["last-modified"])

    def makedirs(self, path: str, exist_ok: bool = True) -> None:
        """A blob has no folder."""

    def put_file(self, local: str, path: str) -> None:
        def put() -> None:
            with Path(local).open("rb") as source:
                length = str(os.fstat(source.fileno()).st_size)
                answer = self._client().put(self._address(path), content=source, headers={"Content-Length": length})
            self._check(answer, path)

        self._patiently(put)

    def rm_file(self, path: str) -> None:
        raise PermissionError("a host that has joined removes nothing from the studio's store")

    def _address(self, path: str) -> str:
        return f"{self.url}/{path.rpartition('/')[2]}"

    def _client(self) -> httpx.Client:
        import httpx

        if self._http is None or self._pid != os.getpid():  # a forked child must not speak on its parent's connections
            self._pid = os.getpid()
            self._http = httpx.Client(
                headers={"Authorization": f"Bearer {self._token}"}, timeout=httpx.Timeout(60, connect=10), trust_env=False
            )
        return self._http

    def _head(self, path: str) -> Any:
        def head() -> Any:
            answer = self._client().head(self._address(path))
            self._check(answer, path)
            return answer.headers

        return self._patiently(head)

    @staticmethod
    def _check(answer: httpx.Response, path: str) -> None:
        if answer.status_code == 404:
            raise FileNotFoundError(path)
        if answer.status_code == 401:
            raise PermissionError("the studio no longer knows this host: it must join again")
        answer.raise_for_status()

    @staticmethod
    def _patiently(ask: Callable[[], T]) -> T:
        """Reading twice and putting twice are the same as once: asked again until the studio answers."""
        import httpx

        until, pause = time.monotonic() + PATIENCE_S, 0.2
        while True:
            try:
                return ask()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            except httpx.HTTPStatusError as exc:
                if exc.response.status_code < 500 or time.monotonic() > until:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 5)
