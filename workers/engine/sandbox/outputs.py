"""What a sandbox left in its scratch folder, looked at and taken into the artifact store. Runs in the worker, when the last process of
the sandbox has ended.

A record names a blob; its bytes are opened without following any link, must be a regular file with one name, are copied, hashed
and compared. What a blob must be follows from its kind: JSON, Parquet, or a model's folder of known file types. Nothing is
unpickled, nothing is believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workers.engine import store as artifacts
from workers.engine.sandbox.box import Box
from workers.engine.sandbox.boxstore import MADE
from workers.engine.sandbox.limits import MIB
from workers.sdk.errors import StepError
from workers.sdk.kinds import Artifact, Images, Model, Table, describe_columns
from workers.sdk.store import TREE, Store, StoreError, safe_member

Json = dict[str, Any]
_DIGEST = re.compile(r"[0-9a-f]{64}")
MODEL_FILES = frozenset({".json", ".md", ".txt", ".onnx", ".data", ".safetensors", ".parquet", ".csv", ".png", ".jpg", ".svg"})
"""None of which is ever unpickled or run."""
COLUMNS, FOLDER_FILES, METADATA, JSON_BYTES = 20_000, 1_000, 4 * MIB, 64 * MIB
_TYPES = frozenset({"boolean", "integer", "number", "datetime", "json", "category", "text", "image"})
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")


class Refused(StepError):
    """An output is not what its kind must be."""

    def __init__(self, port: str, why: str, hint: str = ""):
        super().__init__(f"The output “{port}” was not accepted: {why}.", hint=hint)


class Taker:
    """Takes the outputs of one step. `ports` is the spec's list of them, `given` the inputs' records."""

    def __init__(
        self, box: Box, ports: Sequence[Mapping[str, Any]], given: Sequence[Json], kinds: Mapping[str, type[Artifact]], store: Store
    ):
        self._box, self._kinds, self._store = box, kinds, store
        self._ports = {p["name"]: p for p in ports}
        self._given = {r["digest"]: r for r in given}
        self._left = box.limits.scratch
        self._count = 0

    def take(self, records: object) -> list[Json]:
        """The records for the ledger. Raises Refused."""
        if not isinstance(records, list) or len(records) > len(self._ports):
            raise Refused("?", "the step did not name its outputs as a list")
        taken: dict[str, Json] = {}
        for record in records:
            port = record.get("port") if isinstance(record, dict) else None
            if not isinstance(port, str) or port not in self._ports or port in taken:
                raise Refused(str(port)[:80], "the step has no such output, or gave it twice")
            try:
                taken[port] = self._one(port, record)
            except (OSError, StoreError, ValueError, TypeError, RecursionError, OverflowError) as exc:
                raise Refused(port, f"{type(exc).__name__}: {str(exc)[:300]}") from None
        for name, port in self._ports.items():
            if port["required"] and name not in taken:
                raise Refused(name, "nothing was given for it")
        return list(taken.values())

    def _one(self, port: str, record: Json) -> Json:
        kind = self._kinds.get(self._ports[port]["kind"])
        if kind is None or record.get("kind") != kind.kind:
            raise Refused(port, f"it must be a {self._ports[port]['kind']}")
        digest, metadata = record.get("digest"), record.get("metadata")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise Refused(port, "it names no bytes")
        if not isinstance(metadata, dict) or len(json.dumps(metadata, allow_nan=False)) > METADATA:
            raise Refused(port, "what is said about it is not a small JSON object")
        known = self._given.get(digest)
        # A small value that happens to equal an input of another kind ({"value": 10} as recipe and as metrics) is judged by itself.
        if known is not None and (known["kind"] == kind.kind or record.get("inline") is None):
            if known["kind"] != kind.kind:
                raise Refused(port, f"it is an input of another kind ({known['kind']})")
            return {**known, "port": port, "metadata": known["metadata"]}
        if record.get("inline") is not None:
            if kind in (Table, Images, Model):
                raise Refused(port, f"a {kind.kind} is a file")
            return self._save(port, kind(value=artifacts.plain(record["inline"]), metadata=metadata))
        media = record.get("media_type")
        if media == TREE:
            return self._save(port, kind(path=self._folder(port, kind, digest), metadata=metadata))
        if kind is Model:
            raise Refused(port, "a model is a folder")
        file = self._file(digest)
        if media == artifacts.VALUE or kind not in (Table, Images):
            if kind in (Table, Images):
                raise Refused(port, f"a {kind.kind} is a Parquet file")
            if file.stat().st_size > JSON_BYTES:
                raise Refused(port, f"its JSON is larger than {JSON_BYTES // MIB} MiB")
            try:
                value = json.loads(file.read_bytes(), parse_constant=_no_constant)
            except ValueError:
                raise Refused(port, "it is not JSON", "Give numbers, text, lists and objects; nothing pickled.") from None
            return self._save(port, kind(value=artifacts.plain(value), metadata=metadata))
        return self._save(port, kind(path=file, metadata=self._parquet(port, kind, file, metadata)))

    def _save(self, port: str, handle: Artifact) -> Json:
        return artifacts.save(port, handle, self._store, {}, self._box.made)

    # Bytes

    def _file(self, digest: str) -> Path:
        """A private copy of a blob that the sandbox made. Nothing of its path may be a link; the bytes must have the digest's name."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("it names no bytes")
        beneath = os.open(self._box.scratch, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for part in (MADE, digest[:2], digest[2:4]):
                below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=beneath)
                os.close(beneath)
                beneath = below
            source = os.open(digest, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=beneath)
        finally:
            os.close(beneath)
        with os.fdopen(source, "rb") as stream:
            found = os.fstat(source)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise ValueError("it is a link or a special file")
            if found.st_size > self._left:
                raise ValueError("it is larger than the step's scratch folder may be")
            self._left -= found.st_size
            self._count += 1
            target, hasher = self._box.made / str(self._count), hashlib.sha256()
            with target.open("wb") as out:
                while piece := stream.read(MIB):
                    hasher.update(piece)
                    out.write(piece)
        if hasher.hexdigest() != digest:
            raise ValueError("its bytes are not what the step said they are")
        return target

    def _folder(self, port: str, kind: type[Artifact], digest: str) -> Path:
        if kind in (Table, Images):
            raise Refused(port, f"a {kind.kind} is a Parquet file")
        listed = self._file(digest)
        if listed.stat().st_size > METADATA:
            raise Refused(port, "its list of files is too long")
        files = json.loads(listed.read_bytes())["files"]
        if not isinstance(files, list) or len(files) > FOLDER_FILES:
            raise Refused(port, f"a folder has {FOLDER_FILES} files at most")
        self._count += 1
        folder = self._box.made / str(self._count)
        folder.mkdir()
        for file in files:
            path = safe_member(str(file["path"]))
            if Path(path).suffix.lower() not in MODEL_FILES:
                raise Refused(
                    port, f"“{path[:100]}” is of a type that is not kept", f"Kept are: {', '.join(sorted(MODEL_FILES))}; nothing pickled."
                )
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                raise Refused(port, f"“{path[:100]}” is named twice")
            one = str(file["digest"])
            if one in self._given or self._is_part_of_an_input(one):
                place.write_bytes(self._store.read(one))
            else:
                self._file(one).rename(place)
            if place.suffix.lower() == ".json":
                json.loads(place.read_bytes())
        if kind is Model and not {"manifest.json", "model.onnx"} <= {p.name for p in folder.iterdir()}:
            raise Refused(port, "a model's folder has a manifest.json and a model.onnx")
        return folder

    def _is_part_of_an_input(self, digest: str) -> bool:
        return Store(self._box.inputs).exists(digest)

    # Parquet

    def _parquet(self, port: str, kind: type[Artifact], file: Path, metadata: Json) -> Json:
        """What is true of the file; of `metadata` only what fits it is kept. Every page is decoded once, a batch at a time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(file) as opened:
                footer, schema = opened.metadata, opened.schema_arrow
                unpacked = sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
                if footer.num_columns > COLUMNS or unpacked > 8 * self._box.limits.scratch:
                    raise Refused(port, "it is far larger unpacked than a step may make")
                if any(isinstance(f.type, pa.BaseExtensionType) or b"ARROW:extension:name" in (f.metadata or {}) for f in schema):
                    raise Refused(port, "it has columns of a type of their own", "Use plain numbers, text and times.")
                if len(set(schema.names)) != len(schema.names):
                    raise Refused(port, "two of its columns have the same name")
                rows = sum(batch.num_rows for batch in opened.iter_batches(batch_size=16_384))
                empty = schema.empty_table()
        except pa.ArrowException as exc:
            raise Refused(port, f"it is not Parquet ({str(exc)[:200]})", f"Give {kind.kind}.from_arrow(…) or from_pandas(…).") from None
        if kind is Images:
            return self._images(port, file, metadata)
        told = metadata.get("columns")
        said = {c.get("name"): c.get("type") for c in told if isinstance(c, dict)} if isinstance(told, list) else {}
        columns = describe_columns(empty, {})
        for column in columns:
            if column["type"] in ("category", "integer") and said.get(column["name"]) in _TYPES:
                column["type"] = str(said[column["name"]])
        kept = {k: v for k, v in metadata.items() if k not in ("rows", "columns")}
        if kept.get("label_column") not in schema.names:
            kept.pop("label_column", None)
        return {**kept, "rows": rows, "columns": columns}

    def _images(self, port: str, file: Path, metadata: Json) -> Json:
        """Pictures must be the inputs' or have been made here: a list that names others would let a step read what it was not given."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        if lacking := {"key", "digest", "width", "height", "label", "split"} - set(table.column_names):
            raise Refused(port, f"a list of images has the column “{min(lacking)}” too")
        inputs = Store(self._box.inputs)
        for digest in pc.unique(table["digest"]).to_pylist():
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise Refused(port, "one of its pictures has no digest")
            if inputs.exists(digest):
                continue
            picture = self._file(digest)
            with picture.open("rb") as opened:
                if not opened.read(12).startswith(_PICTURES):
                    raise Refused(port, f"the file {digest[:12]} in it is no picture")
            self._store.put_file(picture, "application/octet-stream", consume=True)
        labels = sorted(str(v) for v in pc.unique(table["label"]).to_pylist() if v)
        return {**{k: v for k, v in metadata.items() if k not in ("count", "labels")}, "count": table.num_rows, "labels": labels}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
