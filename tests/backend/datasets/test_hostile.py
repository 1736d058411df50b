"""Files that are broken, wrong or meant to harm: each is refused with words that name the place, and leaves nothing."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.artifacts.storage import store
from backend.datasets.models import Item, Upload
from backend.datasets.reading import limits
from tests.backend.datasets.conftest import Uploader, image, tarred, zipped

WHOLE_PNG = image("red", (300, 300))


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"a": range(1000)}), out)
    return out.getvalue()


def bomb() -> bytes:
    return zipped({"a/1.png": b"\0" * 150_000_000})


def png_of(width: int, height: int) -> bytes:
    """A PNG that only claims its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def special(kind: bytes, target: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a/evil.png")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return out.getvalue()


def linked_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a/evil.png")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def doubled() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a/1.png", WHOLE_PNG)
        archive.writestr("a/1.png", WHOLE_PNG)
    return out.getvalue()


def encrypted_zip() -> bytes:
    data = bytearray(zipped({"a/1.png": WHOLE_PNG}, zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def flipped_zip() -> bytes:
    data = bytearray(zipped({"a/1.png": WHOLE_PNG, "a/2.png": WHOLE_PNG}, zipfile.ZIP_STORED))
    data[100] ^= 0xFF
    return bytes(data)


def entity_workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    out, evil = io.BytesIO(), io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + data.replace(b"<v>1</v>", b"<v>&b;</v>")
            new.writestr(name, data)
    return evil.getvalue()


CASES: dict[str, tuple[bytes, str, str, str]] = {
    "ragged": (b"a,b\n1,2\n3\n4,5,6\n", "t.csv", "t.csv, line 3", "This row has 1 cells, the header 2."),
    "quote never closed": (b'a,b\n1,2\n3,"x\n4,5\n', "t.csv", "t.csv, line 3", "never closed"),
    "duplicate column": (b"a,b,a\n1,2,3\n", "t.csv", "t.csv, line 1", "Columns 1 and 3 are both named “a”"),
    "column without a name": (b"a,,c\n1,2,3\n", "t.csv", "t.csv, line 1", "Column 2 has no name"),
    "mixed encodings": ("a\né\n".encode() + b"\xe9\n", "t.csv", "t.csv, line 3", "mixed encodings"),
    "NUL": (b"a\n1\n\x002\n", "t.csv", "t.csv, line 3", "NUL"),
    "header only": (b"a,b\n", "t.csv", "t.csv", "no row of data"),
    "blank": (b"\n \n", "t.csv", "t.csv", "no text"),
    "truncated UTF-16": ("a,b\n1,2\n".encode("utf-16") + b"x", "t.csv", "t.csv, line 3", "not utf-16"),
    "bad JSON line": (b'{"a": 1}\n{"a": }\n[1]\n', "t.jsonl", "t.jsonl, line 2", "not JSON"),
    "JSON array": (b'[{"a": 1}]', "t.json", "t.json", "JSON document"),
    "truncated parquet": (parquet()[:-30], "t.parquet", "t.parquet", "damaged or cut off"),
    "parquet that is text": (b"a,b\n1,2\n", "t.parquet", "t.parquet", "The name says .parquet, but the content is text"),
    "csv that is an image": (WHOLE_PNG, "t.csv", "t.csv", "The name says .csv, but the content is an image"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "t.xls", "t.xls", "old Excel"),
    "excel with entities": (entity_workbook(), "t.xlsx", "t.xlsx", "damaged"),
    "truncated excel": (entity_workbook()[:-200], "t.xlsx", "t.xlsx", "no whole Excel workbook"),
    "pickle": (b"\x80\x04\x95" + b"x" * 50, "t.pkl", "t.pkl", "a Python pickle"),
    "saved web page": (b"<!DOCTYPE html><html>no</html>", "t.csv", "t.csv", "an HTML page"),
    "zip bomb": (bomb(), "t.zip", "t.zip", "a zip bomb"),
    "gzip bomb": (gzip.compress(b"a,b\n" + b"1,2\n" * 40_000_000, 1), "t.csv.gz", "t.csv.gz", "a zip bomb"),
    "path out of the zip": (zipped({"../../evil.png": WHOLE_PNG}), "t.zip", "t.zip › ../../evil.png", "leads out"),
    "path out of the tar": (tarred({"/etc/evil.png": WHOLE_PNG}), "t.tar", "t.tar › /etc/evil.png", "leads out"),
    "link in a tar": (special(tarfile.SYMTYPE, "/etc/passwd"), "t.tar", "t.tar › a/evil.png", "a link"),
    "hard link in a tar": (special(tarfile.LNKTYPE, "/etc/passwd"), "t.tar", "t.tar › a/evil.png", "a link"),
    "device in a tar": (special(tarfile.CHRTYPE), "t.tar", "t.tar › a/evil.png", "special file"),
    "link in a zip": (linked_zip(), "t.zip", "t.zip › a/evil.png", "a link"),
    "encrypted zip": (encrypted_zip(), "t.zip", "t.zip › a/1.png", "encrypted"),
    "flipped byte": (flipped_zip(), "t.zip", "t.zip › a/1.png", "Bad CRC"),
    "truncated zip": (zipped({"a/1.png": WHOLE_PNG})[:-40], "t.zip", "t.zip", "damaged or cut off"),
    "truncated tar": (tarred({"a/1.png": WHOLE_PNG, "a/2.png": WHOLE_PNG})[:1800], "t.tar", "t.tar", "cut off"),
    "truncated tar.gz": (tarred({"a/1.png": WHOLE_PNG}, "w:gz")[:-20], "t.tar.gz", "t.tar.gz", "cut off"),
    "truncated image": (zipped({"a/1.png": image("red", (300, 300), "BMP")[:5000]}), "t.zip", "t.zip › a/1.png", "damaged or cut off"),
    "text named png": (zipped({"a/1.png": b"hello there"}), "t.zip", "t.zip › a/1.png", "This is text, though its name says .png"),
    "huge image": (zipped({"a/1.png": png_of(60_000, 60_000)}), "t.zip", "t.zip › a/1.png", "more than 160,000,000 pixels"),
    "absurd image": (zipped({"a/1.png": png_of(2_000_000_000, 2)}), "t.zip", "t.zip › a/1.png", "pixels"),
    "archive in an archive": (zipped({"a/1.png": WHOLE_PNG, "a/x": zipped({"b": b"x"})}), "t.zip", "t.zip › a/x", "a zip archive inside"),
    "dots in a path": (zipped({"./a": b"x"}), "t.zip", "t.zip › ./a", "leads out"),
    "the same name twice": (doubled(), "t.zip", "t.zip › a/1.png", "appears twice"),
    "nothing useful": (zipped({"a.exe": b"MZ\x90" + b"\0" * 99}), "t.zip", "t.zip", "nothing in the archive that can be shown (1 × .exe)"),
    "empty text": (zipped({"a/1.txt": b"  "}), "t.zip", "t.zip › a/1.txt", "empty"),
    "binary text": (zipped({"a/1.txt": b"a\0b"}), "t.zip", "t.zip › a/1.txt", "not text"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_the_place_and_leaves_nothing(upload: Uploader, case: str, settings: Any) -> None:
    data, name, place, says = CASES[case]
    said = upload.problems(data, name)
    assert any(p["field"] == place and says in p["message"] for p in said), said
    assert all(p["expected"] for p in said)
    assert Item.objects.count() == 0
    folder = settings.DATA_DIR / "uploads"
    assert not any((folder / str(u.pk)).exists() for u in Upload.objects.all()), "the bytes are gone"


def test_many_problems_are_told_at_once_but_not_thousands(upload: Uploader) -> None:
    said = upload.problems(b"a,b\n" + b"1\n" * 5000, "t.csv")
    assert len(said) == 21 and said[0]["field"] == "t.csv, line 2" and said[-1]["message"].startswith("There are more")
    said = upload.problems(zipped({f"a/{i}.png": b"no" for i in range(7)}), "t.zip")
    assert len(said) == 7


def test_counts_and_sizes_are_bounded(upload: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    small = limits.Limits(members=3, unpacked_bytes=10_000, columns=5, image_bytes=1000)
    for module in ("archive", "items", "opened", "csvs", "jsonl"):
        monkeypatch.setattr(f"backend.datasets.reading.{module}.LIMITS", small)
    assert "more than 3 files" in upload.problems(zipped({f"{i}.png": b"x" for i in range(4)}), "t.zip")[0]["message"]
    assert "unpacks to" in upload.problems(zipped({"1.png": b"x" * 20_000}), "t.zip")[0]["message"]
    assert "6 columns" in upload.problems(b"a,b,c,d,e,f\n1,2,3,4,5,6\n", "t.csv")[0]["message"]
    assert "at most 1,000" in upload.problems(zipped({"a/1.png": b"x" * 2000}), "t.zip")[0]["message"]


def test_a_file_that_lies_about_nothing_but_is_odd_is_read(upload: Uploader) -> None:
    upload.ready(b'a,b\r\n"x\ny","5"" pipe"\r\n\r\nz,=1+1\r\n', "odd.csv")
    upload.ready(zipped({"größe/ä b.png": WHOLE_PNG, "empty-folder/": b""}), "odd.zip")
    assert store().exists(Item.objects.get().digest)
