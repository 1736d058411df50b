"""The one table of who may do what.

Every endpoint, socket subscription and file download names one action of this table; an action that
is not here cannot be named (a test walks every route × every role × a stranger). Roles are not a
ladder: an operator runs what an editor draws.
"""

from __future__ import annotations

from backend.core.models import Role

V, A, R, E, P, W = Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER, Role.EDITOR, Role.OPERATOR, Role.OWNER
EVERYONE = frozenset({V, A, R, E, P, W})
MAKERS = frozenset({E, P, W})

ACTIONS: dict[str, frozenset[str]] = {
    "project.read": EVERYONE,
    "project.update": frozenset({W}),
    "project.archive": frozenset({W}),
    "member.read": EVERYONE,
    "member.manage": frozenset({W}),
    "audit.read": frozenset({P, W}),
    "event.read": EVERYONE,
    "artifact.read": EVERYONE,
    "dataset.read": EVERYONE,
    "dataset.write": MAKERS,
    "dataset.delete": MAKERS,
    "label.read": EVERYONE,
    "label.annotate": frozenset({A, R, E, P, W}),
    "label.review": frozenset({R, E, W}),
    "label.manage": MAKERS,
    "pipeline.read": EVERYONE,
    "pipeline.write": frozenset({E, W}),
    "pipeline.delete": frozenset({E, W}),
    "code.read": EVERYONE,
    "code.write": frozenset({E, W}),
    "run.read": EVERYONE,
    "run.start": MAKERS,
    "run.cancel": MAKERS,
    "run.priority": frozenset({P, W}),
    "run.decide": frozenset({R, E, P, W}),
    "secret.read": MAKERS,
    "secret.use": MAKERS,
    "secret.write": frozenset({W}),
    "demo.start": frozenset({W}),
    "trigger.read": EVERYONE,
    "trigger.write": MAKERS,
    "trigger.fire": MAKERS,
    "model.read": EVERYONE,
    "model.write": MAKERS,
    "endpoint.read": EVERYONE,
    "endpoint.predict": EVERYONE,
    "endpoint.deploy": frozenset({P, W}),
    "endpoint.delete": frozenset({P, W}),
}


def may(role: str | None, action: str) -> bool:
    """Whether `role` may do `action`; raises KeyError for an action that is not in the table."""
    return role in ACTIONS[action]
