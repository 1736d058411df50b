"""HTTP of hosts: routes, schemas, permission; nothing else. They are the studio's: everybody signed in sees them, administrators act."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from backend.core.http import ApiRequest, administrator, public, signed_in
from backend.runs.hosts import actions, queries
from backend.runs.hosts.schemas import HostOut, HostPatch, JoinIn, JoinOut, JoinTokenIn, JoinTokenOut

router = Router(tags=["hosts"])


@router.get("/hosts", response=list[HostOut])
@signed_in
def list_hosts(request: ApiRequest) -> Any:
    """The machines that run steps, and what each does now."""
    return queries.list_hosts(request.user)


@router.post("/hosts/join", response={201: JoinOut}, auth=None)
@public
def join(request: ApiRequest, payload: JoinIn) -> Any:
    """Exchange a join token for a host's own (`headrace worker join` does)."""
    return Status(201, actions.join(payload.token, payload.id, payload.name, payload.labels))


@router.patch("/hosts/{uuid:host_id}", response=HostOut)
@administrator
def update_host(request: ApiRequest, host_id: UUID, payload: HostPatch) -> Any:
    """Pause, drain, stop or start a host."""
    actions.want(host_id, request.user, payload.wanted)
    return queries.host_out(queries.find_host(host_id), request.user)


@router.delete("/hosts/{uuid:host_id}", response={204: None})
@administrator
def remove_host(request: ApiRequest, host_id: UUID) -> Any:
    """Forget a host that is gone or stopped; it must join again to come back."""
    actions.remove(host_id, request.user)
    return Status(204, None)


@router.get("/join-tokens", response=list[JoinTokenOut])
@administrator
def list_join_tokens(request: ApiRequest) -> Any:
    """Tokens with which hosts may join."""
    return queries.join_tokens()


@router.post("/join-tokens", response={201: JoinTokenOut})
@administrator
def create_join_token(request: ApiRequest, payload: JoinTokenIn) -> Any:
    """Make one; its secret is shown in this answer only."""
    token, secret = actions.make_token(request.user, payload.name, payload.hours)
    return Status(201, queries.token_out(token, secret=secret))


@router.delete("/join-tokens/{uuid:token_id}", response={204: None})
@administrator
def revoke_join_token(request: ApiRequest, token_id: UUID) -> Any:
    """Revoke one; hosts that joined with it stay."""
    actions.revoke_token(request.user, token_id)
    return Status(204, None)
