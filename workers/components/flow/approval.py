"""Wait for a person."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict

from workers.sdk.component import component
from workers.sdk.kinds import Artifact, Figures, Metrics, Values


class Answer(NamedTuple):
    approved: Annotated[Artifact | None, Field(title="If approved", description="What arrived, where somebody approved it.")]
    rejected: Annotated[Artifact | None, Field(title="If rejected", description="What arrived, where somebody rejected it.")]
    values: Annotated[Values | None, Field(title="Filled in", description="The values that the person filled in or corrected.")]


class Asked(TypedDict):
    name: Annotated[str, Field(title="Name", description="How later steps name the value.", pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    type: Annotated[Literal["number", "text", "yes or no"], Field(title="Type", description="What is filled in.")]
    value: Annotated[str, Field(title="To begin with", description="What the form shows at first.", max_length=200)]


@component(resources="io", cacheable=False, changes=True, passes={"approved": "value", "rejected": "value"})
def approval(
    value: Annotated[Artifact, Field(title="What it is about", description="Anything: it leaves unchanged when somebody has decided.")],
    metrics: Annotated[Metrics | None, Field(description="Numbers to show beside the question.")] = None,
    figures: Annotated[Figures | None, Field(description="Charts to show beside the question.")] = None,
    *,
    question: Annotated[str, Field(description="What the person is asked.", min_length=1, max_length=500)] = "May this go on?",
    role: Annotated[
        Literal["reviewer", "editor", "operator", "owner"],
        Field(title="Who may decide", description="Members with this role or a higher one."),
    ] = "operator",
    people: Annotated[
        list[str], Field(title="Only these people", description="E-mail addresses; empty: everybody with the role.", max_length=50)
    ] = [],
    fields: Annotated[
        list[Asked], Field(title="Values to fill in", description="Shown as a form; later steps can use them.", max_length=30)
    ] = [],
    deadline_hours: Annotated[
        float, Field(title="Deadline (hours)", description="After so long the default below is taken; 0 waits for ever.", ge=0, le=8760)
    ] = 0,
    at_deadline: Annotated[
        Literal["approve", "reject", "fail"], Field(title="At the deadline", description="What happens when nobody has decided by then.")
    ] = "reject",
) -> Answer:
    """Ask a person

    Stops here until somebody approves, rejects or corrects values; who may is asked in their inbox and by mail. Waiting costs no worker,
    survives restarts, and what has been decided by whom is kept. The steps after “If approved” or “If rejected” run accordingly.
    """
    from workers.sdk import context
    from workers.sdk.errors import StepError

    step = context.current()
    asked = {
        "question": question,
        "role": role,
        "people": people,
        "fields": fields,
        "at_deadline": at_deadline,
        "about": {"kind": value.kind, "digest": value.digest},
        "metrics": metrics.json() if metrics is not None else None,
        "figures": figures.digest if figures is not None else None,
    }
    answer = step.ask(asked, hours=deadline_hours)
    if answer.get("late"):
        if at_deadline == "fail":
            raise StepError(f"Nobody decided within {deadline_hours:g} hours.", hint="Ask again by running the step again.")
        answer = {"answer": at_deadline, "name": "the deadline", "values": {}}
    step.log(f"{answer['answer']} by {answer.get('name') or 'somebody'}" + (f": {answer['comment']}" if answer.get("comment") else ""))
    given = {one["name"]: first(one) for one in fields} | dict(answer.get("values") or {})
    approved = answer["answer"] == "approve"
    return Answer(approved=value if approved else None, rejected=None if approved else value, values=Values.of(given) if fields else None)


def first(asked: Asked) -> float | str | bool:
    """The value that the form shows at first."""
    if asked["type"] == "number":
        try:
            return float(asked["value"] or 0)
        except ValueError:
            return 0.0
    return asked["value"].strip().lower() in ("yes", "true", "1") if asked["type"] == "yes or no" else asked["value"]
