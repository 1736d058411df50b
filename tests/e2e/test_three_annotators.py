"""Three people label the same pictures, blind to each other; where they differ somebody decides; what was decided is trained on."""

from __future__ import annotations

import random
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.furnish import bring, pipeline
from tests.e2e.labels import filled
from tests.e2e.material import shape
from tests.e2e.stage import PASSWORD, join
from tests.e2e.test_labelling import chosen, item, until
from workers.sdk.client import Client

XML = """<View>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image" required="true"><Choice value="ring" hotkey="1"/><Choice value="cross" hotkey="2"/></Choices>
</View>"""
PEOPLE = {"ada": "Ada Brandt", "ben": "Ben Okoye", "cleo": "Cleo Marsh"}


def pictures(path: Path, count: int = 12) -> dict[str, str]:
    """An archive of rings and crosses; returns which is which by the name of the file, which does not tell it."""
    rng = random.Random(11)
    kinds = {f"{n:02d}.png": "ring" if n % 2 else "cross" for n in range(count)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, kind in kinds.items():
            archive.writestr(name, shape(kind, rng))
    return kinds


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def test_blind_annotators_are_compared_decided_between_and_trained_on(open_page: Open, fresh_project: Client, tmp_path: Path) -> None:
    client, project = fresh_project, fresh_project.project
    kinds = pictures(tmp_path / "pier.zip")
    dataset = bring(client, tmp_path / "pier.zip", "Pier")
    base = f"/projects/{project}/label-schemas"
    asked = {"name": "Pier", "dataset": dataset, "xml": XML, "overlap": 3, "review_share": 0.0, "together": "blind"}
    slug = client.request("POST", base, json=asked)["slug"]
    filled(client, slug)
    numbers = {i["id"]: i["key"] for i in client.request("GET", f"{base}/{slug}/items")["items"]}

    # Each labels every picture by keys; the last of them takes two for what they are not.
    wrong = {"01.png", "04.png"}
    for who, name in PEOPLE.items():
        email = f"{who}.{project}@example.org"  # all browser tests share one studio
        person = join(client, str(project), email, name, "annotator")
        page, watch = open_page(signed_in=False)
        sign_in(page, email)
        page.goto(f"/p/{project}/labels/{slug}/label")
        for _ in kinds:
            expect(page.locator("[data-item]")).to_be_visible()
            here = item(page)
            key = numbers[int(here)]
            right = kinds[key] == "ring"
            page.keyboard.press("1" if right != (who == "cleo" and key in wrong) else "2")
            chosen(page, "ring" if right != (who == "cleo" and key in wrong) else "cross")
            assert all(other not in page.locator("body").inner_text() for other in PEOPLE.values() if other != name), "blind"
            page.keyboard.press("Control+Enter")
            expect(page.locator(f'[data-item="{here}"]')).to_have_count(0)
        expect(page.locator("[data-item]")).to_have_count(0)
        done = 12 * (1 + list(PEOPLE).index(who))
        until(lambda done=done: client.request("GET", f"{base}/{slug}")["progress"], {"done": done})  # type: ignore[misc]  # bound at once
        seen = person.request("GET", f"{base}/{slug}/items/{next(iter(numbers))}/annotations")
        assert [a["author"]["name"] for a in seen] == [name], "nor does the API tell"
        assert watch.errors == []
        page.context.close()

    # Where they agree nobody needs to decide; where not, the owner does, seeing both sides.
    page, watch = open_page()
    page.goto(f"/p/{project}/labels/{slug}?tab=items")
    page.get_by_role("combobox", name="Which items").click()
    page.get_by_role("option", name="People differ").click()
    rows = page.get_by_role("row").filter(has=page.get_by_role("link"))
    expect(rows).to_have_count(2)
    for key in sorted(wrong):
        number = next(n for n, k in numbers.items() if k == key)
        page.goto(f"/p/{project}/labels/{slug}/items/{number}")
        card = page.locator("div").filter(has_text="Ada Brandt").filter(has=page.get_by_role("button", name="This is right"))
        card.last.get_by_role("button", name="This is right").click()
        expect(page.get_by_text("This is the ground truth now.").first).to_be_visible()
    until(lambda: client.request("GET", f"{base}/{slug}")["progress"], {"truths": 12})

    # The figures say how well they agree, and who stands apart.
    page.goto(f"/p/{project}/labels/{slug}?tab=quality")
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_text("Agreement of two people")).to_be_visible(timeout=60_000)
    by_person = page.get_by_role("region", name="By person")
    for name in PEOPLE.values():
        expect(by_person.get_by_text(name).first).to_be_visible()

    # What was decided is a version of the data, and a model learns from it.
    page.goto(f"/p/{project}/labels/{slug}")
    page.get_by_role("button", name="Freeze the labels").click()
    expect(page.get_by_role("link", name=re.compile(r"pier@2"))).to_be_visible(timeout=60_000)
    labels = {i["key"]: i["label"] for i in client.request("GET", f"/projects/{project}/datasets/{dataset}/versions/2/items")["items"]}
    assert labels == kinds
    made = pipeline(client, "image-classification", dataset, "Learn", train={"epochs": 4, "batch_size": 8}, register={"name": "Agreed"})
    run = client.wait_for_run(client.start_run(made)["id"])
    assert run["status"] == "succeeded", run["error"] or [s["error"] for s in run["step_runs"]]
    assert client.list_models()[0]["name"] == "Agreed"
    assert watch.errors == []
