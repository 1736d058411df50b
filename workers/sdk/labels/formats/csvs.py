"""CSV and TSV: a row an annotation, a column a control, as Label Studio names and fills them: a lone answer as it is, everything else as
JSON. Columns that are neither a control nor a variable of the schema are somebody's own and passed over."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator

from workers.sdk.labels.config import FILES, ON, LabelConfig, LabelControl
from workers.sdk.labels.formats.labelstudio import Kept
from workers.sdk.labels.results import KEPT
from workers.sdk.labels.shown import ROW
from workers.sdk.labels.strict_json import loads
from workers.sdk.labels.travel import BadFile, Format, Found, Item, Json, Member, Ref, Source, Writing, only_file

WORDS = frozenset({"Text", "List", "Table"})
"""Objects that show what lies in the data itself."""
CELL = 16 * 1024 * 1024
OURS = ("item", "digest", "relations", "annotator", "status", "ground_truth", "lead_time", "created_at", "updated_at", "annotation_id")
NAMED = {"choices": "choices", "textarea": "text", "rating": "rating", "number": "number", "pairwise": "selected", "ranker": "ranker"}
"""The key in the value of an answer, by its type."""
OUTSIDE = frozenset(KEPT) - {"value"}


def columns(config: LabelConfig) -> list[str]:
    """Ours, the variables, the controls; a control with a name of ours keeps its own by `control:`."""
    rows = _variables(config)
    return ["item", "digest", *rows, *(_column(config, c) for c in config.controls), *OURS[2:]]


def _variables(config: LabelConfig) -> list[str]:
    """Those that have a column; a whole row is known by its item."""
    shown = config.variables.items()
    return [name for name, tag in shown if tag in WORDS and name not in OURS and not (tag == "Table" and name == ROW)]


def _column(config: LabelConfig, control: LabelControl) -> str:
    return f"control:{control.name}" if control.name in OURS or control.name in config.variables else control.name


def _write(items: Iterable[Item], writing: Writing, delimiter: str, name: str) -> Iterator[Member]:
    def pieces() -> Iterator[bytes]:
        line = io.StringIO(newline="")
        writer = csv.writer(line, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(columns(writing.config))
        for item in items:
            writer.writerows(_rows(item, writing.config))
            yield line.getvalue().encode()
            line.seek(0)
            line.truncate()
        yield line.getvalue().encode()

    yield name, pieces()


def _rows(item: Item, config: LabelConfig) -> Iterator[list[object]]:
    texts = item.data if item.is_row else {o.value: item.shown().get(o.name, "") for o in config.objects if o.tag in WORDS}
    variables = [_text(texts.get(name)) for name in _variables(config)]
    for said in item.said:
        relations = [one for one in said.result if one["type"] == "relation"]
        cells = [cell(c, [one for one in said.result if one.get("from_name") == c.name]) for c in config.controls]
        yield [
            item.key, item.digest, *variables, *cells, json.dumps(relations, ensure_ascii=False) if relations else "", said.author,
            said.status, "true" if said.truth else "false", f"{said.seconds:g}", said.created_at, said.updated_at, said.id,
        ]  # fmt: skip


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cell(control: LabelControl, said: list[Json]) -> str:
    """What a control says, in one cell."""
    if not said:
        return ""
    if control.makes_regions or control.per_region:
        flat = [{**{k: v for k, v in one.items() if k in OUTSIDE - {"from_name", "to_name", "type"}}, **one["value"]} for one in said]
        return json.dumps(flat, ensure_ascii=False)
    value = said[0]["value"][NAMED[control.type]]
    alone = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(alone, str) and alone == alone.strip() and alone[:1] not in ("{", "["):
        return alone
    return json.dumps({NAMED[control.type]: value} if isinstance(value, list | dict) else value, ensure_ascii=False)


def _read(source: Source, config: LabelConfig, delimiter: str, *suffixes: str) -> Iterator[Found]:
    name = only_file(source, *suffixes)
    before = csv.field_size_limit(CELL)
    with source.open(name) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(rows, [])
            _check_header(header, config, f"{name}, line 1")
            yield from _grouped(rows, header, config, name)
        except csv.Error as e:
            raise BadFile(f"{name}, line {rows.line_num}", f"This is no {name.rsplit('.', 1)[-1].upper()}: {e}.", "quotes closed") from None
        except UnicodeDecodeError:
            raise BadFile(f"{name}, line {rows.line_num + 1}", "This is not UTF-8.", "a text file in UTF-8") from None
        finally:
            csv.field_size_limit(before)


def _check_header(header: list[str], config: LabelConfig, where: str) -> None:
    controls = [_column(config, c) for c in config.controls]
    if not set(controls) & set(header):
        raise BadFile(where, "No column is a control of the schema.", "one of " + ", ".join(controls))
    if twice := next((h for h in header if h and header.count(h) > 1), None):
        raise BadFile(f"{where}, {twice}", "There are two columns of this name.", "every column once")
    if "item" not in header and not set(config.variables) & set(header):
        raise BadFile(where, "No column says which item a row is about.", "item, or " + ", ".join(config.variables))


def _grouped(rows: Iterable[list[str]], header: list[str], config: LabelConfig, name: str) -> Iterator[Found]:
    """Rows of one item follow each other; the ground truth of them, else the last, is what is taken."""
    held: tuple[object, Found, bool] | None = None
    for cells in rows:
        line = rows.line_num  # type: ignore[attr-defined]  # a csv.reader, which typeshed hides
        where = f"{name}, line {line}"
        if not cells:
            continue
        if len(cells) != len(header):
            raise BadFile(where, f"The row has {len(cells)} cells, the header {len(header)}.", f"{len(header)} cells")
        row = dict(zip(header, cells, strict=True))
        ref = _ref(row, config)
        truth = row.get("ground_truth", "").lower() == "true"
        found = Found(where=where, ref=ref, result=Kept(result(row, config, where)))
        key = (ref.path, ref.digest, tuple(ref.data.items()))
        if held is not None and held[0] == key:
            kept = held[1] if held[2] and not truth else found
            held = (key, Found(where=kept.where, ref=ref, result=kept.result, more=held[1].more + 1), held[2] or truth)
            continue
        if held is not None:
            yield held[1]
        held = (key, found, truth)
    if held is not None:
        yield held[1]


def _ref(row: dict[str, str], config: LabelConfig) -> Ref:
    data = {name: row[name] for name, tag in config.variables.items() if tag in WORDS and name in row and name not in OURS}
    path = row.get("item") or next((row[n] for n, tag in config.variables.items() if tag in FILES and row.get(n)), "")
    return Ref(path=path, digest=row.get("digest", ""), data=data)


def result(row: dict[str, str], config: LabelConfig, where: str) -> list[Json]:
    """A result from the cells of a row."""
    found: list[Json] = []
    for control in config.controls:
        text = row.get(_column(config, control), "")
        if text:
            found += _said(control, text, f"{where}, {control.name}")
    if text := row.get("relations", ""):
        relations = loads(text, f"{where}, relations")
        if not isinstance(relations, list):
            raise BadFile(f"{where}, relations", "The relations are no list.", "[ … ]")
        found += relations
    return found


def _said(control: LabelControl, text: str, where: str) -> list[Json]:
    head = {"from_name": control.name, "to_name": control.to_name, "type": control.type}
    own = hashlib.sha256(control.name.encode()).hexdigest()[:10]
    if control.makes_regions or control.per_region:
        flat = loads(text, where)
        if not isinstance(flat, list) or not all(isinstance(one, dict) for one in flat):
            raise BadFile(where, "Regions are a list of objects.", '[{"x": …, …}]')
        return [
            {
                "id": f"{own}-{n}", **head, **{k: v for k, v in one.items() if k in OUTSIDE},
                "value": {k: v for k, v in one.items() if k not in OUTSIDE},
            }
            for n, one in enumerate(flat)
        ]  # fmt: skip
    key = NAMED[control.type]
    if text[0] in "{[":
        whole = loads(text, where)
        value = whole if isinstance(whole, dict) else {key: whole}
    elif control.type in ("rating", "number"):
        number = loads(text, where)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise BadFile(where, f"“{text[:40]}” is no number.", "a number")
        value = {key: number}
    else:
        value = {key: text if control.type == "pairwise" else [text]}
    return [{"id": own, **head, "value": value}]


def write(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    return _write(items, writing, ",", "labels.csv")


def write_tabs(items: Iterable[Item], writing: Writing) -> Iterator[Member]:
    return _write(items, writing, "\t", "labels.tsv")


def read(source: Source, config: LabelConfig) -> Iterator[Found]:
    return _read(source, config, ",", ".csv")


def read_tabs(source: Source, config: LabelConfig) -> Iterator[Found]:
    return _read(source, config, "\t", ".tsv")


FORMAT = Format(
    name="csv", title="CSV", about="Everything, a row an annotation; regions as JSON in a cell.", suffix=".csv", media_type="text/csv",
    folder=False, objects=frozenset(ON), reads=(".csv", ".zip"), write=write, read=read,
)  # fmt: skip
TABS = Format(
    name="tsv", title="TSV", about="As CSV, with tabs between the cells.", suffix=".tsv", media_type="text/tab-separated-values",
    folder=False, objects=frozenset(ON), reads=(".tsv", ".zip"), write=write_tabs, read=read_tabs,
)  # fmt: skip
