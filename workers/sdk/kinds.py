"""The kinds of artifact that travel between steps, and the handles through which components read and make them.

A handle points at a file, a folder or a small JSON value; the engine stores and loads all kinds the same way. Kinds only
add convenience for component authors. Nothing here unpickles anything.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from workers.sdk import context
from workers.sdk.errors import StepError

if TYPE_CHECKING:
    import pyarrow
    from pandas import DataFrame

# Beyond this many different values text is no longer offered as a list of choices.
CATEGORY_LIMIT = 200


def fresh(suffix: str) -> Path:
    """A new path for a file or folder that a step makes, inside its scratch folder where there is one."""
    step = context.active()
    folder = step.scratch / "made" if step is not None else Path(tempfile.mkdtemp(prefix="headrace-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{uuid.uuid4().hex}{suffix}"


class Artifact:
    """Something a step takes or makes. Exactly one of `path` (file or folder) and `value` (JSON) is set; an artifact that is
    already in the store may have only its `digest`."""

    kind: ClassVar[str] = "Artifact"
    title: ClassVar[str] = "Artifact"
    color: ClassVar[str] = "#868e96"
    shape: ClassVar[str] = "circle"
    help: ClassVar[str] = "Anything that a step takes or makes."

    def __init__(self, path: Path | None = None, value: Any = None, digest: str = "", metadata: Mapping[str, Any] | None = None) -> None:
        if path is not None and value is not None:
            raise ValueError(f"{self.kind}: give a path or a value, not both")
        if path is None and value is None and not digest:
            raise ValueError(f"{self.kind}: a path, a value or the digest of something stored is needed")
        self.path, self.value, self.digest, self.metadata = path, value, digest, dict(metadata or {})

    def file(self) -> Path:
        """Where the bytes lie on this machine; fetched from the store where they are not here yet."""
        if self.path is None:
            if not self.digest:
                raise StepError(f"This {self.title.lower()} holds no file.")
            self.path = context.current().store.fetch(self.digest)
        return self.path

    def json(self) -> Any:
        """The JSON inside, wherever it is kept."""
        if self.value is not None:
            return self.value
        return json.loads(self.file().read_text(encoding="utf-8"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path or self.digest or self.value!r})"


def column_type(data_type: pyarrow.DataType) -> str:
    """The studio's name for an Arrow type; text counts as "category" until someone looks at its values."""
    import pyarrow.types as t

    if t.is_dictionary(data_type):
        return column_type(data_type.value_type)
    if t.is_boolean(data_type):
        return "boolean"
    if t.is_integer(data_type):
        return "integer"
    if t.is_floating(data_type) or t.is_decimal(data_type):
        return "number"
    if t.is_temporal(data_type) and not t.is_duration(data_type):
        return "datetime"
    if t.is_nested(data_type):
        return "json"
    return "category"


def describe_columns(table: pyarrow.Table, known: Mapping[str, str]) -> list[dict[str, str]]:
    """`[{name, type}]` of a table: types that are `known` by name stay as they are as long as the values still fit them."""
    import pyarrow.compute as pc

    described = []
    for column in table.schema:
        found = column_type(column.type)
        if found == "category":
            if known.get(column.name) in {"category", "text", "image"}:
                found = known[column.name]
            elif table.num_rows and pc.count_distinct(table[column.name]).as_py() > max(CATEGORY_LIMIT, table.num_rows // 20):
                found = "text"
        elif known.get(column.name) in {"category", "boolean"} and found == "integer":
            found = known[column.name]  # someone said that these numbers are names
        described.append({"name": column.name, "type": found})
    return described


class Table(Artifact):
    """Rows and columns, kept as one Parquet file."""

    kind = "Table"
    title = "Table"
    color = "#1c7ed6"
    shape = "square"
    help = "Rows and columns, such as a spreadsheet."

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The rows in memory, or only some of the columns."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file(), columns=list(columns) if columns is not None else None)

    def pandas(self, columns: Sequence[str] | None = None) -> DataFrame:
        """The rows as a pandas frame. Whole numbers with gaps become floating point with NaN."""
        return self.arrow(columns).to_pandas(date_as_object=False)

    @property
    def columns(self) -> list[dict[str, str]]:
        """`[{name, type}]` in order."""
        if "columns" not in self.metadata:
            self.metadata.update(rows=(table := self.arrow()).num_rows, columns=describe_columns(table, {}))
        return [{"name": c["name"], "type": c["type"]} for c in self.metadata["columns"]]

    @property
    def types(self) -> dict[str, str]:
        """Column name → type."""
        return {c["name"]: c["type"] for c in self.columns}

    @property
    def rows(self) -> int:
        """How many rows."""
        if "rows" not in self.metadata:
            import pyarrow.parquet as pq

            self.metadata["rows"] = pq.read_metadata(self.file()).num_rows
        return int(self.metadata["rows"])

    @classmethod
    def from_arrow(cls, table: pyarrow.Table, like: Table | None = None, types: Mapping[str, str] | None = None, **metadata: Any) -> Self:
        """Write `table` to a new Parquet file. `like` passes on the types (and what else is known) of the table it came from;
        `types` names the types of single columns."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known = {**(like.types if like is not None else {}), **(types or {})}
        table = table.replace_schema_metadata(None)
        for i, column in enumerate(table.schema):
            if pa.types.is_dictionary(column.type):
                table = table.set_column(i, column.name, table[column.name].cast(column.type.value_type))
        path = fresh(".parquet")
        pq.write_table(table, path, compression="zstd")
        kept = {k: v for k, v in like.metadata.items() if k not in {"rows", "columns"}} if like is not None else {}
        if kept.get("label_column") not in table.column_names:
            kept.pop("label_column", None)
        return cls(path=path, metadata={**kept, "rows": table.num_rows, "columns": describe_columns(table, known), **metadata})

    @classmethod
    def from_pandas(cls, frame: DataFrame, like: Table | None = None, types: Mapping[str, str] | None = None, **metadata: Any) -> Self:
        """Write a pandas frame (its index is dropped) to a new Parquet file."""
        import pyarrow as pa

        return cls.from_arrow(pa.Table.from_pandas(frame, preserve_index=False), like=like, types=types, **metadata)


class Images(Artifact):
    """A list of images, kept as one Parquet file with a row an image: key, digest, width, height, label, split; and `annotations` where
    people said more of one than its label. The bytes of each image lie in the store under `digest`."""

    kind = "Images"
    title = "Images"
    color = "#e8590c"
    shape = "diamond"
    help = "Pictures with their labels."

    def arrow(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """The list of images: one row each."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file(), columns=list(columns) if columns is not None else None)

    def labels(self) -> list[str]:
        """The different labels, sorted."""
        import pyarrow.compute as pc

        return sorted(v for v in pc.unique(self.arrow(["label"])["label"]).to_pylist() if v)

    @property
    def count(self) -> int:
        """How many images."""
        if "count" not in self.metadata:
            import pyarrow.parquet as pq

            self.metadata["count"] = pq.read_metadata(self.file()).num_rows
        return int(self.metadata["count"])

    @classmethod
    def from_arrow(cls, table: pyarrow.Table, like: Images | None = None) -> Self:
        """Write a list of images to a new file."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        path = fresh(".parquet")
        pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")
        kept = {k: v for k, v in like.metadata.items() if k not in {"count", "labels"}} if like is not None else {}
        labels = sorted(v for v in pc.unique(table["label"]).to_pylist() if v)
        return cls(path=path, metadata={**kept, "count": table.num_rows, "labels": labels})


class _Json(Artifact):
    """A JSON document; the engine keeps it inline where it is small."""

    @classmethod
    def of(cls, value: Any, **metadata: Any) -> Self:
        """Wrap a JSON value."""
        return cls(value=value, metadata=metadata)


class Recipe(_Json):
    """How to turn raw rows into numbers for a model, with everything that was learned from the training part."""

    kind = "Recipe"
    title = "Recipe"
    color = "#9c36b5"
    shape = "hexagon"
    help = "How to prepare the columns: what to fill in, scale and encode, as learned from the training part."


class Model(Artifact):
    """A trained model: a folder with `manifest.json`, `model.onnx`, `parity.json` with its sample, and `card.md`; `texts.safetensors`
    where it reads texts, `spans.safetensors` where it finds spans in them."""

    kind = "Model"
    title = "Model"
    color = "#2f9e44"
    shape = "triangle"
    help = "A trained model that takes raw rows or images."
    formats: ClassVar[tuple[str, ...]] = ("headrace-model/1", "headrace-model/2", "headrace-model/3", "headrace-model/4")
    """What its manifest may call itself; 2 has text columns, 3 finds boxes, 4 spans in a text: predictors of before could not read them."""

    def manifest(self) -> dict[str, Any]:
        """What the model takes and answers."""
        found: dict[str, Any] = json.loads((self.file() / "manifest.json").read_text(encoding="utf-8"))
        return found

    def file(self) -> Path:
        if self.path is None:
            self.path = context.current().store.fetch_folder(self.digest)
        return self.path


class Metrics(_Json):
    """Numbers that say how good a model is: `{"task", "values": {name: {"value", "low", "high"}}, …}`."""

    kind = "Metrics"
    title = "Metrics"
    color = "#e03131"
    shape = "circle"
    help = "Numbers that say how good a model is, with how sure they are."


class Figures(_Json):
    """Charts: `[{"title", "figure"}]`, each figure in plotly's JSON."""

    kind = "Figures"
    title = "Figures"
    color = "#0c8599"
    shape = "square"
    help = "Charts to look at."


class Values(_Json):
    """Named values: what a person filled in, or a step worked out: `{name: number | text | true | false}`."""

    kind = "Values"
    title = "Values"
    color = "#f76707"
    shape = "hexagon"
    help = "Named values, such as what a person filled in."


class List(_Json):
    """What the shards of a mapped step gave, in their order: `{"of": kind, "items": [records]}`. An input that takes many gets them one
    by one; a mapped step takes one a shard."""

    kind = "List"
    title = "List"
    color = "#495057"
    shape = "square"
    help = "Several results of one kind, in order."


class ModelVersion(_Json):
    """A version in the registry: `{"model", "version"}`."""

    kind = "ModelVersion"
    title = "Model version"
    color = "#5c940d"
    shape = "hexagon"
    help = "A registered version of a model."


class Endpoint(_Json):
    """A stable address that answers predictions: `{"endpoint", "url"}`."""

    kind = "Endpoint"
    title = "Endpoint"
    color = "#f08c00"
    shape = "diamond"
    help = "The address where programs ask the model."


KINDS: dict[str, type[Artifact]] = {
    k.kind: k for k in (Table, Images, Recipe, Model, Metrics, Figures, Values, List, ModelVersion, Endpoint)
}
