"""A person's answer to a step that waits for one, and the mail that asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backend.core import mail
from backend.core.actions.audit import record
from backend.core.errors import InvalidInput
from backend.core.models import Membership, Role, User
from backend.runs.actions import ledger
from backend.runs.errors import NothingAsked, NotYoursToDecide
from backend.runs.models import StepRun

RANK = {role: place for place, role in enumerate((Role.REVIEWER, Role.EDITOR, Role.OPERATOR, Role.OWNER))}
TYPES = {"number": "a number", "text": "text", "yes or no": "true or false"}


def decide(step: StepRun, user: User, role: str, answer: str, values: Mapping[str, Any], comment: str) -> None:
    """Approve or reject. The first answer counts; a later one is told that nothing is asked any more."""
    question = (step.state or {}).get("question") or {}
    if step.status != "waiting":
        raise NothingAsked(step=step.step, status=step.status)
    if not may_decide(question, user.email, role):
        raise NotYoursToDecide(who=_who(question))
    given = _values(question, values)
    decision = {
        "by": str(user.pk), "name": user.name or user.email, "answer": answer, "values": given, "comment": comment, "late": False,
        "at": timezone.now().isoformat(),
    }  # fmt: skip
    with transaction.atomic():
        told = ledger.decide(step.pk, decision)
        if not told["ok"]:
            raise NothingAsked(step=step.step, status=told["status"])
        record(user, "run.decide", ("run", step.run_id, f"run {step.run.number}"), project=step.run.project, after=decision,
               details={"step": step.step, "question": question.get("question", ""), "answer": answer})  # fmt: skip


def may_decide(question: Mapping[str, Any], email: str, role: str) -> bool:
    """Whether this member is asked: named, or, where nobody is named, of the role or a higher one."""
    if people := question.get("people"):
        return email.casefold() in {str(p).strip().casefold() for p in people}
    return RANK.get(Role(role), -1) >= RANK[Role(question.get("role", Role.OPERATOR))]


def ask_people(step: StepRun) -> int:
    """Mail to everybody who may answer a step that waits; how many they are. None once it waits no more."""
    question = (step.state or {}).get("question")
    if step.status != "waiting" or not question:
        return 0
    run = step.run
    members = Membership.objects.filter(project=run.project, user__is_active=True).select_related("user")
    asked = [m.user.email for m in members if may_decide(question, m.user.email, m.role)]
    pipeline = run.pipeline_version.pipeline.name
    address = f"{settings.PUBLIC_URL}/p/{run.project.slug}/runs/{run.pk}?step={step.step}"
    for email in asked:
        mail.send_on_commit(
            email,
            f"{question['question']} (run {run.number} of {pipeline})",
            f"Run {run.number} of “{pipeline}” waits for an answer:\n\n{question['question']}\n\n{address}\n",
        )
    return len(asked)


def _values(question: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were asked for, each of its type; what is not said stays as the form showed it."""
    fields = {one["name"]: one["type"] for one in question.get("fields") or []}
    for name, value in values.items():
        if name not in fields:
            raise InvalidInput(
                message=f"“{name}” is not asked for.", field=f"values.{name}", hint="Asked for: " + (", ".join(fields) or "nothing")
            )
        right = {
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "text": isinstance(value, str) and len(value) <= 2000,
            "yes or no": isinstance(value, bool),
        }[fields[name]]
        if not right:
            raise InvalidInput(message=f"“{name}” must be {TYPES[fields[name]]}.", field=f"values.{name}")
    return dict(values)


def _who(question: Mapping[str, Any]) -> str:
    return (
        ", ".join(question["people"])
        if question.get("people")
        else f"members with the role {question.get('role', 'operator')} or a higher one"
    )
