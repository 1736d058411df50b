"""A claimed step of user-written code: its text from the run's snapshot, its limits from its form, its run in the sandbox.

Nothing of the text is ever run outside of it, and it is given no token. Where no sandbox can be had, the step fails and says what to
install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workers.engine import store as artifacts
from workers.engine.sandbox.limits import Limits
from workers.engine.sandbox.run import Sandboxed
from workers.engine.secrets import names_secrets
from workers.sdk.errors import ParameterError, StepError
from workers.sdk.graph.code import PREFIX, Code, limits_of, of_json, own
from workers.sdk.kinds import List

if TYPE_CHECKING:
    from workers.engine.ledger import Ledger
    from workers.engine.report import Report
    from workers.sdk.store import Store

Json = dict[str, Any]


def is_code(claim: Json) -> bool:
    """Whether the step's component is user-written."""
    return str(claim["component"]).startswith(PREFIX)


def code_of(ledger: Ledger, run: str, name: str) -> Code:
    """The code as the run holds it. Raises StepError."""
    found = ledger.code(run, name)
    if found is None:
        raise StepError(f"The run does not hold the code “{name}”.", hint="Start the run again.")
    return of_json(name, found)


def run(claim: Json, info: Json, ledger: Ledger, store: Store, report: Report, sandboxed: Sandboxed, deadline: float | None) -> list[Json]:
    """The records of its outputs. Raises as `Sandboxed.run`, and StepError where its form is not right."""
    code = code_of(ledger, claim["run"], claim["component"])
    if names_secrets(claim):
        raise StepError("Code steps get no secrets.", hint="Give the parameter a value of its own, or write a plug-in component.")
    if problems := code.problems(claim["parameters"]):
        raise ParameterError(code.title, [{"field": p["field"], "message": p["message"], "expected": p["expected"]} for p in problems])
    seconds, memory = limits_of(claim["parameters"])
    kinds = {port.name: port.kind for port in code.inputs}
    told = {
        **claim, "parameters": own(claim["parameters"]),
        "inputs": {port: _one_by_one(records, kinds.get(port), store) for port, records in claim["inputs"].items()},
    }  # fmt: skip
    limits = Limits(wall_s=seconds, cpu_s=max(1, int(seconds * 4)), memory=memory)
    return sandboxed.run(told, info, report, code.source, code.as_json()["outputs"], limits=limits, deadline=deadline)


def _one_by_one(records: list[Json], kind: str | None, store: Store) -> list[Json]:
    """What the shards of a mapped step gave, one by one, as every step gets it: the sandbox knows no lists."""
    return [one for record in records for one in (artifacts.items(record, store) if record["kind"] == List.kind != kind else [record])]
