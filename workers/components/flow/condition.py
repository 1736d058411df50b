"""Send what arrives one way or the other."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from workers.sdk.component import component
from workers.sdk.kinds import Artifact, Metrics, Values


class Branches(NamedTuple):
    then: Annotated[Artifact | None, Field(title="If true", description="What arrived, where the condition is true.")]
    otherwise: Annotated[Artifact | None, Field(title="If not", description="What arrived, where the condition is not true.")]


@component(resources="io", passes={"then": "value", "otherwise": "value"})
def condition(
    value: Annotated[Artifact, Field(title="What goes on", description="Anything: it leaves unchanged by one of the two outputs.")],
    metrics: Annotated[Metrics | None, Field(description="Numbers that the condition may name.")] = None,
    values: Annotated[Values | None, Field(description="Values that the condition may name.")] = None,
    *,
    when: Annotated[
        str,
        Field(
            title="Condition",
            description="Over the names of the metrics and values that are connected, such as accuracy > 0.9.",
            min_length=1,
            max_length=4000,
        ),
    ],
) -> Branches:
    """Condition

    Hands what arrives to one of two branches: the steps after “If true” run where the condition is true, those after “If not” where it
    is not. The other branch is passed over; where both meet again (an input that takes several wires) the run goes on with what came.

    The condition names the metrics and values that are connected; if the thing itself is Metrics or Values, its names too. Of a table
    `rows` is known.
    """
    from workers.sdk import context
    from workers.sdk.condition import Plain, holds, plain_values
    from workers.sdk.kinds import Images, Table

    known: dict[str, Plain] = {}
    for one in (value, metrics, values):
        if isinstance(one, Metrics | Values):
            known |= plain_values(one.json())
        elif isinstance(one, Table):
            known["rows"] = one.rows
        elif isinstance(one, Images):
            known["count"] = one.count
    true = holds(when, known, "when")
    context.current().log(f"{when}: {'true' if true else 'not true'} ({', '.join(f'{k} = {v}' for k, v in list(known.items())[:20])})")
    return Branches(then=value if true else None, otherwise=None if true else value)
