"""HTTP of `core`: routes, schemas, permission; nothing else."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router
from ninja.responses import Status

from backend import __version__
from backend.core import events
from backend.core.actions import people as person
from backend.core.actions import projects, tokens
from backend.core.http import ApiRequest, allow, in_person, public, signed_in
from backend.core.queries import paginate, people
from backend.core.schemas import (
    AuditOut,
    InvitationIn,
    InvitationOut,
    InvitationPreview,
    MemberOut,
    MemberPatch,
    MeOut,
    Page,
    PasswordChangeIn,
    PasswordForgottenIn,
    PasswordResetIn,
    ProfileIn,
    ProjectEventsOut,
    ProjectIn,
    ProjectOut,
    ProjectPatch,
    SignInIn,
    SignUpIn,
    StudioOut,
    TokenIn,
    TokenOut,
)

router = Router(tags=["core"])


@router.get("/studio", response=StudioOut)
@public
def studio(request: ApiRequest) -> Any:
    """What the sign-in page needs to know."""
    return {"name": "Headrace", "version": __version__, "first_account": people.first_account()}


@router.get("/me", response=MeOut)
@signed_in
def me(request: ApiRequest) -> Any:
    """The signed-in person, their memberships and what they may do."""
    return people.me(request.user, request.token)


@router.patch("/me", response=MeOut)
@in_person
def update_me(request: ApiRequest, payload: ProfileIn) -> Any:
    """Change the name."""
    return people.me(person.rename(request.user, payload.name))


@router.post("/me/password", response={204: None})
@in_person
def change_password(request: ApiRequest, payload: PasswordChangeIn) -> Any:
    """Change the password; other sessions end."""
    person.change_password(request, request.user, payload.current, payload.password)


@router.post("/session", response=MeOut)
@public
def sign_in(request: ApiRequest, payload: SignInIn) -> Any:
    """Sign in with e-mail and password; sets the session cookie."""
    return people.me(person.sign_in(request, payload.email, payload.password))


@router.delete("/session", response={204: None})
@public
def sign_out(request: ApiRequest) -> Any:
    """Sign out."""
    person.sign_out(request)


@router.post("/accounts", response=MeOut)
@public
def sign_up(request: ApiRequest, payload: SignUpIn) -> Any:
    """Make an account from an invitation, or the studio's first."""
    return people.me(person.sign_up(request, payload.email, payload.name, payload.password, payload.token))


@router.post("/password/forgotten", response={204: None})
@public
def password_forgotten(request: ApiRequest, payload: PasswordForgottenIn) -> Any:
    """Send a reset link; answers the same whether or not the address is known."""
    person.forgot_password(request, payload.email)


@router.post("/password/reset", response=MeOut)
@public
def password_reset(request: ApiRequest, payload: PasswordResetIn) -> Any:
    """Set a new password with the link's token."""
    return people.me(person.reset_password(request, payload.token, payload.password))


@router.get("/invitations/{token}", response=InvitationPreview)
@public
def invitation_preview(request: ApiRequest, token: str) -> Any:
    """What an invitation is for."""
    return people.invitation_preview(token)


@router.post("/invitations/{token}/accept", response=MeOut)
@in_person
def accept_invitation(request: ApiRequest, token: str) -> Any:
    """Join the project as the signed-in person."""
    person.accept_invitation(request.user, token)
    return people.me(request.user)


@router.get("/tokens", response=list[TokenOut])
@signed_in
def list_tokens(request: ApiRequest) -> Any:
    """Personal API tokens."""
    return [people.token_out(token) for token in people.personal_tokens(request.user)]


@router.post("/tokens", response={201: TokenOut})
@in_person
def create_token(request: ApiRequest, payload: TokenIn) -> Any:
    """Make a token; its secret is shown in this answer only."""
    token, secret = tokens.create(request.user, payload.name, payload.project, payload.expires_in_days)
    return Status(201, people.token_out(token, secret))


@router.delete("/tokens/{uuid:token_id}", response={204: None})
@in_person
def revoke_token(request: ApiRequest, token_id: UUID) -> Any:
    """Revoke a token."""
    tokens.revoke(request.user, token_id)


@router.get("/projects", response=list[ProjectOut])
@signed_in
def list_projects(request: ApiRequest) -> Any:
    """Projects the caller is a member of."""
    return [people.project_out(m.project, m.role) for m in people.memberships(request.user, request.token)]


@router.post("/projects", response={201: ProjectOut})
@signed_in
def create_project(request: ApiRequest, payload: ProjectIn) -> Any:
    """Make a project; the caller becomes its owner."""
    project = projects.create(request.user, payload.name, payload.slug, payload.description)
    return Status(201, people.project_out(project, "owner"))


@router.get("/projects/{project}", response=ProjectOut)
@allow("project.read")
def get_project(request: ApiRequest, project: str) -> Any:
    """One project."""
    return people.project_out(request.project, request.role)


@router.patch("/projects/{project}", response=ProjectOut)
@allow("project.update")
def update_project(request: ApiRequest, project: str, payload: ProjectPatch) -> Any:
    """Rename or describe."""
    return people.project_out(projects.update(request.user, request.project, payload.name, payload.description), request.role)


@router.delete("/projects/{project}", response={204: None})
@allow("project.archive")
def archive_project(request: ApiRequest, project: str) -> Any:
    """Archive (hidden, can be restored by an administrator)."""
    projects.archive(request.user, request.project)


@router.get("/projects/{project}/events", response=ProjectEventsOut)
@allow("event.read")
def project_events(request: ApiRequest, project: str, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Any:
    """What a client missed of the project's live events."""
    return events.missed(request.project, "project", after)


@router.get("/projects/{project}/members", response=list[MemberOut])
@allow("member.read")
def list_members(request: ApiRequest, project: str) -> Any:
    """Members and roles."""
    return people.members(request.project)


@router.patch("/projects/{project}/members/{uuid:user_id}", response=MemberOut)
@allow("member.manage")
def update_member(request: ApiRequest, project: str, user_id: UUID, payload: MemberPatch) -> Any:
    """Change a role; the last owner stays."""
    return projects.set_role(request.user, request.project, user_id, payload.role)


@router.delete("/projects/{project}/members/{uuid:user_id}", response={204: None})
@allow("member.manage")
def remove_member(request: ApiRequest, project: str, user_id: UUID) -> Any:
    """Remove a member; the last owner stays."""
    projects.remove_member(request.user, request.project, user_id)


@router.get("/projects/{project}/invitations", response=list[InvitationOut])
@allow("member.manage")
def list_invitations(request: ApiRequest, project: str) -> Any:
    """Open invitations."""
    return people.open_invitations(request.project)


@router.post("/projects/{project}/invitations", response={201: InvitationOut})
@allow("member.manage")
def invite(request: ApiRequest, project: str, payload: InvitationIn) -> Any:
    """Invite by e-mail; the link is in this answer and in the mail."""
    invitation, link = projects.invite(request.user, request.project, payload.email, payload.role)
    return Status(201, people.invitation_out(invitation, link))


@router.delete("/projects/{project}/invitations/{uuid:invitation_id}", response={204: None})
@allow("member.manage")
def revoke_invitation(request: ApiRequest, project: str, invitation_id: UUID) -> Any:
    """Take an invitation back."""
    projects.revoke_invitation(request.user, request.project, invitation_id)


@router.get("/projects/{project}/audit", response=Page[AuditOut])
@allow("audit.read")
def list_audit(
    request: ApiRequest,
    project: str,
    action: str | None = None,
    target_type: str | None = None,
    target_id: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Any:
    """The audit log, newest first; `action` is a whole one (`dataset.freeze`) or its noun (`dataset`)."""
    return paginate(people.audit_entries(request.project, action, target_type, target_id), "-id", cursor, limit)
