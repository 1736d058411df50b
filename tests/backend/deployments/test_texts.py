"""A model of texts answers for the open items of a schema that shows texts, in a table or a file each, as it answers whoever asks it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from backend.artifacts.actions import create_artifact
from backend.artifacts.storage import store
from backend.deployments.suggesting import prelabel
from backend.labeling.models import Suggestion
from backend.registry.actions import register
from tests.backend.datasets.conftest import Uploader, zipped
from tests.backend.deployments.conftest import Predictor
from tests.backend.deployments.test_suggesting import queue
from tests.backend.people import Person
from tests.texts import docstrings
from workers import catalog
from workers.sdk import context
from workers.sdk.kinds import Table
from workers.serving.model import LoadedModel

TOPICS = ("asyncio", "email", "unittest")
QUESTION = (
    '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
    + "".join(f'<Choice value="{topic}"/>' for topic in TOPICS)
    + "</Choices></View>"
)
SAID = [row for row in docstrings() if row[1] in TOPICS]
LATE = "Encode the header of an e-mail message, with its charset. " * 36 + "\n".join(
    text for text, topic in SAID[:200] if topic == "asyncio"
)
"""What a queue shows of it says something else than the whole."""
ASKED = [*(text for text, _ in SAID[200:212]), LATE, "メールのヘッダー 🙈", "<p>Return the <b>message</b> header</p>"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts, topics = zip(*SAID[:200], strict=True)
    with context.local(tmp_path_factory.mktemp("texts")):
        table = Table.from_arrow(
            pa.table({"text": pa.array(texts), "topic": pa.array(topics)}), types={"text": "text", "topic": "category"}
        )
        found: Path = catalog.load().components["train_linear"].call({"train": table}, {"target": "topic"})["model"].file()
    return found


@pytest.fixture
def said(owner: Person, trained: Path) -> LoadedModel:
    """Registered in the project, and as whoever asks it directly has it."""
    register(owner.project, owner.user, "Topics", create_artifact(owner.project, "Model", store().put_folder(trained)).digest)
    return LoadedModel(trained, "topics@1")


def directly(model: LoadedModel, texts: list[str]) -> dict[str, tuple[str, float]]:
    found = model.answers(model.infer(model.check([{"text": text} for text in texts])[0]))
    return {text: (one["label"], one["probabilities"][one["label"]]) for text, one in zip(texts, found, strict=True)}


def test_a_table_of_texts_is_suggested_for_by_its_whole_texts(owner: Person, predictor: Predictor, said: LoadedModel) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("id", "text"), *enumerate(ASKED), (99, "")])
    table = Uploader(owner).ready(file.getvalue().encode(), "texts.csv", options={"freeze": True})["dataset"]
    schema = queue(owner, table, QUESTION)
    right = directly(said, [*ASKED, ""])
    assert right[LATE][0] == "asyncio" != directly(said, [LATE[:2000]])[LATE[:2000]][0]
    predictor.start()
    owner.post("/endpoints", {"model": "Topics"})
    where = f"/label-schemas/{schema.slug}/suggestions"
    for whom in ({"model": "topics@1"}, {"endpoint": "topics"}):
        owner.post(where, whom, 202)
        prelabel(schema.pk)
        told = owner.get(where)["prelabelling"]
        assert (told["status"], told["done"], told["refused"]) == ("done", len(ASKED) + 1, 0), told
        newest = Suggestion.objects.filter(model_version__startswith="topics: " if "endpoint" in whom else "topics@").select_related("item")
        for one in newest:
            shown = one.item.data["text"] or ""
            label, share = next(right[text] for text in right if text == shown or (len(shown) > 2000 and text.startswith(shown[:2000])))
            assert one.result[0]["value"]["choices"] == [label] and one.score == pytest.approx(share, abs=1e-6), shown[:80]
        assert newest.count() == len(ASKED) + 1

    odd = ["🙈 日本", "x" * 200_000, "", None]
    answer = owner.ask("POST", "/endpoints/topics/predict", {"instances": [{"text": text} for text in odd]})
    assert answer.status_code == 200, answer.content
    assert [one["label"] for one in answer.json()["predictions"]] == [directly(said, [text or ""])[text or ""][0] for text in odd]
    refused = owner.post("/endpoints/topics/predict", {"instances": [{"txt": "hello"}]}, 422)["error"]
    assert refused["problems"][0]["expected"] == "did you mean “text”?"


def test_files_of_text_are_too_and_what_does_not_fit_is_named(owner: Person, said: LoadedModel) -> None:
    upload, right = Uploader(owner), directly(said, ASKED)
    files = upload.ready(zipped({f"{n}.txt": text.encode() for n, text in enumerate(ASKED)}), "texts.zip", options={"freeze": True})[
        "dataset"
    ]
    schema = queue(owner, files, QUESTION)
    owner.post(f"/label-schemas/{schema.slug}/suggestions", {"model": "topics@1"}, 202)
    prelabel(schema.pk)
    found = {s.item.key: s.result[0]["value"]["choices"][0] for s in Suggestion.objects.select_related("item")}
    assert found == {f"{n}.txt": right[text][0] for n, text in enumerate(ASKED)}

    other = upload.ready(b"id,message\n1,The event loop\n2,A header\n", "messages.csv", options={"freeze": True})["dataset"]
    odd = queue(owner, other, QUESTION.replace("$text", "$message"))
    told: dict[str, Any] = owner.post(f"/label-schemas/{odd.slug}/suggestions", {"model": "topics@1"}, 409)["error"]
    assert "the data has no column “text”" in told["message"] and told["hint"] == "It has: id, message"
