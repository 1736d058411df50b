"""How files are read: what is found out, what a person corrects, what could be read otherwise, and what is refused."""

from __future__ import annotations

import bz2
import datetime
import decimal
import gzip
import io
import lzma
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.models import AuditEntry
from backend.datasets.incoming import bytes_of
from backend.datasets.models import DatasetVersion, Upload
from backend.datasets.tasks import freeze_version, read_upload
from tests.backend.datasets.conftest import Uploader, tarred, zipped
from tests.backend.people import Person

GERMAN = (
    "Ort;Fläche;Preis;Einwohner;Am;Um\n"
    "Zürich;87,88;1.234,56;421.878;31.12.2025;01/02/2025\n"
    "Köln;405,02;-99,5;1.087.353;01.02.2024;03/04/2025\n"
).encode("latin-1")


def rows_of(editor: Person, slug: str, number: int = 1) -> list[list[Any]]:
    return editor.get(f"/datasets/{slug}/versions/{number}/rows")["rows"]


def types_of(version: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {c["name"]: (c["type"], c["format"]) for c in version["columns"]}


def again(editor: Person, slug: str, options: dict[str, Any], status: str = "ready") -> dict[str, Any]:
    upload = editor.post(f"/datasets/{slug}/versions/1/reread", options, status=202)
    assert upload["status"] == "processing" and upload["version"] == 1
    read_upload(upload["id"])
    upload = editor.get(f"/uploads/{upload['id']}")
    assert upload["status"] == status, upload
    return upload


def test_a_european_file_is_read_as_it_is_meant_and_says_what_could_be_otherwise(upload: Uploader, editor: Person) -> None:
    upload.ready(GERMAN, "orte.csv", name="orte")
    version = editor.get("/datasets/orte/versions/1")
    assert types_of(version) == {
        "Ort": ("category", ""),
        "Fläche": ("number", "1234,56"),
        "Preis": ("number", "1.234,56"),
        "Einwohner": ("integer", "1.234,56"),
        "Am": ("datetime", "%d.%m.%Y"),
        "Um": ("datetime", "%d/%m/%Y"),
    }
    assert rows_of(editor, "orte")[0] == ["Zürich", 87.88, 1234.56, 421878, "2025-12-31T00:00:00", "2025-02-01T00:00:00"]
    reading = version["reading"]
    assert (reading["delimiter"], reading["encoding"], reading["decimal"], reading["thousands"], reading["dates"]) == (
        ";", "latin-1", ",", ".", "day",
    )  # fmt: skip
    said = {n["field"]: n["message"] for n in reading["notices"]}
    assert said["Um"].startswith("01/02/2025 can be 1 February 2025 or 2 January 2025; it is read as 1 February 2025 (day first)")
    assert set(said) == {"Um"}
    editor.post("/datasets/orte/versions/1/freeze", {}, status=202)
    freeze_version(str(DatasetVersion.objects.get().pk))
    assert rows_of(editor, "orte")[1][1:4] == [405.02, -99.5, 1087353]


@pytest.mark.parametrize(
    ("data", "options", "types", "first", "notices"),
    [
        (b'a,b\n"1,234",1.5\n"12,345",2.5\n', {}, ["integer", "number"], [1234, 1.5], ["a"]),
        (b'a,b\n"1,5",1.5\n"2,5",2.5\n', {}, ["category", "number"], ["1,5", 1.5], ["a"]),
        (b'a,b\n"1,5",1.5\n"2,5",2.5\n', {"decimal": ","}, ["number", "category"], [1.5, "1.5"], []),
        (b'a,b\n"1,5",7\n"2,5",8\n', {}, ["number", "integer"], [1.5, 7], []),
        (b"a;b\n1,5;1.5\n2,25;2.25\n", {}, ["number", "number"], [1.5, 1.5], []),
        (b"a;b\n1,234;x\n5,678;x\n", {}, ["number", "category"], [1.234, "x"], ["a"]),
        (b"a;b\n1.234;1,5\n5.678;2,5\n", {}, ["integer", "number"], [1234, 1.5], ["a"]),
        (b"a\tb\n1.234\tx\n5.678\tx\n", {}, ["number", "category"], [1.234, "x"], []),
        (b"a\n1'234.50\n12.00\n", {}, ["number"], [1234.5], []),
        ("a;b\n1\u00a0234,5;1\n12,5;2\n".encode(), {}, ["number", "integer"], [1234.5, 1], []),
        (b"a,b\n555 123 456,1\n555 123 789,2\n", {}, ["category", "integer"], ["555 123 456", 1], []),
        (b"a;b\n007,5;1e3\n008,5;1\n", {}, ["category", "number"], ["007,5", 1000.0], []),
        (b"a,b\n1.2.3,1,2\n".replace(b",1,2", b",x"), {}, ["category", "category"], ["1.2.3", "x"], []),
        (b"d\n01/02/2025\n03/04/2025\n", {}, ["category"], ["01/02/2025"], ["d"]),
        (b"d\n01/02/2025\n03/04/2025\n", {"dates": "month"}, ["datetime"], ["2025-01-02T00:00:00"], []),
        (b"d,e\n01/02/2025,12/31/2025\n", {}, ["datetime", "datetime"], ["2025-01-02T00:00:00", "2025-12-31T00:00:00"], ["d"]),
        (b"d\n31.12.25\n01.02.25\n", {}, ["datetime"], ["2025-12-31T00:00:00"], []),
        (b"1,5;2,5\n3,5;4,5\n", {}, ["number", "number"], [1.5, 2.5], []),
        (b"a;b\n-;1.000\nNA;2.000,5\n", {"null_values": ["-", "NA"]}, ["text", "number"], [None, 1000.0], []),
    ],
)  # fmt: skip
def test_numbers_and_dates(
    upload: Uploader, editor: Person, data: bytes, options: dict, types: list[str], first: list, notices: list[str]
) -> None:
    upload.ready(data, "t.csv", name="t", options=options)
    version = editor.get("/datasets/t/versions/1")
    assert [c["type"] for c in version["columns"]] == types and rows_of(editor, "t")[0] == first
    assert [n["field"] for n in version["reading"]["notices"]] == notices


def test_a_draft_is_looked_at_and_read_again_and_keeps_what_was_corrected(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(GERMAN, "orte.csv", name="orte", options={"delimiter": "|"})
    assert [c["name"] for c in editor.get("/datasets/orte/versions/1")["columns"]] == ["Ort;Fläche;Preis;Einwohner;Am;Um"]
    seen = editor.post("/datasets/orte/versions/1/preview", {"delimiter": ";"}, status=200)
    assert seen["problems"] == [] and seen["rows"][1][:3] == ["Köln", 405.02, -99.5] and seen["reading"]["decimal"] == ","
    assert len(editor.get("/datasets/orte/versions/1")["columns"]) == 1, "a preview changes nothing"
    bad = editor.post("/datasets/orte/versions/1/preview", {"encoding": "utf-16-le"}, status=200)
    assert bad["rows"] == [] and bad["problems"][0]["field"].startswith("orte.csv")
    refused = editor.post("/datasets/orte/versions/1/preview", {"delimiter": "Ä"}, status=422)["error"]
    assert refused["field"] == "delimiter"
    both = editor.post("/datasets/orte/versions/1/preview", {"delimiter": "'", "quote": "'"}, status=200)
    assert "quote as well" in str(both["problems"]), both
    again(editor, "orte", {"delimiter": ";"})
    wanted = {"columns": [{"name": "Einwohner", "type": "text"}, {"name": "Fläche", "type": "integer"}], "label_column": "Ort"}
    editor.put("/datasets/orte/versions/1/columns", wanted, status=422)
    editor.put("/datasets/orte/versions/1/columns", {**wanted, "columns": wanted["columns"][:1]})
    again(editor, "orte", {"delimiter": ";", "decimal": ",", "null_values": ["Köln"]})
    version = editor.get("/datasets/orte/versions/1")
    assert types_of(version)["Einwohner"] == ("text", "") and version["label_column"] == "Ort"
    assert [r[0] for r in rows_of(editor, "orte")] == ["Zürich", None] and version["null_values"] == ["Köln"]
    assert version["profile_status"] == "queued" and version["reading"]["options"]["decimal"] == ","

    failed = again(editor, "orte", {"delimiter": ";", "encoding": "utf-16"}, status="failed")
    assert failed["problems"][0]["field"].startswith("orte.csv") and bytes_of(sent["id"]).exists()
    assert editor.get("/datasets/orte/versions/1") == version, "nothing was changed"
    again(editor, "orte", {"delimiter": ";", "header": False})
    version = editor.get("/datasets/orte/versions/1")
    assert version["item_count"] == 3 and version["columns"][0]["name"] == "column_1" and version["label_column"] is None
    assert {"dataset.reread", "dataset.version"} <= set(AuditEntry.objects.values_list("action", flat=True))

    editor.post("/datasets/orte/versions/1/freeze", {}, status=202)
    freeze_version(str(DatasetVersion.objects.get().pk))
    for verb in ("reread", "preview"):
        assert editor.post(f"/datasets/orte/versions/1/{verb}", {}, status=409)["error"]["code"] == "not_draft"
    editor.post("/datasets/orte/versions/1/reread", {"delimeter": ";"}, status=422)


def test_while_it_is_read_again_it_waits_and_a_cancelled_reading_leaves_it(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(GERMAN, "orte.csv", name="orte")
    before = editor.get("/datasets/orte/versions/1")
    editor.post("/datasets/orte/versions/1/reread", {"header": False}, status=202)
    for ask in (
        lambda: editor.post("/datasets/orte/versions/1/reread", {}, status=409),
        lambda: editor.post("/datasets/orte/versions/1/freeze", {}, status=409),
        lambda: editor.put("/datasets/orte/versions/1/columns", {"columns": []}, status=409),
    ):
        assert ask()["error"]["code"] == "being_read"
    editor._json(editor.ask("DELETE", f"/uploads/{sent['id']}"), 204)
    read_upload(sent["id"])
    assert editor.get("/datasets/orte/versions/1") == before and bytes_of(sent["id"]).exists()
    again(editor, "orte", {"header": False})
    assert editor.get("/datasets/orte/versions/1")["item_count"] == 3
    Upload.objects.all().delete()
    assert editor.post("/datasets/orte/versions/1/reread", {}, status=409)["error"]["code"] == "source_gone"


def test_an_appended_draft_is_read_again_after_what_it_was_appended_to(upload: Uploader, editor: Person) -> None:
    upload.ready(b"a,b\n1,x\n", "one.csv", name="t", options={"freeze": True})
    upload.ready(b"a;b\n2;y\n", "two.csv", dataset="t", mode="append")
    sent = editor.post("/datasets/t/versions/2/reread", {"null_values": ["y"]}, status=202)
    read_upload(sent["id"])
    assert rows_of(editor, "t", 2) == [[1, "x"], [2, None]] and rows_of(editor, "t") == [[1, "x"]]


def book(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_the_sheets_of_a_workbook_are_listed_and_another_is_chosen(upload: Uploader, editor: Person) -> None:
    upload.ready(book(("notes", [["x"], [1]]), ("data", [["a", "b"], ["1,5", 2]])), "b.xlsx", name="b")
    reading = editor.get("/datasets/b/versions/1")["reading"]
    assert reading["format"] == "excel" and reading["sheets"] == ["notes", "data"] and reading["sheet"] == "notes"
    assert editor.post("/datasets/b/versions/1/preview", {"sheet": "data"}, status=200)["rows"] == [[1.5, 2]]
    again(editor, "b", {"sheet": "data", "header": False})
    assert rows_of(editor, "b") == [["a", "b"], ["1,5", "2"]]
    assert "There is no sheet" in again(editor, "b", {"sheet": "no"}, status="failed")["problems"][0]["message"]


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


CSV = b"a,b\n1,x\n2,y\n"
LINES = b'{"b": "x", "a": 1}\n'


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(CSV), "t.csv.gz"), (bz2.compress(CSV), "t.csv.bz2"), (lzma.compress(CSV), "t.csv.xz"),
        (pa.compress(CSV.replace(b",", b"\t"), "zstd", asbytes=True), "t.tsv.zst"),
        (zipped({"t.csv": CSV, "README.md": b"# T", "LICENSE": b"free"}), "t.zip"), (tarred({"x/t.csv": CSV}), "t.tar"),
        (tarred({"t.csv": CSV}, "w:gz"), "t.tgz"), (zipped({"t.xlsx": book(("s", [["a", "b"], [1, "x"], [2, "y"]]))}), "t.zip"),
        (zipped({"1.csv": CSV[:8], "2.jsonl": b'{"b": "y", "a": 2}\n'}), "t.zip"),
        (zipped({"1.parquet": parquet(pa.table({"a": [1], "b": ["x"]})), "2.csv": b"b,a\ny,2\n"}), "t.zip"),
    ],
    ids=["gzip", "bzip2", "xz", "zstandard", "zip", "tar", "tar-gzip", "workbook-in-zip", "two-in-zip", "two-kinds-in-zip"],
)  # fmt: skip
def test_a_table_in_any_wrapping(upload: Uploader, editor: Person, data: bytes, name: str) -> None:
    upload.ready(data, name, name="t")
    assert rows_of(editor, "t") == [[1, "x"], [2, "y"]]
    assert editor.post("/datasets/t/versions/1/preview", {}, status=200)["problems"] == []


def test_several_tables_become_one_and_say_their_file_only_when_asked(upload: Uploader, editor: Person) -> None:
    data = zipped({"2024/a.csv": b"a,b\n1,x\n", "2025/b.csv": b"b,a\ny,2\n"})
    upload.ready(data, "t.zip", name="t", options={"file_column": True})
    assert rows_of(editor, "t") == [[1, "x", "2024/a.csv"], [2, "y", "2025/b.csv"]]
    assert editor.get("/datasets/t/versions/1")["reading"]["members"] == ["2024/a.csv", "2025/b.csv"]
    again(editor, "t", {})
    assert rows_of(editor, "t") == [[1, "x"], [2, "y"]]
    [said] = upload.problems(zipped({"a.csv": b"a,b\n1,2\n", "c.csv": b"a,c\n1,2\n"}), "t.zip")
    assert said["field"] == "t.zip › c.csv" and said["message"] == "“a.csv” has the columns b, a; “c.csv” has c, a."
    [said] = upload.problems(zipped({"a.csv": b"a,b\n1,2\n", "c.csv": b"a,b\n1,2\n3\n"}), "t.zip")
    assert said["field"] == "t.zip › c.csv, line 3"
    [said] = upload.problems(zipped({"a.csv": b"a,file\n1,2\n"}), "t.zip", options={"file_column": True})
    assert "“file” already" in said["message"]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
ODS = zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})
REFUSED: dict[str, tuple[bytes, str, str, str]] = {
    "zstd bomb": (pa.compress(bytes(120_000_000), "zstd", asbytes=True), "t.csv.zst", "zip bomb", "real files"),
    "zip bomb of tables": (zipped({"a.csv": bytes(120_000_000)}), "t.zip", "zip bomb", "real files"),
    "cut off xz": (lzma.compress(CSV * 100)[:-20], "t.csv.xz", "damaged or cut off", "whole file"),
    "cut off zstd": (pa.compress(CSV * 9999, "zstd", asbytes=True)[:-9], "t.csv.zst", "damaged or cut off", "whole file"),
    "gzip in a zip": (zipped({"a.csv": gzip.compress(CSV)}), "t.zip", "gzip-compressed data inside an archive", "unpack"),
    "parquet that is text": (zipped({"a.parquet": CSV}), "t.zip", "The name says .parquet, but the content is text", "Parquet"),
    "flipped byte": (zipped({"a.csv": CSV * 99}, 0).replace(b"1,x", b"1,z", 1), "t.zip", "Bad CRC", "whole file"),
    "old excel": (OLE, "t.xls", "an old Excel workbook (.xls)", "save it as “Excel Workbook (.xlsx)” or CSV"),
    "excel with a password": (OLE + "EncryptedPackage".encode("utf-16-le"), "t.xlsx", "password", "without"),
    "spreadsheet of LibreOffice": (ODS, "t.ods", "an OpenDocument spreadsheet (.ods)", "save it as “Excel Workbook (.xlsx)” or CSV"),
    "raw bytes": (parquet(pa.table({"a": [1], "raw": [b"x"]})), "t.parquet", "Column “raw” holds raw bytes", "leave the column out"),
    "raw bytes in lists": (parquet(pa.table({"a": [[b"x"]]})), "t.parquet", "Column “a” holds lists or records with raw bytes", "leave"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_what_to_do(upload: Uploader, case: str) -> None:
    data, name, says, instead = REFUSED[case]
    said = upload.problems(data, name)
    assert says in said[0]["message"] and instead in said[0]["expected"], said


def test_what_parquet_knows_is_read_sensibly(upload: Uploader, editor: Person) -> None:
    berlin = datetime.datetime(2025, 7, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    table = pa.table(
        {
            "zoned": pa.array([berlin, None], pa.timestamp("ns", "Europe/Berlin")),
            "price": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(30, 2)),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "code": pa.array([3, 4], pa.int32()).dictionary_encode(),
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "deep": [{"when": datetime.date(2025, 1, 2), "n": [decimal.Decimal("0.5"), None]}, None],
            "time": pa.array([datetime.time(1, 2), None], pa.time64("us")),
            "large": pa.array(["x", "y"], pa.large_string()),
            "nothing": pa.array([None, None], pa.null()),
        }
    )
    upload.ready(parquet(table), "p.parquet", name="p")
    version = editor.get("/datasets/p/versions/1")
    assert [c["type"] for c in version["columns"]] == [
        "datetime", "number", "category", "integer", "json", "json", "category", "category", "text",
    ]  # fmt: skip
    assert rows_of(editor, "p")[0] == [
        "2025-07-01T10:00:00", 1.1, "a", 3, '{"k": 1}', '{"when": "2025-01-02", "n": [0.5, null]}', "01:02:00.000000", "x", None,
    ]  # fmt: skip
    assert {n["field"] for n in version["reading"]["notices"]} == {"zoned", "price"}
