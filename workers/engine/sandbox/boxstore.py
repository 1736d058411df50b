"""Inside the sandbox: an artifact store that holds this step's inputs, to be read, and what the step makes, in its scratch folder.

The step's code and the kit use it as they use the studio's. Of the studio's store it knows neither the address nor any other blob.
"""

from __future__ import annotations

from pathlib import Path

from workers.sdk.store import Store

MADE = "store"
"""The folder in scratch whose blobs the worker takes over."""


class BoxStore(Store):
    def __init__(self, inputs: Path, scratch: Path):
        super().__init__(scratch / MADE)
        self._inputs = Store(inputs)

    def _path(self, digest: str) -> Path:
        given = self._inputs._path(digest)
        return given if given.is_file() else super()._path(digest)

    def _settle(self, temporary: Path, digest: str, *, durable: bool = True) -> None:
        if self._inputs.exists(digest):
            temporary.unlink()  # made again what came in
        else:
            super()._settle(temporary, digest, durable=False)  # the worker keeps it, not this folder
