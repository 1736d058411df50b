"""HTTP of `core`: routes, schemas, permission; nothing else."""

from typing import Any
from uuid import UUID

from ninja import Router

from backend.core.http import ApiRequest, allow, public, signed_in
from backend.core.schemas import (
    AuditOut,
    InvitationIn,
    InvitationOut,
    InvitationPreview,
    MeOut,
    MemberOut,
    MemberPatch,
    Page,
    PasswordChangeIn,
    PasswordForgottenIn,
    PasswordResetIn,
    ProfileIn,
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
    raise NotImplementedError


@router.get("/me", response=MeOut)
@signed_in
def me(request: ApiRequest) -> Any:
    """The signed-in person, their memberships and what they may do."""
    raise NotImplementedError


@router.patch("/me", response=MeOut)
@signed_in
def update_me(request: ApiRequest, payload: ProfileIn) -> Any:
    """Change the name."""
    raise NotImplementedError


@router.post("/me/password", response={204: None})
@signed_in
def change_password(request: ApiRequest, payload: PasswordChangeIn) -> Any:
    """Change the password; other sessions end."""
    raise NotImplementedError


@router.post("/session", response=MeOut)
@public
def sign_in(request: ApiRequest, payload: SignInIn) -> Any:
    """Sign in with e-mail and password; sets the session cookie."""
    raise NotImplementedError


@router.delete("/session", response={204: None})
@public
def sign_out(request: ApiRequest) -> Any:
    """Sign out."""
    raise NotImplementedError


@router.post("/accounts", response=MeOut)
@public
def sign_up(request: ApiRequest, payload: SignUpIn) -> Any:
    """Make an account from an invitation, or the studio's first."""
    raise NotImplementedError


@router.post("/password/forgotten", response={204: None})
@public
def password_forgotten(request: ApiRequest, payload: PasswordForgottenIn) -> Any:
    """Send a reset link; answers the same whether or not the address is known."""
    raise NotImplementedError


@router.post("/password/reset", response=MeOut)
@public
def password_reset(request: ApiRequest, payload: PasswordResetIn) -> Any:
    """Set a new password with the link's token."""
    raise NotImplementedError


@router.get("/invitations/{token}", response=InvitationPreview)
@public
def invitation_preview(request: ApiRequest, token: str) -> Any:
    """What an invitation is for."""
    raise NotImplementedError


@router.post("/invitations/{token}/accept", response=MeOut)
@signed_in
def accept_invitation(request: ApiRequest, token: str) -> Any:
    """Join the project as the signed-in person."""
    raise NotImplementedError


@router.get("/tokens", response=list[TokenOut])
@signed_in
def list_tokens(request: ApiRequest) -> Any:
    """Personal API tokens."""
    raise NotImplementedError


@router.post("/tokens", response={201: TokenOut})
@signed_in
def create_token(request: ApiRequest, payload: TokenIn) -> Any:
    """Make a token; its secret is shown in this answer only."""
    raise NotImplementedError


@router.delete("/tokens/{uuid:token_id}", response={204: None})
@signed_in
def revoke_token(request: ApiRequest, token_id: UUID) -> Any:
    """Revoke a token."""
    raise NotImplementedError


@router.get("/projects", response=list[ProjectOut])
@signed_in
def list_projects(request: ApiRequest) -> Any:
    """Projects the caller is a member of."""
    raise NotImplementedError


@router.post("/projects", response={201: ProjectOut})
@signed_in
def create_project(request: ApiRequest, payload: ProjectIn) -> Any:
    """Make a project; the caller becomes its owner."""
    raise NotImplementedError


@router.get("/projects/{project}", response=ProjectOut)
@allow("project.read")
def get_project(request: ApiRequest, project: str) -> Any:
    """One project."""
    raise NotImplementedError


@router.patch("/projects/{project}", response=ProjectOut)
@allow("project.update")
def update_project(request: ApiRequest, project: str, payload: ProjectPatch) -> Any:
    """Rename or describe."""
    raise NotImplementedError


@router.delete("/projects/{project}", response={204: None})
@allow("project.archive")
def archive_project(request: ApiRequest, project: str) -> Any:
    """Archive (hidden, can be restored by an administrator)."""
    raise NotImplementedError


@router.get("/projects/{project}/members", response=list[MemberOut])
@allow("member.read")
def list_members(request: ApiRequest, project: str) -> Any:
    """Members and roles."""
    raise NotImplementedError


@router.patch("/projects/{project}/members/{uuid:user_id}", response=MemberOut)
@allow("member.manage")
def update_member(request: ApiRequest, project: str, user_id: UUID, payload: MemberPatch) -> Any:
    """Change a role; the last owner stays."""
    raise NotImplementedError


@router.delete("/projects/{project}/members/{uuid:user_id}", response={204: None})
@allow("member.manage")
def remove_member(request: ApiRequest, project: str, user_id: UUID) -> Any:
    """Remove a member; the last owner stays."""
    raise NotImplementedError


@router.get("/projects/{project}/invitations", response=list[InvitationOut])
@allow("member.manage")
def list_invitations(request: ApiRequest, project: str) -> Any:
    """Open invitations."""
    raise NotImplementedError


@router.post("/projects/{project}/invitations", response={201: InvitationOut})
@allow("member.manage")
def invite(request: ApiRequest, project: str, payload: InvitationIn) -> Any:
    """Invite by e-mail; the link is in this answer and in the mail."""
    raise NotImplementedError


@router.delete("/projects/{project}/invitations/{uuid:invitation_id}", response={204: None})
@allow("member.manage")
def revoke_invitation(request: ApiRequest, project: str, invitation_id: UUID) -> Any:
    """Take an invitation back."""
    raise NotImplementedError


@router.get("/projects/{project}/audit", response=Page[AuditOut])
@allow("audit.read")
def list_audit(request: ApiRequest, project: str, action: str | None = None, target_type: str | None = None, target_id: str | None = None, cursor: str | None = None, limit: int = 50) -> Any:
    """The audit log, newest first."""
    raise NotImplementedError
