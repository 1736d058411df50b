"""Steps that hand their work to others: mapped over shards, repeated round after round, pipelines used as a step.

Such a step is claimed like any other; `begin` says which steps it makes, `go_on` (when these have ended) what comes of them. It runs
nothing itself and holds no worker meanwhile. What is not said here is the ledger's: order, limits, reuse, cancelling.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workers import catalog
from workers.engine import code
from workers.engine import store as artifacts
from workers.engine.ledger import Ledger
from workers.engine.report import Report
from workers.sdk import context
from workers.sdk.condition import holds, numbers
from workers.sdk.errors import StepError
from workers.sdk.graph import plan
from workers.sdk.graph.nested import INPUT, OUTPUT, PREFIX, Nested, of_json
from workers.sdk.graph.parameters import substitute
from workers.sdk.graph.skip import unsafe
from workers.sdk.kinds import List

if TYPE_CHECKING:
    from workers.sdk.store import Store

Json = dict[str, Any]
DONE = ("succeeded", "skipped")


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What `ledger_suspend` takes."""

    state: Json
    children: list[Json] = field(default_factory=list)
    inputs: list[Json] = field(default_factory=list)
    at_once: int = 2**31 - 1


def hands_over(claim: Json) -> bool:
    """Whether this step makes others instead of running itself."""
    return bool(_flow(claim, "map") or _flow(claim, "repeat")) or claim["component"].startswith(PREFIX)


def control(claim: Json, ledger: Ledger, store: Store, report: Report, *, dry: bool = False) -> HandOver | list[Json]:
    """The steps to wait for, or the outputs once these have ended. Raises StepError where they failed."""
    if _flow(claim, "map"):
        return _gather(claim, ledger, store) if claim["state"] else _scatter(claim, ledger, store)
    if _flow(claim, "repeat"):
        return _again(claim, ledger, store, report) if claim["state"] else _round(claim, 1, {})
    return _close(claim, ledger) if claim["state"] else _open(claim, ledger, report, dry)


def _flow(claim: Json, part: str) -> Any:
    return (claim.get("flow") or {}).get(part)


def _kept(claim: Json) -> Json | None:
    """The part of `flow` that holds for each shard or round too."""
    return {"retry_on": _flow(claim, "retry_on")} if _flow(claim, "retry_on") else None


# Scatter and gather


def _scatter(claim: Json, ledger: Ledger, store: Store) -> HandOver | list[Json]:
    spec = _flow(claim, "map")
    if "values" in spec:
        shards: list[Json] = [{"parameters": {**claim["parameters"], **one}} for one in spec["values"]]
    else:
        port = spec["port"]
        records = claim["inputs"].get(port) or []
        if not records:
            raise StepError(f"Nothing arrives at “{port}”, so there is nothing to map over.", hint="Connect it.", field=port)
        if len(records) == 1 and records[0]["kind"] == List.kind:
            records = artifacts.items(records[0], store)
        elif len(records) == 1 and records[0]["kind"] in ("Table", "Images"):
            records = _cut(records[0], spec.get("size"), store)
        shards = [{"given": {port: [record]}} for record in records]
    if not shards:
        return _lists(claim, [], ledger, store)
    children = [
        {"id": str(uuid.uuid4()), "step": f"{claim['step']}[{n}]", "shard": n, "flow": _kept(claim), **one} for n, one in enumerate(shards)
    ]
    return HandOver(state={"shards": len(children)}, children=children, at_once=spec.get("at_once") or 2**31 - 1)


def _cut(record: Json, size: int | None, store: Store) -> list[Json]:
    """A table (or list of images) as shards of `size` rows; eight equal ones where no size is said."""
    import pyarrow.parquet as pq

    from workers.sdk.graph.flow import MOST_SHARDS

    kinds = catalog.load().kinds
    handle: Any = artifacts.load(record, kinds, store)
    rows = pq.read_metadata(handle.file()).num_rows
    size = size or max(1, -(-rows // 8))
    if -(-rows // size) > MOST_SHARDS:
        raise StepError(
            f"{rows:,} rows in shards of {size:,} are {-(-rows // size):,} shards; at most {MOST_SHARDS:,} are allowed.",
            hint=f"Make the shards at least {-(-rows // MOST_SHARDS):,} rows.", field="size",
        )  # fmt: skip
    whole = handle.arrow()
    made = []
    for start in range(0, rows, size):
        part = type(handle).from_arrow(whole.slice(start, size), like=handle)
        made.append(artifacts.save("shard", part, store, {}, context.current().folder))
    return [{k: v for k, v in one.items() if k != "port"} for one in made]


def _gather(claim: Json, ledger: Ledger, store: Store) -> list[Json]:
    children = ledger.children(claim["id"])
    good = [c for c in children if c["status"] in DONE]
    policy = _flow(claim, "map").get("policy", "all")
    wanted = len(children) if policy == "all" else 1 if policy == "any" else int(policy)
    if len(good) < wanted:
        bad = [c for c in children if c["status"] not in DONE]
        short = f"{len(bad)} of {len(children)} shards failed."
        if policy != "all":
            short = f"{len(good)} of {len(children)} shards succeeded, {wanted} are needed."
        reason = f" Shard {bad[0]['shard']}: {(bad[0]['error'] or {}).get('message', '')}" if bad else ""
        raise StepError(
            short + reason,
            hint="Mend the cause and continue the run: the shards that succeeded are taken over, only the others run again.",
        )
    return _lists(claim, good, ledger, store)


def _lists(claim: Json, children: list[Json], ledger: Ledger, store: Store) -> list[Json]:
    ports: dict[str, list[Json]] = {}
    for child in children:
        for port, record in child["outputs"].items():
            ports.setdefault(port, []).append(record)
    known: Any = catalog.load().components.get(claim["component"])
    if code.is_code(claim):
        known = code.code_of(ledger, claim["run"], claim["component"])
    for port in known.outputs if known is not None else ():
        if port.required:
            ports.setdefault(port.name, [])
    return [artifacts.save_list(port, records, records[0]["kind"] if records else "Artifact", store) for port, records in ports.items()]


# Rounds


def _round(claim: Json, number: int, given: Json) -> HandOver:
    child = {"id": str(uuid.uuid4()), "step": f"{claim['step']}[{number}]", "shard": number, "given": given or None, "flow": _kept(claim)}
    return HandOver(state={"round": number, "given": given}, children=[child])


def _again(claim: Json, ledger: Ledger, store: Store, report: Report) -> HandOver | list[Json]:
    spec, number = _flow(claim, "repeat"), claim["state"]["round"]
    (child,) = ledger.children(claim["id"], number)
    if child["status"] not in DONE:
        error = child["error"] or {}
        raise StepError(f"Round {number} failed: {error.get('message', '')}", hint=error.get("hint", ""))
    outputs: Json = child["outputs"]
    values = {"round": float(number), **_numbers(outputs, store)}
    told = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if name != "round")
    report.lines("log", [f"Round {number}" + (f": {told}" if told else "")], "info")
    for name, value in values.items():
        if name != "round":
            report.metric(name, value, number)
    if number >= spec["at_most"] or (spec.get("until") and holds(spec["until"], values, "repeat")):
        return [{**record, "port": port} for port, record in outputs.items()]
    given = dict(claim["state"]["given"] or {})
    for port, output in (spec.get("carry") or {}).items():
        if output not in outputs:
            raise StepError(f"Round {number} gave nothing at “{output}”, which the next round takes at “{port}”.", field="repeat")
        given[port] = [outputs[output]]
    return _round(claim, number + 1, given)


def _numbers(outputs: Json, store: Store) -> dict[str, float]:
    """The numbers of a step's outputs of kind Metrics and Values, by name."""
    found: dict[str, float] = {}
    for record in outputs.values():
        if record["kind"] in ("Metrics", "Values"):
            handle = artifacts.load(record, catalog.load().kinds, store)
            found |= numbers(handle.json())
    return found


# Pipelines as steps


def _open(claim: Json, ledger: Ledger, report: Report, dry: bool) -> HandOver | list[Json]:
    name = claim["component"]
    found = ledger.pipeline(claim["run"], name)
    if found is None:
        raise StepError(f"The run does not hold the pipeline “{name}”.", hint="Start the run again.")
    nested = of_json(name, found)
    graph, given, passed = _inside(nested, claim)
    inner = {ref: of_json(ref, one) for ref in {s["component"] for s in graph["steps"].values()} if ref.startswith(PREFIX)
             if (one := ledger.pipeline(claim["run"], ref)) is not None}  # fmt: skip
    written = {ref: code.code_of(ledger, claim["run"], ref) for ref in {s["component"] for s in graph["steps"].values()}
               if ref.startswith(code.PREFIX)}  # fmt: skip
    components = {**catalog.load().components, **inner, **written}
    if missing := [s["component"] for s in graph["steps"].values() if s["component"] not in components]:
        raise StepError(f"This worker has no component “{missing[0]}”.", hint="Install the plug-in that brings it on every worker.")
    if dry and (left := unsafe(graph, components)):
        report.lines("log", [f"Left out of this dry run: {', '.join(sorted(left))}."], "info")
        kept = {key: step for key, step in graph["steps"].items() if key not in left}
        for step in kept.values():
            step["inputs"] = {port: [ref for ref in refs if ref["step"] not in left] for port, refs in step["inputs"].items()}
        graph = {"steps": kept}
    steps, inputs = plan(graph, components, uuid.uuid4)
    outputs = {}
    for step in nested.graph["steps"].values():
        if step["component"] == OUTPUT and (wires := step["inputs"].get("value")):
            outputs[str(step["parameters"].get("name"))] = [wires[0]["step"], wires[0]["output"]]
    state = {"outputs": outputs, "passed": passed}
    if not steps:
        return [{**record, "port": port} for port, (key, _) in outputs.items() for record in passed.get(key, [])[:1]]
    names = ("id", "component", "component_version", "queue", "parameters", "max_attempts", "timeout_s", "cacheable", "flow", "needs")
    children = [{**{n: s[n] for n in names}, "step": f"{claim['step']}.{s['step']}", "given": given.get(s["step"])} for s in steps]
    return HandOver(state=state, children=children, inputs=inputs)


def _inside(nested: Nested, claim: Json) -> tuple[Json, dict[str, Json], dict[str, list[Json]]]:
    """(the graph to run, what each of its steps is given, what each input step stands for). Inputs that something arrives at are
    replaced by it, with the steps that only led to them; outputs are read off and not run."""
    graph = substitute(nested.graph, claim["parameters"])
    steps: Json = graph["steps"]
    passed = {
        key: records
        for key, step in steps.items()
        if step["component"] == INPUT and (records := claim["inputs"].get(str(step["parameters"].get("name"))))
    }
    gone = set(passed) | {key for key, step in steps.items() if step["component"] == OUTPUT}
    followers: dict[str, set[str]] = {key: set() for key in steps}
    for key, step in steps.items():
        for refs in step["inputs"].values():
            for ref in refs:
                followers[ref["step"]].add(key)
    while more := {key for key, after in followers.items() if key not in gone and after and after <= (gone - _outputs(steps))}:
        gone |= more
    given: dict[str, Json] = {}
    kept: Json = {}
    for key, step in steps.items():
        if key in gone:
            continue
        wires: Json = {}
        for port, refs in step["inputs"].items():
            arrives = [record for ref in refs if ref["step"] in passed for record in passed[ref["step"]]]
            if arrives:
                given.setdefault(key, {})[port] = arrives
            if rest := [ref for ref in refs if ref["step"] not in gone]:
                wires[port] = rest
        kept[key] = {**step, "inputs": wires}
    return {"steps": kept}, given, passed


def _outputs(steps: Json) -> set[str]:
    return {key for key, step in steps.items() if step["component"] == OUTPUT}


def _close(claim: Json, ledger: Ledger) -> list[Json]:
    children = {c["step"].removeprefix(claim["step"] + "."): c for c in ledger.children(claim["id"])}
    if failed := [c for c in children.values() if c["status"] == "failed"]:
        error = failed[0]["error"] or {}
        raise StepError(f"“{failed[0]['step']}” failed: {error.get('message', '')}", hint=error.get("hint", ""))
    found = []
    for port, (key, output) in claim["state"]["outputs"].items():
        if key in claim["state"]["passed"]:
            record: Json | None = claim["state"]["passed"][key][0]
        else:
            record = children[key]["outputs"].get(output) if key in children else None
        if record is not None:
            found.append({**record, "port": port})
    return found
