"""Between the ledger's artifact records and the handles that components hold: the same for every kind.

Small JSON (≤ 16 KiB) travels inline in the record and touches no file. A handle whose bytes are in the store already
(an input passed on, a data set's manifest) is recorded without being read again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.sdk.errors import StepError
from workers.sdk.kinds import Artifact, List
from workers.sdk.store import BINARY, TREE, Store

INLINE = 16 * 1024
"""Bytes of JSON up to which a value is kept in the ledger."""
VALUE = "application/json"
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
Json = dict[str, Any]


def load_port(records: list[Json], kinds: Mapping[str, type[Artifact]], store: Store) -> list[Artifact]:
    """The handles for what arrives at one input; lists are given one by one."""
    return [load(one, kinds, store) for record in records for one in (items(record, store) if record["kind"] == List.kind else [record])]


def items(record: Mapping[str, Any], store: Store) -> list[Json]:
    """The records in an artifact of kind List."""
    value = record["inline"] if record["inline"] is not None else json.loads(store.read(record["digest"]))
    return list(value["items"])


def save_list(port: str, records: list[Json], kind: str, store: Store) -> Json:
    """One record for what many shards gave at `port`, in their order."""
    kept = [{k: r[k] for k in ("kind", "digest", "size", "media_type", "inline", "metadata")} for r in records]
    return save(port, List(value={"of": kind, "items": kept}, metadata={"of": kind, "count": len(kept)}), store, {}, Path())


def load(record: Mapping[str, Any], kinds: Mapping[str, type[Artifact]], store: Store) -> Artifact:
    """The handle for a stored artifact; bytes are fetched when the component asks for them."""
    kind = kinds.get(record["kind"])
    if kind is None:
        raise StepError(f"This worker does not know the kind {record['kind']}.", hint="Install the plug-in that brings it on every worker.")
    metadata = record["metadata"]
    if record["inline"] is not None:
        return kind(value=record["inline"], digest=record["digest"], metadata=metadata)
    if record["media_type"] == VALUE:
        return kind(value=json.loads(store.read(record["digest"])), digest=record["digest"], metadata=metadata)
    if record["media_type"] == TREE:
        return kind(path=store.fetch_folder(record["digest"]), digest=record["digest"], metadata=metadata)
    return kind(digest=record["digest"], metadata=metadata)


def save(port: str, handle: Artifact, store: Store, given: Mapping[str, Json], made: Path | str) -> Json:
    """Store what a component gave at `port`; the record is what `ledger_finish` takes. `given` are the inputs' records by
    digest, `made` the folder whose files belong to the engine now and may be moved."""
    record: Json = {"port": port, "kind": handle.kind, "inline": None, "metadata": plain(handle.metadata)}
    if handle.value is not None:
        value = plain(handle.value)
        text = _CANONICAL.encode(value).encode("utf-8", "surrogatepass")
        if len(text) <= INLINE:
            return record | {"inline": value, "digest": hashlib.sha256(text).hexdigest(), "size": len(text), "media_type": VALUE}
        return record | _stored(store.put_bytes(text, VALUE))
    if handle.digest and (handle.path is None or not _below(handle.path, made)):
        if known := given.get(handle.digest):
            return record | {k: known[k] for k in ("digest", "size", "media_type", "inline")}
        return record | _described(store, handle.digest)
    path = Path(handle.path) if handle.path is not None else None
    if path is None or not path.exists():
        raise TypeError(f"the output {port} names a file that does not exist: {path}")
    if path.is_dir():
        return record | _stored(store.put_folder(path))
    return record | _stored(store.put_file(path, consume=_below(path, made)))


def plain(value: Any) -> Any:
    """JSON without NaN and infinity (they become null: not a number) and with plain numbers in place of NumPy's."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str | int | bool | None):
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON; an output's value holds numbers, text, lists and objects")


def _stored(stored: Any) -> Json:
    return {"digest": stored.digest, "size": stored.size, "media_type": stored.media_type}


def _described(store: Store, digest: str) -> Json:
    """Of bytes that only the store knows: how many and, from their first ones, what they are."""
    with store.open(digest) as source:
        head = source.read(16)
    if head.startswith(b'{"files":['):
        return {"digest": digest, "size": sum(f["size"] for f in store.files(digest)), "media_type": TREE}
    return {
        "digest": digest,
        "size": store.size(digest),
        "media_type": "application/vnd.apache.parquet" if head.startswith(b"PAR1") else BINARY,
    }


def _below(path: Path, folder: Path | str) -> bool:
    return Path(path).is_relative_to(folder)
