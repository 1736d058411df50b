"""A project, its people, and uploads as a browser makes them: over HTTP, chunk by chunk, the worker's task called by hand."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import Any

import pytest
from PIL import Image

from backend.core.models import Project
from backend.datasets.models import DatasetVersion
from backend.datasets.tasks import profile_version, read_upload
from tests.backend.people import Person, person


class Uploader:
    def __init__(self, who: Person) -> None:
        self.who = who

    def start(self, data: bytes, filename: str, **fields: Any) -> dict[str, Any]:
        return self.who.post("/uploads", {"filename": filename, "size": len(data), **fields})

    def chunk(self, upload: dict[str, Any], offset: int, data: bytes, status: int = 200) -> Any:
        path = f"/api/v1/projects/{self.who.project.slug}/uploads/{upload['id']}/chunks?offset={offset}"
        answer = self.who.http.put(
            path, data, content_type="application/octet-stream", headers={"Authorization": f"Bearer {self.who.secret}"}
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    def send(self, data: bytes, filename: str, piece: int = 1 << 20, **fields: Any) -> dict[str, Any]:
        """Start, send and complete; not yet read."""
        upload = self.start(data, filename, **fields)
        for offset in range(0, len(data), piece):
            self.chunk(upload, offset, data[offset : offset + piece])
        return self.who.post(f"/uploads/{upload['id']}/complete", status=202)

    def __call__(self, data: bytes, filename: str, **fields: Any) -> dict[str, Any]:
        upload = self.send(data, filename, **fields)
        read_upload(upload["id"])
        return self.who.get(f"/uploads/{upload['id']}")

    def ready(self, data: bytes, filename: str, **fields: Any) -> dict[str, Any]:
        upload = self(data, filename, **fields)
        assert upload["status"] == "ready", upload["problems"]
        return upload

    def problems(self, data: bytes, filename: str, **fields: Any) -> list[dict[str, str]]:
        """What is said of a file that must be refused, after which nothing may be there."""
        before = DatasetVersion.objects.count()
        upload = self(data, filename, **fields)
        assert upload["status"] == "failed" and upload["dataset"] is None, upload
        assert DatasetVersion.objects.count() == before
        return upload["problems"]


def profiled(upload: dict[str, Any]) -> None:
    profile_version(str(DatasetVersion.objects.get(dataset__slug=upload["dataset"], number=upload["version"]).pk))


def image(color: Any = "red", size: tuple[int, int] = (8, 6), form: str = "PNG", **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, form, **save)
    return out.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(slug="lab", name="Lab")


@pytest.fixture
def editor(project: Project) -> Person:
    return person(project, "editor")


@pytest.fixture
def upload(editor: Person) -> Uploader:
    return Uploader(editor)
