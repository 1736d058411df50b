"""Import texts → mark spans → freeze, train, evaluate, register → suggest → accept → ask, with real workers: a tagger learns while people
mark, its F1 lies beside random order's, and a text that somebody types comes back with its spans."""

from __future__ import annotations

import csv
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import until
from tests.e2e.furnish import bring
from tests.e2e.labels import filled
from tests.e2e.test_learning_loop import Desk, succeeded
from tests.spans import RULES, cited, spans_of
from workers.sdk.client import Client

Json = dict[str, Any]
EVERY, TEST = 45, 80
XML = (
    '<View><Text name="shown" value="$text"/><Labels name="what" toName="shown">'
    + "".join(f'<Label value="{label}"/>' for label in RULES)
    + "</Labels></View>"
)


def marked(text: str) -> list[Json]:
    return [
        {"id": f"s{n}", "from_name": "what", "to_name": "shown", "type": "labels", "value": value} for n, value in enumerate(spans_of(text))
    ]


def places(result: list[Json]) -> list[tuple[int, int, str]]:
    return sorted((r["value"]["start"], r["value"]["end"], r["value"]["labels"][0]) for r in result)


class Marker(Desk):
    """An annotator who knows where what is."""

    def label(self, count: int) -> int:
        """Accept the suggestion where it is right, else say what is; returns how many there were to do."""
        for done in range(count):
            item = self.ask("POST", "/next", {})["item"]
            if item is None:
                return done
            result = marked(item["data"]["text"])
            if item["suggestions"]:
                said = item["suggestions"][0]["result"]
                self.suggested.append(places(said) == places(result))
                result = said if self.suggested[-1] else result
            body = {"id": str(uuid.uuid4()), "schema_version": 1, "result": result, "seconds": 2.0}
            self.ask("POST", f"/items/{item['id']}/submit", body)
        return count


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_tagger_learns_while_people_mark_and_marks_what_somebody_types(fresh_project: Client, tmp_path: Path, open_page: Any) -> None:
    path = tmp_path / "texts.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("number", "text"), *((f"m{n}", text) for n, (text, _) in enumerate(cited(260)))])
    dataset = bring(fresh_project, path, "What functions say")
    base = f"/projects/{fresh_project.project}/label-schemas"
    made = {"name": "Citations", "dataset": dataset, "xml": XML, "review_share": 0.0}
    slug = fresh_project.request("POST", base, json=made)["slug"]
    filled(fresh_project, slug)
    desk = Marker(fresh_project, slug, {})
    assert desk.ask("GET", "/loop")["template"] == "span-tagging"
    desk.ask("PUT", "/loop", {"template": "span-tagging", "every": EVERY, "test_size": TEST, "draws": 1})
    desk.label(EVERY + TEST)
    assert not desk.suggested, "nothing is suggested for what models are measured on"
    desk.until(lambda found: len(succeeded(found)) == 1)
    desk.label(EVERY)
    assert len(desk.suggested) == EVERY and any(desk.suggested), "the first model said what it thinks"
    rounds = succeeded(desk.until(lambda found: len(succeeded(found)) == 2 and len(found["random"]) == 2))
    assert [(r["labels"], r["model_version"]) for r in rounds] == [(EVERY, 1), (2 * EVERY, 2)]
    assert rounds[1]["accuracy"] > 0.5 and all(r["low"] <= r["accuracy"] <= r["high"] and r["tested"] > TEST for r in rounds), rounds
    told = desk.loop()
    assert told["measure"] == "f1" and all(0 < point["accuracy"] <= 1 for point in told["random"])
    (outcomes,) = desk.ask("GET", "/suggestions/outcomes")
    assert outcomes["total"] >= outcomes["accepted"] > 0 and outcomes["model_version"] == "my-span-tagger@1"

    setting = {"enabled": True, "threshold": 0.6, "audit_share": 0.1, "max_error": 0.5}
    desk.ask("PUT", "/auto-accept", setting)
    end = time.monotonic() + 60
    while (auto := desk.ask("GET", "/auto-accept"))["status"] != "ready":
        assert time.monotonic() < end, auto
        time.sleep(0.2)
    assert auto["passes"][0]["accepted"] > 0

    page, watch = open_page()
    page.goto(f"/p/{fresh_project.project}/labels/{slug}?tab=learn")
    expect(page.get_by_role("img", name="F1 by number of labels")).to_be_visible()
    until(page, "Boolean(document.querySelector('.js-plotly-plot')?.data)")
    expect(page.get_by_text("F1 of the spans that are found exactly")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Its models, suggestions and curve stay.")).to_be_visible()

    page.goto(f"/p/{fresh_project.project}/models/my-span-tagger")
    expect(page.get_by_text("Partial F1").first).to_be_visible()
    fresh_project.deploy("my-span-tagger@2", endpoint="citations")
    page.goto(f"/p/{fresh_project.project}/endpoints/citations")
    asked, answer = page.get_by_label("text", exact=True), page.get_by_test_id("answer")
    expect(page.get_by_text("Free text, of which the first 100,000 characters are read")).to_be_visible()
    asked.fill("🙈 Return the value, or raise ValueError if there is none.\nSee also get_value().")
    page.get_by_role("button", name="Predict").click()
    expect(answer.get_by_role("region", name="Text with its spans").locator("mark", has_text="ValueError")).to_have_text("ValueError")
    expect(answer.get_by_role("cell", name="ValueError", exact=True)).to_be_visible()
    asked.fill("")
    page.get_by_role("button", name="Predict").click()
    expect(answer.get_by_text("No spans")).to_be_visible()
    assert watch.errors == []
