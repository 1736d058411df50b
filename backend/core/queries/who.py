"""Who is asking and what they are in a project: asked with every request."""

from __future__ import annotations

from uuid import UUID

from backend.core.models import ApiToken, Project, User
from backend.core.queries.rows import Columns, one

TOKEN, PROJECT = Columns(a=ApiToken, u=User), Columns(p=Project)


def token_with(digest: str) -> ApiToken | None:
    """The token whose secret has this digest, with its person: neither expired nor revoked, and the person active."""
    row = one(
        f"SELECT {TOKEN.sql} FROM core_apitoken a JOIN core_user u ON u.id = a.user_id"  # noqa: S608 - our own column names only
        " WHERE a.token_hash = %s AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > clock_timestamp()) AND u.is_active",
        [digest],
    )
    if row is None:
        return None
    token, token.user = TOKEN.read(row)
    return token  # type: ignore[no-any-return]  # what `read` gives is in the order of TOKEN


def token_in(digest: str, slug: str) -> tuple[ApiToken, tuple[Project, str] | None] | None:
    """`token_with` and, in the same statement, the `membership` of its person in a project."""
    row = one(
        f"SELECT {TOKEN.sql}, {PROJECT.sql}, m.role FROM core_apitoken a JOIN core_user u ON u.id = a.user_id"  # noqa: S608 - our own column names only
        " LEFT JOIN (core_project p JOIN core_membership m ON m.project_id = p.id)"
        " ON p.slug = %s AND p.archived_at IS NULL AND m.user_id = u.id"
        " WHERE a.token_hash = %s AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > clock_timestamp()) AND u.is_active",
        [slug, digest],
    )
    if row is None:
        return None
    token, token.user, *rest = TOKEN.read(row)
    project, role = PROJECT.read(rest)
    return token, None if project is None else (project, role)


def membership(user: UUID, slug: str) -> tuple[Project, str] | None:
    """The project with this slug and the person's role in it; None if it is archived, or they are no active member."""
    row = one(
        f"SELECT {PROJECT.sql}, m.role FROM core_project p JOIN core_membership m ON m.project_id = p.id"  # noqa: S608 - our own column names only
        " JOIN core_user u ON u.id = m.user_id WHERE p.slug = %s AND p.archived_at IS NULL AND m.user_id = %s AND u.is_active",
        [slug, user],
    )
    if row is None:
        return None
    project, role = PROJECT.read(row)
    return project, role
