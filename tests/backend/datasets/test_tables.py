"""Tables from upload to a frozen version, in every format people have."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.artifacts.storage import store
from backend.core.models import AuditEntry, Event
from backend.datasets.models import DatasetVersion, Item
from backend.datasets.queries import resolve_reference
from backend.datasets.tasks import freeze_version
from tests.backend.datasets.conftest import Uploader, profiled
from tests.backend.people import Person

PEOPLE = (
    b"age,sex,pay,member,joined,note,income\n"
    b"39,Male,1.5,true,2024-01-05,likes; semicolons,<=50K\n"
    b'50, Female ,,false,2024-02-01,"a ""quoted"", note",>50K\n'
    b"?,Male,2e3,true,2023-12-31T10:30:00,,<=50K\n"
) * 10
PEOPLE = PEOPLE[: PEOPLE.index(b"\n") + 1] + PEOPLE.replace(b"age,sex,pay,member,joined,note,income\n", b"")


def freeze(editor: Person, slug: str, number: int = 1, status: str = "frozen") -> dict:
    editor.post(f"/datasets/{slug}/versions/{number}/freeze", {"note": "ready"}, status=202)
    freeze_version(str(DatasetVersion.objects.get(dataset__slug=slug, number=number).pk))
    version = editor.get(f"/datasets/{slug}/versions/{number}")
    assert version["status"] == status, version
    return version


def test_from_csv_to_a_frozen_version_that_a_step_can_read(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(PEOPLE, "people.csv", name="People", piece=100)
    assert sent["dataset"] == "people" and sent["version"] == 1 and sent["message"] == "30 rows"
    version = editor.get("/datasets/people/versions/1")
    assert {c["name"]: c["type"] for c in version["columns"]} == {
        "age": "integer",
        "sex": "category",
        "pay": "number",
        "member": "boolean",
        "joined": "datetime",
        "note": "category",
        "income": "category",
    }
    assert version["status"] == "draft" and version["label_column"] == "income" and version["digest"] == ""
    assert [c["name"] for c in version["columns"] if c["nullable"]] == ["age", "pay", "note"]
    rows = editor.get("/datasets/people/versions/1/rows?offset=1&limit=2")
    assert rows["total"] == 30 and rows["rows"][0] == [50, "Female", None, False, "2024-02-01T00:00:00", 'a "quoted", note', ">50K"]
    assert rows["rows"][1][0] is None and rows["rows"][1][2] == 2000.0
    assert editor.get("/datasets/people/versions/1/manifest", status=409)["error"]["code"] == "not_frozen"

    frozen = freeze(editor, "people")
    manifest = editor.get("/datasets/people/versions/1/manifest")
    assert manifest["digest"] == frozen["digest"] and manifest["kind"] == "Table"
    table = pq.read_table(store().fetch(manifest["digest"]))
    assert table.schema.field("joined").type == pa.timestamp("us") and table.column("age").null_count == 10
    assert editor.get("/datasets/people/versions/1/rows?offset=1&limit=2") == rows
    assert editor.put("/datasets/people/versions/1/columns", {"columns": []}, status=409)["error"]["code"] == "not_draft"
    assert {"upload.start", "upload.complete", "dataset.version", "dataset.freeze", "dataset.frozen"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )
    assert Event.objects.filter(payload__type="upload_changed", payload__status="ready").count() == 1
    for text in ("people@1", "people@latest", "people", f"people@1#{frozen['digest']}"):
        assert resolve_reference(editor.project, text).number == 1
    lineage = editor.get(f"/lineage/artifact/{frozen['artifact']}")
    assert "people@1" in [n["label"] for n in lineage["nodes"]]


def test_types_are_corrected_while_it_is_a_draft_and_misfits_name_their_rows(upload: Uploader, editor: Person) -> None:
    upload.ready(b"zip,when,n\n01234,03/04/2024,1\n98765,05/06/2024,x\n00001,01/02/2024,-\n", "z.csv", name="z")
    version = editor.get("/datasets/z/versions/1")
    assert [c["type"] for c in version["columns"]] == ["category", "category", "category"]
    wrong = editor.put(
        "/datasets/z/versions/1/columns", {"columns": [{"name": "n", "type": "integer"}, {"name": "when", "type": "datetime"}]}, status=422
    )
    said = {p["field"]: p["message"] for p in wrong["error"]["problems"]}
    assert said["n"] == "1 value does not fit integer (row 2: “x”)." and "3 values do not fit" in said["when"]
    assert editor.get("/datasets/z/versions/1")["columns"] == version["columns"], "nothing was changed"
    done = editor.put(
        "/datasets/z/versions/1/columns",
        {
            "columns": [
                {"name": "n", "type": "integer"},
                {"name": "when", "type": "datetime", "format": "%d/%m/%Y"},
                {"name": "zip", "type": "text"},
            ],
            "null_values": ["x", "-"],
            "label_column": "n",
        },
    )
    assert done["label_column"] == "n" and [c["nullable"] for c in done["columns"]] == [False, False, True]
    assert editor.get("/datasets/z/versions/1/rows")["rows"] == [
        ["01234", "2024-04-03T00:00:00", 1],
        ["98765", "2024-06-05T00:00:00", None],
        ["00001", "2024-02-01T00:00:00", None],
    ]
    for bad in (
        {"columns": [{"name": "no", "type": "text"}]},
        {"columns": [{"name": "n", "type": "image"}]},
        {"columns": [], "label_column": "no"},
    ):
        editor.put("/datasets/z/versions/1/columns", bad, status=422)
    freeze(editor, "z")


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=3)
    return out.getvalue()


LINES = b'{"a": 1, "b": [1, 2]}\n\n{"b": {"c": null}, "a": null, "d": "x"}\n'
TYPED = pa.table(
    {"a": [1.5, None], "b": pa.array(["x", "y"]).dictionary_encode(), "c": [datetime.date(2024, 1, 1)] * 2, "d": [[1], []]},
)


def excel() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "notes"
    sheet = book.create_sheet("data")
    sheet.append([None, None])
    sheet.append(["a", "b", "c", "d"])
    sheet.append([1, "x", datetime.datetime(2024, 1, 2), True])  # noqa: DTZ001 - as Excel keeps it
    sheet.append([2, None, datetime.datetime(2024, 1, 3, 4, 5), False])  # noqa: DTZ001 - as above
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "options", "types", "first"),
    [
        ("naïve;b\n1,5;x\n".encode("latin-1"), "l.csv", {}, ["number", "category"], [1.5, "x"]),
        ("a\tb\n1\té\n".encode("utf-16"), "u.tsv", {}, ["integer", "category"], [1, "é"]),
        ("\ufeffa,b\n1,é\n".encode(), "bom.csv", {}, ["integer", "category"], [1, "é"]),
        (b"1,2\n3,4\n", "no-header.csv", {}, ["integer", "integer"], [1, 2]),
        (b"a,b\n1,2\n", "h.csv", {"header": False}, ["category", "category"], ["a", "b"]),
        (b"a|b\r\n1|2\r\n", "pipe.txt", {"modality": "table"}, ["integer", "integer"], [1, 2]),
        (LINES, "l.jsonl", {}, ["integer", "json", "category"], [1, "[1, 2]", None]),
        (parquet(TYPED), "p.parquet", {}, ["number", "category", "datetime", "json"], [1.5, "x", "2024-01-01T00:00:00", "[1]"]),
        (excel(), "e.xlsx", {"sheet": "data"}, ["integer", "category", "datetime", "boolean"], [1, "x", "2024-01-02T00:00:00", True]),
    ],
    ids=["latin-1", "utf-16", "bom", "no header", "header off", "pipes", "json lines", "parquet", "excel"],
)  # fmt: skip
def test_formats_and_encodings(
    upload: Uploader, editor: Person, data: bytes, name: str, options: dict, types: list[str], first: list
) -> None:
    sent = upload.ready(data, name, name="t", options={**options, "freeze": True})
    version = editor.get(f"/datasets/{sent['dataset']}/versions/1")
    assert version["status"] == "frozen" and [c["type"] for c in version["columns"]] == types
    assert editor.get("/datasets/t/versions/1/rows")["rows"][0] == first


def test_append_and_replace_make_new_versions_and_leave_the_old_ones(upload: Uploader, editor: Person) -> None:
    upload.ready(b"a,b\n1,x\n2,y\n", "one.csv", name="t", options={"freeze": True})
    upload.ready(b"b,a\nz,3.5\n", "two.csv", dataset="t", mode="append", options={"freeze": True})
    upload.ready(b"c\n9\n", "three.csv", dataset="t")
    assert [v["number"] for v in editor.get("/datasets/t/versions")] == [3, 2, 1]
    assert editor.get("/datasets/t/versions/2/rows")["rows"] == [[1.0, "x"], [2.0, "y"], [3.5, "z"]]
    assert editor.get("/datasets/t/versions/1/rows")["rows"] == [[1, "x"], [2, "y"]]
    assert resolve_reference(editor.project, "t@latest").number == 2, "a draft is not the latest"
    failed = upload(b"a,q\n1,2\n", "four.csv", dataset="t", mode="append")
    assert {p["message"] for p in failed["problems"]} == {
        "There is no column “c”, which the data set has.",
        "The data set has no column “a”.",
        "The data set has no column “q”.",
    }
    assert len(editor.get("/datasets/t/versions")) == 3
    assert Item.objects.count() == 0, "rows of a table are no items"


def test_search_filter_sort_and_any_window_of_many_row_groups(upload: Uploader, editor: Person) -> None:
    rows = 50_000
    lines = "\n".join(f"{i},{(i * 7919) % rows},{'even' if i % 2 == 0 else 'odd'},text {i}" for i in range(rows))
    upload.ready(f"i,shuffled,parity,t\n{lines}\n".encode(), "many.csv", name="many", options={"freeze": True})

    def get(query: str) -> dict:
        return editor.get(f"/datasets/many/versions/1/rows?{query}")

    assert [r[0] for r in get("offset=49998&limit=10")["rows"]] == [49998, 49999]
    assert [r[0] for r in get("offset=16382&limit=4")["rows"]] == [16382, 16383, 16384, 16385]
    ordered = get("sort=-shuffled&offset=100&limit=3")
    assert [r[1] for r in ordered["rows"]] == [49899, 49898, 49897] and ordered["total"] == rows
    found = get('filter=i%20%3E%3D%2049990%20and%20parity%20%3D%3D%20"odd"&sort=-i')
    assert [r[0] for r in found["rows"]] == [49999, 49997, 49995, 49993, 49991] and found["total"] == 5
    assert get("search=TEXT%204999")["total"] == 11
    error = editor.get("/datasets/many/versions/1/rows?filter=ii%20%3E%201", status=422)["error"]
    assert error["field"] == "filter" and "did you mean i" in error["message"] and error["details"]["position"] == 0
    editor.get("/datasets/many/versions/1/rows?sort=nothing", status=422)


def test_the_profile_says_what_is_in_the_columns(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(PEOPLE, "people.csv")
    assert editor.get("/datasets/people/versions/1/profile")["status"] == "queued"
    profiled(sent)
    profiled(sent)
    profile = editor.get("/datasets/people/versions/1/profile")
    by = {c["name"]: c for c in profile["columns"]}
    assert profile["status"] == "succeeded" and profile["rows"] == 30 and profile["duplicates"] == 27
    assert profile["classes"] == [["<=50K", 20], [">50K", 10]]
    assert (by["age"]["count"], by["age"]["missing"], by["age"]["distinct"], by["age"]["quantiles"]["0.5"]) == (20, 10, 2, 44.5)
    assert sum(by["age"]["histogram"]["counts"]) == 20 and by["joined"]["maximum"] == "2024-02-01T00:00:00"
    assert by["member"]["top_values"] == [["true", 20], ["false", 10]]


def test_many_different_values_are_estimated_within_a_few_percent(upload: Uploader, editor: Person) -> None:
    sent = upload.ready(("k\n" + "\n".join(f"key-{i}" for i in range(150_000))).encode(), "k.csv")
    profiled(sent)
    column = editor.get("/datasets/k/versions/1/profile")["columns"][0]
    assert column["distinct_is_estimate"] and abs(column["distinct"] / 150_000 - 1) < 0.08


def test_downloads_come_back_as_they_went(upload: Uploader, editor: Person) -> None:
    upload.ready(b'a,b,j\n1,"x, y","{""k"": 1}"\n,\xc3\xa9,[]\n', "d.csv", name="d")
    for status in ("draft", "frozen"):
        got = {
            f: b"".join(editor.ask("GET", f"/datasets/d/versions/1/download?format={f}").streaming_content)
            for f in ("csv", "jsonl", "parquet")
        }
        assert got["jsonl"].decode() == '{"a": 1, "b": "x, y", "j": {"k": 1}}\n{"a": null, "b": "é", "j": []}\n'
        assert pq.read_table(io.BytesIO(got["parquet"])).column("a").to_pylist() == [1, None]
        again = upload.ready(got["csv"], "again.csv", name=f"again {status}")
        assert editor.get(f"/datasets/{again['dataset']}/versions/1/rows")["rows"] == editor.get("/datasets/d/versions/1/rows")["rows"]
        if status == "draft":
            freeze(editor, "d")
    assert editor.ask("GET", "/datasets/d/versions/1/download?format=csv")["Content-Disposition"] == 'attachment; filename="d-1.csv"'
    assert editor.ask("GET", "/datasets/d/versions/1/download?format=exe").status_code == 422


def test_delete_is_soft_and_undone(upload: Uploader, editor: Person) -> None:
    upload.ready(b"a\n1\n", "a.csv", name="Mine", options={"licence": "CC0", "source": "me", "freeze": True})
    assert editor.get("/datasets")["items"][0]["licence"] == "CC0"
    editor._json(editor.ask("PATCH", "/datasets/mine", {"name": "Ours", "description": "d"}), 200)
    editor._json(editor.ask("DELETE", "/datasets/mine"), 204)
    assert editor.get("/datasets")["items"] == [] and editor.get("/datasets?deleted=true")["items"][0]["name"] == "Ours"
    assert editor.ask("PATCH", "/datasets/mine", {"name": "x"}).status_code == 404
    editor.post("/datasets/mine/restore", status=200)
    assert editor.get("/datasets?search=our")["total"] == 1
    editor._json(editor.ask("PATCH", "/datasets/mine", {"name": " "}), 422)


def test_it_works_the_same_on_a_store_that_is_no_local_folder(upload: Uploader, editor: Person, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACT_URL = f"simplecache::file://{tmp_path}"  # as any remote one: several processes reach it, through fsspec only
    sent = upload.ready(PEOPLE, "people.csv")
    profiled(sent)
    freeze(editor, "people")
    assert editor.get("/datasets/people/versions/1/rows?sort=-age&limit=1")["rows"][0][0] == 50
    assert editor.get("/datasets/people/versions/1/profile")["status"] == "succeeded"
    assert len(b"".join(editor.ask("GET", "/datasets/people/versions/1/download?format=csv").streaming_content)) > 500
