"""The client commands as a person or a script uses them: each a process of its own, against one real studio."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis

from infra.supervisor import studio as studios
from infra.supervisor.layout import ROOT
from tests import tables
from tests.e2e import digits
from workers.sdk.client import Client

PASSWORD = "the mill turns by night"
OTHERS = ("DATABASE_URL", "BROKER_URL", "ARTIFACT_URL", "HEADRACE_DATA_DIR", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PUBLIC_URL")
"""Set by tests/services.py for pytest's own services; this studio has its own."""
ROWS = "size,colour,late\n" + "".join(f"{n % 17}.5,{'red' if n % 3 else 'blue'},{'yes' if n % 17 > 8 else 'no'}\n" for n in range(200))
YAML = """headrace: pipeline/1
name: Late or not
steps:
  read:
    component: read_table
    parameters:
      dataset: orders@latest
  split:
    component: split_rows
    inputs:
      table: read.table
  prepare:
    component: prepare_features
    inputs:
      train: split.train
  train:
    component: train_forest
    parameters:
      trees: 10
    inputs:
      recipe: prepare.recipe
      train: split.train
  register:
    component: register_model
    parameters:
      name: Late
    inputs:
      model: train.model
"""


@dataclass
class Terminal:
    """A person's terminal: its folder, its configuration, and what `headrace …` does there."""

    folder: Path
    url: str
    token: str = ""

    def environment(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if k not in OTHERS and not k.startswith("HEADRACE_")}
        return {**clean, "XDG_CONFIG_HOME": str(self.folder), "PYTHONPATH": str(ROOT), "COLUMNS": "80", **more}

    def run(self, *arguments: str, given: str = "", status: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "infra", *arguments], check=False, cwd=self.folder, env=self.environment(**more), input=given,
            capture_output=True, text=True, timeout=240, start_new_session=True,
        )  # fmt: skip
        assert done.returncode == status, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, **more: Any) -> Any:
        """The answer with `--json`: stdout holds JSON and nothing else."""
        return json.loads(self.run(*arguments, "--json", **more).stdout)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    kept = {name: os.environ.pop(name) for name in OTHERS if name in os.environ}
    folder = Path(tempfile.mkdtemp(prefix="hr-cli-"))
    folder.chmod(0o755)
    try:
        tables.furnish(folder / "data")
        with studios.start(folder / "data", "--port", "0", "--gpu", "none") as running:
            with httpx.Client(base_url=running.url, trust_env=False, timeout=60) as http:
                http.get("/sign-in")
                headers = {"X-CSRFToken": http.cookies["headrace_csrf"], "Referer": running.url}
                account = {"email": "mira@example.org", "name": "Mira", "password": PASSWORD}
                http.post("/api/v1/accounts", json=account, headers=headers).raise_for_status()
            made = Terminal(folder, running.url)
            made.run("login", "--url", running.url, "--email", "mira@example.org", given=PASSWORD + "\n")
            made.token = json.loads((folder / "headrace" / "config.json").read_text())["token"]
            made.run("project", "create", "Quay")
            made.run("project", "use", "quay")
            made.write("orders.csv", ROWS)
            made.run("dataset", "upload", "orders.csv", "--label", "late")
            made.write("late.yaml", YAML)
            yield made
    finally:
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def model(terminal: Terminal) -> dict[str, Any]:
    """A run of the pipeline in a file, waited for; it registered a model."""
    run: dict[str, Any] = terminal.json("run", "late.yaml", "--set", "train.trees=12", "--name", "first", "--wait")
    return run


def test_signing_in_by_password_or_token_and_choosing_a_project(terminal: Terminal) -> None:
    config = terminal.folder / "headrace" / "config.json"
    assert config.stat().st_mode & 0o077 == 0, "it holds a token"
    assert "→" in terminal.run("project").stdout and terminal.json("project")[0]["slug"] == "quay"
    other = Terminal(Path(tempfile.mkdtemp(dir=terminal.folder)), terminal.url)
    refused = other.run("login", "--url", terminal.url, "--email", "mira@example.org", given="wrong\n", status=1)
    assert "do not belong together" in refused.stderr and not (other.folder / "headrace").exists()
    assert "token is not good" in other.run("login", "--url", terminal.url, "--token", "hr_no", status=1).stderr
    assert "headrace login" in other.run("runs", status=1).stderr
    assert other.json("login", "--url", terminal.url, "--token", terminal.token) == {
        "url": terminal.url, "email": "mira@example.org", "project": "quay",
    }  # fmt: skip
    assert other.json("dataset", "list")[0]["slug"] == "orders"
    assert "no project “nowhere”" in other.run("project", "use", "nowhere", status=1).stderr
    other.json("logout")
    assert "headrace login" in other.run("runs", status=1).stderr


def test_a_token_that_is_not_good_any_more_and_a_studio_that_is_away_are_told_in_one_sentence(terminal: Terminal) -> None:
    ended = terminal.run("runs", status=1, HEADRACE_TOKEN="hr_" + "x" * 43)
    assert ended.stdout == "" and "headrace login" in ended.stderr
    as_json = json.loads(terminal.run("runs", "--json", status=1, HEADRACE_TOKEN="hr_" + "x" * 43).stderr)
    assert as_json["error"]["hint"].startswith("Run `headrace login`")
    away = terminal.run("runs", status=1, HEADRACE_URL="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 does not answer" in away.stderr and away.stdout == ""
    assert "may not see it" in terminal.run("runs", "-p", "elsewhere", status=1).stderr


def test_a_broken_file_is_told_by_its_name_and_line(terminal: Terminal) -> None:
    terminal.write("broken.csv", "a,b\n1,2\n3,4,5\n6,7\n")
    refused = terminal.run("dataset", "upload", "broken.csv", status=1)
    assert re.search(r"broken\.csv.*3", refused.stderr), refused.stderr
    problems = json.loads(terminal.run("dataset", "upload", "broken.csv", "--json", status=1).stderr)["error"]["problems"]
    assert problems and "broken.csv" in problems[0]["field"]
    assert [d["slug"] for d in terminal.json("dataset", "list")] == ["orders"], "nothing half-imported"
    terminal.write("[bold]more.csv", ROWS)  # what looks like markup is only a name
    assert terminal.json("dataset", "upload", "[bold]more.csv", "--name", "[/b] More")["status"] == "ready"
    assert "more" in terminal.run("dataset", "list").stdout
    version = terminal.json("dataset", "upload", "orders.csv", "--to", "orders", "--append")
    assert version["version"] == 2
    assert "--to" in terminal.run("dataset", "upload", "orders.csv", "--append", status=2).stderr


def test_a_pipeline_goes_out_and_in_unchanged(terminal: Terminal) -> None:
    made = terminal.json("pipeline", "import", "late.yaml")
    exported = terminal.json("pipeline", "export", made["slug"])
    text = terminal.run("pipeline", "export", made["slug"]).stdout
    assert text == exported["yaml"]
    again = json.loads(terminal.run("pipeline", "import", "-", "--json", given=text).stdout)
    assert again["slug"] != made["slug"] and terminal.json("pipeline", "export", again["slug"])["digest"] == exported["digest"]
    assert terminal.json("pipeline", "import", "late.yaml", "--to", made["slug"])["latest_version"] == 1, "the same graph, the same version"
    terminal.run("pipeline", "export", made["slug"], "--version", "1", "-o", "out.yaml")
    assert (terminal.folder / "out.yaml").read_text() == text
    terminal.write("bad.yaml", "headrace: pipeline/1\nsteps:\n  read:\n    component: [\n")
    assert re.search(r"line [45]", terminal.run("pipeline", "import", "bad.yaml", status=1).stderr)
    (terminal.folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in terminal.run("pipeline", "import", "bytes.yaml", status=1).stderr
    assert {made["slug"], again["slug"]} <= {p["slug"] for p in terminal.json("pipeline", "list")}
    assert "table-classification" in terminal.run("pipeline", "list", "--templates").stdout


def test_a_run_of_a_file_or_a_template_waits_and_its_exit_status_says_how_it_ended(terminal: Terminal, model: dict[str, Any]) -> None:
    assert (model["status"], model["name"], model["pipeline"]) == ("succeeded", "first", "late")
    assert next(s for s in model["step_runs"] if s["step"] == "train")["parameters"]["trees"] == 12
    again = terminal.json("run", "late.yaml", "--wait")
    assert again["pipeline"] == "late", "the next version of the same pipeline, not another one"
    template = terminal.run("run", "table-classification", "--set", "read.dataset=nowhere@1", status=1)
    assert "nowhere" in template.stderr
    refused = terminal.run("run", "late.yaml", "--set", "train.trees=many", status=1)
    assert "trees" in refused.stderr
    failed = terminal.run("run", "late.yaml", "--set", 'prepare.leave_out=["size", "colour"]', "--wait", status=1)
    assert "failed" in failed.stdout and "prepare: " in failed.stderr
    assert "step.parameter=value" in terminal.run("run", "late.yaml", "--set", "trees", status=2).stderr
    unknown = terminal.run("run", "no-such", status=1)
    assert "no template (" in unknown.stderr and "income" in unknown.stderr
    listed = terminal.json("runs", "--status", "succeeded")
    assert {model["number"], again["number"]} <= {r["number"] for r in listed}
    assert str(model["number"]) in terminal.run("runs").stdout


def test_a_dry_run_leaves_the_registry_alone_and_says_what_a_full_run_would_take(terminal: Terminal, model: dict[str, Any]) -> None:
    before = terminal.json("models")
    done = terminal.run("run", "late.yaml", "--set", "train.trees=11", "--dry-run", "--rows", "50", "--priority", "high", "--wait")
    assert "succeeded (dry run)" in " ".join(done.stdout.split()) and "On all of the data" in done.stdout
    assert terminal.json("models") == before, "a dry run registers nothing"
    number = str(terminal.json("runs", "--limit", "1")[0]["number"])
    shown = terminal.json("run", "show", number)
    assert (shown["priority"], shown["sample"]["rows"]) == ("high", 50)
    ends = {s["step"]: (s["status"], s["skip_reason"]) for s in shown["step_runs"]}
    assert ends["train"] == ("succeeded", "") and ends["register"] == ("skipped", "dry run")
    table = next(s for s in shown["step_runs"] if s["step"] == "read")["outputs"][0]["artifact"]
    assert table["metadata"]["rows"] == 50, "the source was cut"
    text = terminal.run("run", "show", number).stdout
    (everything,) = [d["item_count"] for d in terminal.json("dataset", "list") if d["slug"] == "orders"]
    assert "dry run" in text and re.search(rf"^read +{everything} ", text, re.MULTILINE), "the rows of a full run"


def test_a_run_that_waits_says_why(terminal: Terminal, model: dict[str, Any]) -> None:
    started = terminal.json("run", "late.yaml", "--set", "train.trees=5000", "--no-cache", "--name", "holds")
    number = str(started["number"])
    try:
        deadline = time.monotonic() + 60
        while not (waits := terminal.json("run", "show", number)["waits"]).get("register") and time.monotonic() < deadline:
            time.sleep(0.3)
        assert waits["register"].startswith("waits for “")
        assert terminal.json("run", "priority", number, "low")["priority"] == "low"
    finally:
        terminal.run("cancel", number)


def test_the_log_of_a_run_by_number_with_or_without_the_sign_or_by_id(terminal: Terminal, model: dict[str, Any]) -> None:
    number = str(model["number"])
    lines = [json.loads(line) for line in terminal.run("logs", number, "--json").stdout.splitlines()]
    assert lines and {"read", "train"} & {line["step"] for line in lines}
    plain = terminal.run("logs", f"#{number}", "-f").stdout
    assert len(plain.splitlines()) >= len(lines) and terminal.run("logs", model["id"]).stdout == plain
    longest = max((text for line in lines for text in line["text"].splitlines()), key=len)
    assert longest in plain, "a line is not folded when it is piped"
    assert all(
        line["step"] == "train" for line in map(json.loads, terminal.run("logs", number, "--step", "train", "--json").stdout.splitlines())
    )
    assert "There is no run" in terminal.run("logs", "99999", status=1).stderr
    assert terminal.run("logs", "not-an-id", status=1).stderr


def test_a_pipe_that_is_closed_early_is_no_error(terminal: Terminal, model: dict[str, Any]) -> None:
    headrace = f"{shlex.quote(sys.executable)} -m infra"
    command = f"{headrace} logs {model['number']} | head -1; {headrace} runs --json | head -1"
    done = subprocess.run(
        ["sh", "-c", command], check=True, cwd=terminal.folder, env=terminal.environment(), capture_output=True, text=True
    )
    assert len(done.stdout.splitlines()) == 2 and done.stderr == ""


def test_ctrl_c_while_waiting_leaves_the_run_and_cancel_stops_it(terminal: Terminal, model: dict[str, Any]) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "infra", "run", "late.yaml", "--set", "train.trees=5000", "--no-cache", "--name", "long", "--wait"],
        cwd=terminal.folder, env=terminal.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # Whoever runs the tests in the background may have switched SIGINT off for all below; a person's terminal has not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (found := [r for r in terminal.json("runs", "--limit", "3") if r["name"] == "long"]):
        assert time.monotonic() < end and waiting.poll() is None
    time.sleep(0.5)  # it has been answered and now waits
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate(timeout=30)
    number = str(found[0]["number"])
    assert waiting.returncode == 130 and f"headrace cancel {number}" in said and "Traceback" not in said
    assert terminal.json("cancel", f"#{number}")["number"] == found[0]["number"]
    terminal.run("logs", number, "-f")
    assert terminal.json("runs", "--limit", "3")[0]["status"] in ("cancelled", "succeeded")


def test_from_a_model_to_an_answer(terminal: Terminal, model: dict[str, Any]) -> None:
    found = terminal.json("models")
    assert [m["slug"] for m in found] == ["late"] and "late" in terminal.run("models").stdout
    assert "no" in terminal.run("deploy", "late@99", status=1).stderr
    endpoint = terminal.json("deploy", "late@1", "--endpoint", "door")
    assert (endpoint["slug"], endpoint["status"]) == ("door", "live")
    assert "door" in terminal.run("endpoints").stdout and terminal.json("endpoints")[0]["current"]["model_version"] == 1
    terminal.write("rows.json", '[{"size": 12.5, "colour": "red"}, {"size": 1.5, "colour": "blue"}]')
    answer = json.loads(terminal.run("predict", "door", "--json", "rows.json").stdout)
    assert [p["label"] for p in answer["predictions"]] == ["yes", "no"]
    piped = terminal.run("predict", "door", "-", given='{"size": 12.5, "colour": "red"}\n{"size": 1, "colour": "blue"}\n')
    assert len(json.loads(piped.stdout)["predictions"]) == 2
    terminal.write("wrong.json", '{"size": "huge", "colour": "red"}')
    refused = terminal.run("predict", "door", "--json", "wrong.json", status=1)
    assert "size" in refused.stderr and refused.stdout == ""
    assert "neither JSON nor JSON Lines" in terminal.run("predict", "door", "--json", "late.yaml", status=1).stderr
    with httpx.Client(base_url=terminal.url, headers={"Authorization": f"Bearer {terminal.token}"}, trust_env=False, timeout=60) as http:
        document = http.get("/api/v1/openapi.json").json()
        path = "/api/v1/projects/{project}/endpoints/{endpoint}/predict"
        case = schemathesis.openapi.from_dict(document)[path]["POST"]
        case.validate_response(http.post(path.format(project="quay", endpoint="door"), json={"instances": [{"size": 1, "colour": "red"}]}))


def test_triggers_from_a_file_are_listed_fired_switched_and_told(terminal: Terminal, model: dict[str, Any]) -> None:
    assert "headrace triggers create -f FILE" in terminal.run("triggers", "list").stdout
    terminal.write(
        "nightly.yaml",
        "name: Nightly\nkind: cron\npipeline: late\nconfig:\n  schedule: 0 6 * * 1-5\nparameters:\n  train:\n    trees: 12\n",
    )
    made = terminal.json("triggers", "create", "-f", "nightly.yaml")
    assert (made["slug"], made["enabled"], made["pipeline"]) == ("nightly", True, "late")
    hook = terminal.run("triggers", "create", "-f", "-", given='{"name": "Hook", "kind": "webhook", "pipeline": "late"}').stdout
    secret = re.search(r"^Secret +(\S+)$", hook, re.MULTILINE)
    assert (
        secret
        and "/hooks/" in hook
        and secret[1] not in terminal.run("triggers", "list").stdout + json.dumps(terminal.json("triggers", "list"))
    )
    listed = terminal.run("triggers", "list").stdout
    assert "nightly" in listed and "hook" in listed and "late" in listed

    fired = terminal.json("triggers", "fire", "nightly", "--data", '{"why": "by hand"}')
    assert fired["status"] == "started" and fired["run_number"]
    run = terminal.json("run", "show", str(fired["run_number"]))
    assert run["trigger"]["slug"] == "nightly" and run["pipeline"] == "late"
    terminal.run("logs", str(fired["run_number"]), "-f")
    again = terminal.json("triggers", "replay", "nightly", fired["id"])
    assert again["status"] == "started" and again["run_number"] > fired["run_number"]
    assert [e["id"] for e in terminal.json("triggers", "events", "nightly")] == [again["id"], fired["id"]]
    assert [e["id"] for e in terminal.json("triggers", "events", "nightly", "--limit", "1")] == [again["id"]]
    assert terminal.json("triggers", "events", "nightly", "--status", "failed") == []
    assert "Nothing has happened yet" in terminal.run("triggers", "events", "hook").stdout

    assert terminal.json("triggers", "disable", "nightly")["enabled"] is False
    assert " off " in terminal.run("triggers", "list").stdout
    assert terminal.json("triggers", "enable", "nightly")["enabled"] is True
    assert "this is not JSON" in terminal.run("triggers", "fire", "nightly", "--data", "{", status=2).stderr
    terminal.write("list.yaml", "- a\n")
    assert "list.yaml must hold an object" in terminal.run("triggers", "create", "-f", "list.yaml", status=1).stderr
    terminal.write("never.yaml", "name: Never\nkind: cron\npipeline: late\nconfig:\n  schedule: 0 25 * * *\n")
    assert "hour" in terminal.run("triggers", "create", "-f", "never.yaml", status=1).stderr
    assert "nowhere" in terminal.run("triggers", "events", "nowhere", status=1).stderr


def test_labels_go_out_and_in(terminal: Terminal) -> None:
    choices = '<Choice value="good"/><Choice value="bad"/>'
    xml = f'<View><Text name="shown" value="$colour"/><Choices name="mood" toName="shown">{choices}</Choices></View>'
    terminal.write("notes.csv", "colour\nred\ngreen\nblue\n")
    terminal.json("dataset", "upload", "notes.csv", "--name", "Notes")
    assert "No label schemas yet" in terminal.run("labels", "list").stdout
    with Client(terminal.url, terminal.token, "quay") as client:
        for name in ("Moods", "Again"):
            made = client.request("POST", "/projects/quay/label-schemas", json={"name": name, "dataset": "notes", "xml": xml})
            while client.request("GET", f"/projects/quay/label-schemas/{made['slug']}")["fill_status"] != "ready":
                time.sleep(0.2)
    terminal.write("moods.csv", "colour,mood\nred,good\ngreen,bad\nmauve,bad\nblue,awful\n")
    bring = ("labels", "import", "moods", "moods.csv", "--format", "csv")
    dry = terminal.run(*bring, "--dry-run")
    assert dry.stdout == "Would import 2 new, 0 changed, 0 unchanged; 1 not in the queue, 1 refused\n"
    assert "moods.csv, line 4: There is no item “mauve”" in dry.stderr and "“awful” is no choice" in dry.stderr
    assert terminal.json(*bring)["report"]["new"] == 2
    told = terminal.json("labels", "export", "moods", "--format", "jsonl")
    assert (told["annotations"], told["file"], told["lost"]) == (2, "moods-jsonl.jsonl", [])
    assert "Imported 2 new" in terminal.run("labels", "import", "again", "moods-jsonl.jsonl", "--format", "jsonl").stdout
    assert "0 new, 0 changed, 2 unchanged" in terminal.run("labels", "import", "again", "moods-jsonl.jsonl", "--format", "jsonl").stdout
    assert len(terminal.run("labels", "export", "again", "--format", "csv", "-o", "-").stdout.splitlines()) == 3
    terminal.write("torn.jsonl", '{"item": "1", "annotations": [}\n')
    torn = terminal.run("labels", "import", "moods", "torn.jsonl", "--format", "jsonl", status=1)
    assert "torn.jsonl, line 1" in torn.stderr and "Nothing was imported" in torn.stderr
    assert "coco" not in terminal.run("labels", "export", "moods", "--format", "coco", status=1).stderr.split("One of")[1]
    assert {s["slug"] for s in terminal.json("labels", "list")} == {"moods", "again"}


def test_embeddings_what_lies_near_and_labels_that_are_probably_wrong(terminal: Terminal) -> None:
    client = Client(terminal.url, terminal.token, "quay")
    schema = digits.asked(client)
    assert "headrace dataset embed scanned-digits" in terminal.run("dataset", "near", "scanned-digits", "seven", status=1).stderr
    assert "no embeddings yet" in terminal.run("labels", "errors", schema, status=1).stderr
    unknown = terminal.run("dataset", "embed", "scanned-digits", "--with", "colours", status=1).stderr
    assert "“colours” cannot embed images" in unknown and "picture_shapes" in unknown
    assert "--with" in terminal.run("dataset", "embed", "scanned-digits", "--column", "text", status=2).stderr

    space = terminal.json("dataset", "embed", "scanned-digits")
    assert (space["status"], space["done"], space["fresh"]) == ("ready", digits.DIGITS, digits.DIGITS)
    again = terminal.json("dataset", "embed", "scanned-digits")
    assert (again["id"], again["fresh"]) == (space["id"], 0), "what is there already is not computed again"

    item = client.request("GET", f"/projects/quay/label-schemas/{schema}/items")["items"][0]
    frozen = client.request("GET", "/projects/quay/datasets/scanned-digits/versions/1/items")["items"]
    (digest,) = [one["digest"] for one in frozen if one["key"] == item["key"]]
    found = terminal.json("dataset", "near", "scanned-digits", digest, "--limit", "5")
    assert len(found) == 5 and all(one["digest"] != digest for one in found)
    assert [one["distance"] for one in found] == sorted(one["distance"] for one in found)
    listed = terminal.run("dataset", "near", "scanned-digits", digest, "--space", space["id"]).stdout
    assert "DISTANCE" in listed and found[0]["key"] in listed
    assert "1<=x<=200" in terminal.run("dataset", "near", "scanned-digits", digest, "--limit", "0", status=2).stderr
    assert "not a valid UUID" in terminal.run("dataset", "near", "scanned-digits", digest, "--space", "none", status=2).stderr

    assert "items with a ground truth" in terminal.run("labels", "errors", schema, status=1).stderr
    wrong = digits.labelled(client, schema)
    doubts = terminal.json("labels", "errors", schema)
    assert doubts[0]["key"] == wrong and doubts[0]["suggested"] == digits.right(wrong)
    table = terminal.run("labels", "errors", schema).stdout
    assert all(word in table for word in (wrong, "PROBABLY", "Mira"))
    assert json.loads(terminal.run("labels", "errors", "nothing", "--json", status=1).stderr)["error"]["code"] == "not_found"
