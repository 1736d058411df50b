"""The shapes of `core` that cross HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from ninja import Field, Query, Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, model_validator

RoleName = Literal["viewer", "annotator", "reviewer", "editor", "operator", "owner"]
T = TypeVar("T")
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"\S")]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
    ),
]
"""What a browser's e-mail field accepts: `ada@studio.local` too, which stricter checks refuse."""


def _whole(value: Any) -> Any:
    """JSON's integers are 7 and 7.0; not "7" or true, which pydantic would take too."""
    if isinstance(value, bool | str):
        raise ValueError("a whole number is needed, not text or true/false")
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""`Annotated[int, Field(ge=1), WHOLE]`: an integer in a body exactly as JSON Schema means it.
For a float or a bool: `Field(strict=True)`."""

Number = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
"""The number of a version, a run, an attempt, in a body."""


def _moment(value: object) -> object:
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("must be a date and a time with its zone, such as 2026-02-01T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    """Some zones that JSON Schema allows, such as -22:15, PostgreSQL does not."""
    try:
        return value.astimezone(UTC)
    except OverflowError:  # in UTC it lies before the year 1 or after 9999
        return datetime.min.replace(tzinfo=UTC) if value.year < 5000 else datetime.max.replace(tzinfo=UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_utc)]
"""A moment in a query, as JSON Schema's `date-time` means it: pydantic alone would take a bare number for seconds since 1970."""
Limit = Annotated[int, Query(ge=1, le=200)]
"""How many items of a list at once."""
Offset = Annotated[int, Query(ge=0, le=2**53)]
"""How many to leave out from the beginning of a window."""
Text = Annotated[str, Query(max_length=200)]
"""What to search for."""


class Plain(BaseModel):
    """Read by pydantic alone, a dictionary or an object with these attributes. ninja's own would be asked in Python for each of them: of a
    run with a hundred steps that took a quarter of the answer's time."""

    model_config = ConfigDict(from_attributes=True)


class Inner(Plain):
    """An object inside a body: a list or a number, of which attributes could be read, is none."""

    @model_validator(mode="before")
    @classmethod
    def _is_an_object(cls, value: Any) -> Any:
        if isinstance(value, list | tuple | str | int | float):
            raise ValueError("an object is needed")
        return value


class Page(Schema, Generic[T]):
    """One page of a list. `next` is the cursor of the following page, null on the last. `total` counts
    all that match, null where counting would cost more than the page."""

    items: list[T]
    next: str | None = None
    total: int | None = None


class ProblemOut(Schema):
    field: str = ""
    message: str
    expected: str = ""


class ErrorBody(Schema):
    code: str
    message: str
    field: str | None = None
    hint: str = ""
    problems: list[ProblemOut] = []
    details: dict[str, Any] = {}


class ErrorOut(Schema):
    error: ErrorBody


class UserOut(Schema):
    id: UUID
    email: str
    name: str


class MembershipOut(Schema):
    project: str
    project_name: str
    role: RoleName


class MeOut(UserOut):
    """`permissions` lists, per project slug, the actions this person may do there; an `administrator` looks after the studio's hosts."""

    administrator: bool
    memberships: list[MembershipOut]
    permissions: dict[str, list[str]]


class SignInIn(Schema):
    email: Email
    password: Annotated[str, Field(max_length=1000)]


class SignUpIn(Schema):
    """Accepting an invitation (or the very first account of a new studio, when `token` is empty)."""

    token: str = ""
    email: Email
    name: Name
    password: Annotated[str, Field(min_length=10, max_length=1000)]


class PasswordForgottenIn(Schema):
    email: Email


class PasswordResetIn(Schema):
    token: str
    password: Annotated[str, Field(min_length=10, max_length=1000)]


class ProfileIn(Schema):
    name: Name


class PasswordChangeIn(Schema):
    current: str
    password: Annotated[str, Field(min_length=10, max_length=1000)]


class ProjectIn(Schema):
    name: Name
    slug: Slug | None = None
    description: Annotated[str, Field(max_length=5000)] = ""


class ProjectPatch(Schema):
    name: Name | None = None
    description: Annotated[str, Field(max_length=5000)] | None = None


class ProjectOut(Schema):
    id: UUID
    slug: str
    name: str
    description: str
    role: RoleName
    created_at: datetime


class MemberOut(Schema):
    user: UserOut
    role: RoleName
    created_at: datetime


class MemberPatch(Schema):
    role: RoleName


class InvitationIn(Schema):
    email: Email
    role: RoleName


class InvitationOut(Schema):
    """`link` is filled only in the answer to the request that made it."""

    id: UUID
    email: str
    role: RoleName
    created_at: datetime
    expires_at: datetime
    link: str | None = None


class InvitationPreview(Schema):
    email: str
    project: str
    role: RoleName
    invited_by: str
    has_account: bool


class TokenIn(Schema):
    name: Name
    project: str | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None


class TokenOut(Schema):
    """`token` is filled only in the answer to the request that made it."""

    id: UUID
    name: str
    prefix: str
    project: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    token: str | None = None


class AuditOut(Schema):
    """`actor` is an e-mail address, or a word for the part of the studio that acted; `step_run_id` says that a step of a run
    acted in the name of `actor`. The digests are SHA-256 of what was and what is, as canonical JSON."""

    id: int
    at: datetime
    actor: Annotated[str, Field(validation_alias="actor_label")]
    token_id: UUID | None
    step_run_id: UUID | None
    action: str
    target_type: str
    target_id: str
    target_label: str
    ip: str | None
    before_digest: str
    after_digest: str
    details: dict[str, Any]


class ProjectEventsOut(Schema):
    """Events of the topic `project` after a number, oldest first, with those that may have been committed late below it: one that
    was seen already may come again. `last` is the newest number there is; when more were missed than fit in an answer,
    `complete` is false: load anew what is shown."""

    events: list[dict[str, Any]]
    last: int
    complete: bool


class StudioOut(Schema):
    """What the sign-in page needs to know before anyone is signed in."""

    name: str
    version: str
    first_account: bool
    """True while no account exists: the page then offers to make the owner's."""
