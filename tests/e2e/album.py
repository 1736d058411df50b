"""Every page and dialog of the studio as a picture: which there are, and how one gets each to be shown.

A shot names the router's path that it shows; `uncovered` says which paths of the router no shot names, and a test refuses them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from infra.bootstrap.base import ROOT
from tests.e2e.acts import (
    Act,
    ask_about_a_mail,
    ask_for_a_link,
    audit_entry,
    choose,
    choose_step,
    drag_step,
    drop_scene,
    first_account,
    first_event,
    focus_canvas,
    invite,
    invited,
    keys,
    linked,
    more,
    new_token,
    odd_labels,
    open_disagreements,
    open_publish,
    pick,
    predict,
    press,
    refer,
    reset_with_an_old_link,
    search_palette,
    select_two_runs,
    server_away,
    sort_and_filter,
    suggested,
    switch_dry_run,
    then,
    tray_on_canvas,
    two_classes,
    upload_two,
    wire,
    wrong_password,
)
from tests.e2e.stage import INCOME, Stage

ROUTER = ROOT / "frontend" / "src" / "app" / "router.tsx"
LAYOUTS = {"/p/$project"}
"""Paths of the router that only frame other pages."""

P = "/p/{s.project}"
E = "/p/{s.empty}"
T = "/p/{s.tray}"
H = "/p/{s.held}"
S = f"{P}/labels/{{s.labels.pictures}}"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """`path` is filled from the stage (`{s.…}`); `act` is what a person does there before the picture; `as_` who looks."""

    name: str
    route: str
    path: str
    as_: Literal["owner", "viewer", "editor", "newcomer", "stranger"] = "owner"
    act: Act | None = None
    tall: bool = True
    """The whole page, not only what a screen shows of it: not for dialogs and the canvas, which fill the screen."""


def routes() -> set[str]:
    """The paths of the router, with the project's own ones below `/p/$project`."""
    text = ROUTER.read_text(encoding="utf-8")
    found = re.findall(r"getParentRoute: \(\) => (\w+),\s*path: '([^']+)'", text)
    return {(f"/p/$project{path}".rstrip("/") if parent == "project" else path) for parent, path in found} - LAYOUTS | {"/p/$project"}


def uncovered() -> set[str]:
    return routes() - {shot.route for shot in SHOTS}


OPEN_PALETTE = keys("Control+k")
CANVAS = f"{P}/pipelines/{INCOME}"


def _shots() -> list[Shot]:
    def shot(name: str, route: str, path: str, **more: object) -> Shot:
        return Shot(name=name, route=route, path=path, **more)  # type: ignore[arg-type]  # checked by the dataclass's readers

    own, project = "/settings", "/p/$project"
    dataset, pipeline = f"{project}/datasets/$dataset", f"{project}/pipelines/$pipeline"
    run, model, endpoint = f"{project}/runs/$run", f"{project}/models/$model", f"{project}/endpoints/$endpoint"
    settings = f"{project}/settings"
    labels, schema = f"{project}/labels", f"{project}/labels/$schema"
    return [
        shot("sign-in", "/sign-in", "/sign-in", as_="stranger"),
        shot("sign-in-wrong", "/sign-in", "/sign-in", as_="stranger", act=wrong_password),
        shot("sign-up-first", "/sign-up", "/sign-up", as_="stranger", act=first_account),
        shot("sign-up-closed", "/sign-up", "/sign-up", as_="stranger"),
        shot("forgotten", "/forgotten", "/forgotten", as_="stranger"),
        shot("forgotten-sent", "/forgotten", "/forgotten", as_="stranger", act=ask_for_a_link),
        shot("reset", "/reset/$token", "/reset/hr_x", as_="stranger"),
        shot("reset-expired", "/reset/$token", "/reset/hr_x", as_="stranger", act=reset_with_an_old_link),
        shot("link-expired", "/sign-in", "/link/hr_used", as_="stranger"),
        shot("invitation", "/invitations/$token", "/invitations/{s.invitation}", as_="stranger"),
        shot("invitation-other", "/invitations/$token", "/invitations/{s.invitation}", as_="viewer"),
        shot("invitation-expired", "/invitations/$token", "/invitations/hr_gone", as_="stranger"),
        shot("projects", "/", "/"),
        shot("projects-newcomer", "/", "/", as_="newcomer"),
        shot("project-new", "/", "/?new=true", tall=False),
        shot("own-settings", own, own),
        shot("own-token-new", own, own, act=press("New token"), tall=False),
        shot("own-token-made", own, own, act=new_token, tall=False),
        shot("own-token-revoke", own, own, act=press("Revoke"), tall=False),
        shot("no-page", "/", "/nowhere"),
        shot("no-page-stranger", "/", "/p/demo/nowhere/at/all", as_="stranger"),
        shot("no-project", project, "/p/none"),
        shot("no-dataset", dataset, f"{P}/datasets/none"),
        shot("no-pipeline", pipeline, f"{P}/pipelines/none"),
        shot("no-run", run, f"{P}/runs/00000000-0000-0000-0000-000000000000"),
        shot("no-model", model, f"{P}/models/none"),
        shot("no-trigger", f"{project}/triggers/$trigger", f"{P}/triggers/none"),
        shot("triggers", f"{project}/triggers", f"{P}/triggers"),
        shot("trigger", f"{project}/triggers/$trigger", f"{P}/triggers/{{s.trigger}}"),
        shot("trigger-event", f"{project}/triggers/$trigger", f"{P}/triggers/{{s.trigger}}", act=first_event, tall=False),
        shot("labels", labels, f"{P}/labels"),
        shot("labels-empty", labels, f"{E}/labels"),
        shot("labels-new", f"{labels}/new", f"{P}/labels/new?dataset=reviews", act=two_classes),
        shot("labels-progress", schema, S),
        shot("labels-items", schema, f"{S}?tab=items"),
        shot("labels-quality", schema, f"{P}/labels/{{s.crowd}}?tab=quality"),
        shot("labels-disagreements", schema, f"{P}/labels/{{s.crowd}}?tab=quality", act=open_disagreements, tall=False),
        shot("labels-quality-alone", schema, f"{P}/labels/{{s.labels.texts}}?tab=quality"),
        shot("labels-map", schema, f"{P}/labels/{{s.digits}}?tab=explore", act=press("Cluster 1", part=True)),
        shot("labels-similar", schema, f"{P}/labels/{{s.digits}}?tab=explore&view=similar&item={{s.digit}}"),
        shot("labels-errors", schema, f"{P}/labels/{{s.digits}}?tab=explore&view=errors"),
        shot("labels-duplicates", schema, f"{P}/labels/{{s.digits}}?tab=explore&view=duplicates"),
        shot("labels-embeddings", schema, f"{P}/labels/{{s.digits}}?tab=explore&view=embeddings"),
        shot("labels-not-embedded", schema, f"{S}?tab=explore"),
        shot("dataset-similar", f"{dataset}/similar", f"{P}/datasets/scanned-digits/similar"),
        shot("labels-learn", schema, f"{S}?tab=learn"),
        shot("labels-question", schema, f"{S}?tab=question"),
        shot("labels-assignments", schema, f"{S}?tab=assignments"),
        shot("labels-assign", schema, f"{S}?tab=assignments", act=press("Assign items"), tall=False),
        shot("labels-settings", schema, f"{S}?tab=settings"),
        shot("labels-export", schema, S, act=then(more("Export labels"), pick("Format", "COCO")), tall=False),
        shot("labels-import", schema, S, act=more("Import labels"), tall=False),
        shot("labels-suggest", schema, S, act=more("Suggestions by a model"), tall=False),
        shot("labels-not-linked", schema, f"{P}/labels/{{s.labels.texts}}?tab=sync"),
        shot("labels-link", schema, f"{P}/labels/{{s.labels.texts}}?tab=sync", act=press("Link with Label Studio"), tall=False),
        shot("labels-linked", schema, f"{P}/labels/{{s.labels.texts}}?tab=sync", act=linked()),
        shot(
            "labels-syncing",
            schema,
            f"{S}?tab=sync",
            act=linked(status="running", phase="bringing files", done=310, total=1840, conflicts=[]),
        ),
        shot(
            "labels-sync-failed",
            schema,
            f"{S}?tab=sync",
            act=linked(
                status="failed",
                message="The server does not accept the token. Take a new one from your account there, and change the link.",
            ),
        ),
        shot("labels-import-report", schema, S, act=then(more("Import labels"), odd_labels), tall=False),
        shot("label-picture", f"{schema}/label", f"{S}/label?item={{s.labels.item}}", tall=False),
        shot("label-suggested", f"{schema}/label", f"{P}/labels/{{s.digits}}/label", act=suggested, tall=False),
        shot("labels-opening", schema, f"{P}/labels/{{s.digits}}", act=more("Suggestions by a model"), tall=False),
        shot("label-text", f"{schema}/label", f"{P}/labels/{{s.labels.texts}}/label", tall=False),
        shot("label-sound", f"{schema}/label", f"{P}/labels/{{s.labels.sounds}}/label", tall=False),
        shot("label-video", f"{schema}/label", f"{P}/labels/{{s.labels.films}}/label", tall=False),
        shot("label-skip", f"{schema}/label", f"{S}/label", act=press("Skip"), tall=False),
        shot("label-comments", f"{schema}/label", f"{S}/label?item={{s.labels.item}}", act=press("Comments", part=True), tall=False),
        shot("label-review", f"{schema}/review", f"{S}/review", as_="editor", tall=False),
        shot("label-item", f"{schema}/items/$item", f"{S}/items/{{s.labels.item}}"),
        shot("workers", f"{project}/workers", f"{P}/workers"),
        shot("workers-viewer", f"{project}/workers", f"{P}/workers", as_="viewer"),
        shot("workers-join", f"{project}/workers", f"{P}/workers", act=press("Add a host"), tall=False),
        shot("workers-joined", f"{project}/workers", f"{P}/workers", act=then(press("Add a host"), press("Make the command")), tall=False),
        shot("triggers-new", f"{project}/triggers", f"{P}/triggers", act=press("New trigger"), tall=False),
        shot("triggers-empty", f"{project}/triggers", f"{E}/triggers"),
        shot("approvals-empty", f"{project}/approvals", f"{P}/approvals"),
        shot("approvals", f"{project}/approvals", f"{H}/approvals"),
        shot("no-endpoint", endpoint, f"{P}/endpoints/none"),
        shot("overview", project, P),
        shot("overview-empty", project, E),
        shot("overview-viewer", project, P, as_="viewer"),
        shot("menu-user", project, P, act=press("Your account", part=True), tall=False),
        shot("palette", project, P, act=OPEN_PALETTE, tall=False),
        shot("palette-search", project, P, act=then(OPEN_PALETTE, keys(typed="inc")), tall=False),
        shot("shortcuts", project, P, act=keys("?"), tall=False),
        shot("away", project, P, act=server_away, tall=False),
        shot("datasets", f"{project}/datasets", f"{P}/datasets"),
        shot("datasets-empty", f"{project}/datasets", f"{E}/datasets"),
        shot("datasets-viewer", f"{project}/datasets", f"{P}/datasets", as_="viewer"),
        shot("uploads", f"{project}/datasets", f"{T}/datasets", act=upload_two, tall=False),
        shot("upload-problems", f"{project}/datasets", f"{T}/datasets", act=then(upload_two, press("What was wrong")), tall=False),
        shot("dataset-table", dataset, f"{P}/datasets/{{s.first[table]}}"),
        shot("dataset-column", dataset, f"{P}/datasets/{{s.first[table]}}", act=sort_and_filter, tall=False),
        shot("dataset-profile", dataset, f"{P}/datasets/{{s.first[table]}}?tab=profile"),
        shot("dataset-about", dataset, f"{P}/datasets/{{s.first[table]}}?tab=about"),
        shot("dataset-images", dataset, f"{P}/datasets/{{s.first[image]}}", tall=False),
        shot("dataset-images-profile", dataset, f"{P}/datasets/{{s.first[image]}}?tab=profile"),
        shot("dataset-sounds", dataset, f"{P}/datasets/harbour-calls", tall=False),
        shot("dataset-sounds-profile", dataset, f"{P}/datasets/harbour-calls?tab=profile"),
        shot("dataset-compare", f"{dataset}/compare", f"{P}/datasets/{{s.versions}}/compare"),
        shot("dataset-compare-table", f"{dataset}/compare", f"{P}/datasets/readings/compare"),
        shot("dataset-draft", dataset, f"{P}/datasets/late-customers"),
        shot("dataset-freeze", dataset, f"{P}/datasets/late-customers", act=press("Freeze"), tall=False),
        shot("pipelines", f"{project}/pipelines", f"{P}/pipelines"),
        shot("pipelines-empty", f"{project}/pipelines", f"{E}/pipelines"),
        shot("pipeline-new", f"{project}/pipelines", f"{P}/pipelines", act=press("New pipeline"), tall=False),
        shot("canvas", pipeline, CANVAS, tall=False),
        shot("canvas-empty", pipeline, f"{P}/pipelines/blank-sheet", tall=False),
        shot("canvas-viewer", pipeline, CANVAS, as_="viewer", tall=False),
        shot("canvas-version", pipeline, f"{CANVAS}?version=1", tall=False),
        shot("canvas-step", pipeline, CANVAS, act=choose_step, tall=False),
        shot("canvas-problems", pipeline, f"{P}/pipelines/half-drawn", act=press("problems?$", part=True), tall=False),
        shot("canvas-run", pipeline, CANVAS, act=press("Run"), tall=False),
        shot("canvas-dry", pipeline, CANVAS, act=then(press("Run"), switch_dry_run), tall=False),
        shot("canvas-pinned", pipeline, f"{H}/pipelines/pinned", act=choose("Split rows"), tall=False),
        shot("canvas-needs", pipeline, f"{H}/pipelines/pinned", act=then(choose("Train"), press("Running", "tab")), tall=False),
        shot("canvas-secret", pipeline, f"{H}/pipelines/pinned", act=then(choose("Register"), refer), tall=False),
        shot("canvas-inside", pipeline, f"{H}/pipelines/clean-split-and-prepare", tall=False),
        shot("canvas-more", pipeline, CANVAS, act=press("More"), tall=False),
        shot(
            "canvas-yaml",
            pipeline,
            CANVAS,
            act=more("YAML"),
            tall=False,
        ),
        shot("canvas-publish", pipeline, f"{P}/pipelines/half-drawn", act=then(keys("Control+Shift+p"), open_publish), tall=False),
        shot(
            "canvas-compare",
            pipeline,
            CANVAS,
            act=more("Compare"),
            tall=False,
        ),
        shot("canvas-search", pipeline, CANVAS, act=then(focus_canvas, keys("/"), keys(typed="train")), tall=False),
        shot("canvas-palette", pipeline, CANVAS, act=search_palette, tall=False),
        shot("canvas-drag", pipeline, CANVAS, act=drag_step, tall=False),
        shot("canvas-wire", pipeline, CANVAS, act=wire, tall=False),
        shot("canvas-uploads", pipeline, f"{T}/datasets", act=tray_on_canvas, tall=False),
        shot("templates", f"{project}/templates", f"{P}/templates"),
        shot("template-use", f"{project}/templates", f"{P}/templates", act=press("^Use", part=True), tall=False),
        shot("runs", f"{project}/runs", f"{P}/runs"),
        shot("runs-empty", f"{project}/runs", f"{E}/runs"),
        shot("runs-chosen", f"{project}/runs", f"{P}/runs", act=select_two_runs, tall=False),
        shot("runs-compare", f"{project}/runs/compare", f"{P}/runs/compare?ids={{s.runs[bikes]}},{{s.runs[income]}}"),
        shot("run-table", run, f"{P}/runs/{{s.runs[income]}}"),
        shot("run-charts", run, f"{P}/runs/{{s.runs[digits]}}?tab=charts"),
        shot("run-images", run, f"{P}/runs/{{s.runs[digits]}}?tab=artifacts"),
        shot("run-boxes", run, f"{P}/runs/{{s.runs[scenes]}}?tab=artifacts"),
        shot("run-spans", run, f"{P}/runs/{{s.runs[mentions]}}?tab=artifacts"),
        shot("run-logs", run, f"{P}/runs/{{s.runs[income]}}?tab=logs"),
        shot("run-timeline", run, f"{P}/runs/{{s.runs[income]}}?tab=timeline"),
        shot("run-failed", run, f"{P}/runs/{{s.runs[failed]}}"),
        shot("run-cancelled", run, f"{P}/runs/{{s.runs[cancelled]}}"),
        shot("run-running", run, f"{P}/runs/{{s.runs[running]}}"),
        shot("run-cancel", run, f"{P}/runs/{{s.runs[running]}}", act=press("Cancel"), tall=False),
        shot("run-waits", run, f"{H}/runs/{{s.runs[waiting]}}"),
        shot("run-waits-step", run, f"{H}/runs/{{s.runs[waiting]}}?step=split"),
        shot("run-priority", run, f"{H}/runs/{{s.runs[waiting]}}", act=press("^Priority", part=True), tall=False),
        shot("run-asks", run, f"{H}/runs/{{s.runs[asking]}}"),
        shot("run-forecast", run, f"{H}/runs/{{s.runs[dry]}}?tab=forecast"),
        shot("run-inside", run, f"{H}/runs/{{s.runs[inside]}}?inside=ready"),
        shot("run-shards", run, f"{H}/runs/{{s.runs[shards]}}?step=clean"),
        shot("run-undone", run, f"{H}/runs/{{s.runs[undone]}}"),
        shot("run-continue", run, f"{H}/runs/{{s.runs[undone]}}", act=press("Continue…"), tall=False),
        shot("run-again", run, f"{P}/runs/{{s.runs[income]}}", act=press("Run again…"), tall=False),
        shot("models", f"{project}/models", f"{P}/models"),
        shot("models-empty", f"{project}/models", f"{E}/models"),
        shot("model", model, f"{P}/models/{{s.first[model]}}"),
        shot("model-versions", model, f"{P}/models/bike-rentals"),
        shot("model-boxes", model, f"{P}/models/digit-detector"),
        shot("model-spans", model, f"{P}/models/mentions"),
        shot("model-card", model, f"{P}/models/{{s.first[model]}}?tab=card"),
        shot("model-lineage", model, f"{P}/models/{{s.first[model]}}?tab=lineage"),
        shot("model-schema", model, f"{P}/models/{{s.first[model]}}?tab=schema"),
        shot("endpoints", f"{project}/endpoints", f"{P}/endpoints"),
        shot("endpoints-empty", f"{project}/endpoints", f"{E}/endpoints"),
        shot("endpoint-deploy", f"{project}/endpoints", f"{P}/endpoints", act=press("Deploy", part=True), tall=False),
        shot("endpoint", endpoint, f"{P}/endpoints/{{s.first[endpoint]}}"),
        shot("endpoint-answer", endpoint, f"{P}/endpoints/{{s.first[endpoint]}}", act=predict),
        shot("endpoint-image", endpoint, f"{P}/endpoints/digits"),
        shot("endpoint-boxes", endpoint, f"{P}/endpoints/scenes", act=drop_scene),
        shot("endpoint-spans", endpoint, f"{P}/endpoints/mentions", act=ask_about_a_mail),
        shot("endpoint-history", endpoint, f"{P}/endpoints/bikes"),
        shot("endpoint-viewer", endpoint, f"{P}/endpoints/bikes", as_="viewer"),
        shot("endpoint-delete", endpoint, f"{P}/endpoints/bikes", act=press("Delete", part=True), tall=False),
        shot("settings", settings, f"{P}/settings"),
        shot("settings-limits", settings, f"{H}/settings"),
        shot("secrets", settings, f"{H}/settings?tab=secrets"),
        shot("secret-new", settings, f"{H}/settings?tab=secrets", act=press("New secret"), tall=False),
        shot("settings-archive", settings, f"{P}/settings", act=press("Archive this project…"), tall=False),
        shot("settings-viewer", settings, f"{P}/settings", as_="viewer"),
        shot("members", settings, f"{P}/settings?tab=members"),
        shot("members-viewer", settings, f"{P}/settings?tab=members", as_="viewer"),
        shot("member-role", settings, f"{P}/settings?tab=members", act=press("Role of", "combobox", part=True), tall=False),
        shot("member-invite", settings, f"{P}/settings?tab=members", act=invite, tall=False),
        shot("member-invited", settings, f"{P}/settings?tab=members", act=invited, tall=False),
        shot("member-remove", settings, f"{P}/settings?tab=members", act=press("Remove"), tall=False),
        shot("audit", settings, f"{P}/settings?tab=audit"),
        shot("audit-entry", settings, f"{P}/settings?tab=audit", act=audit_entry, tall=False),
        shot("audit-viewer", settings, f"{P}/settings?tab=audit", as_="viewer"),
    ]


SHOTS = _shots()


def address(shot: Shot, stage: Stage) -> str:
    return shot.path.format(s=stage)
