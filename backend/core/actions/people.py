"""Accounts, sessions and passwords."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from backend.core import limits, mail
from backend.core.actions import audit, links
from backend.core.auth import hash_secret
from backend.core.errors import Conflict, InvalidInput, InvitationForAnother, InvitationNeeded, LinkSpent, WrongCredentials
from backend.core.models import Invitation, Membership, SignInLink, User
from backend.core.queries import people

RESET_LIFETIME = timedelta(hours=1)
BACKEND = "django.contrib.auth.backends.ModelBackend"
FIRST_ACCOUNT_LOCK = 0x48656164  # any fixed number: advisory lock, so that a fresh studio gets one first account


def sign_in(request: HttpRequest, email: str, password: str) -> User:
    """Check the password and start a session (a new session key, so that one planted before is worth nothing).

    An unknown address takes as long as a wrong password: Django hashes what was sent in both cases.
    """
    email = email.strip().lower()
    tried = limits.attempt("sign_in", email, audit.address(request))
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        known = User.objects.filter(email=email).first()
        audit.record(None, "session.refuse", known or ("user", "", ""))
        raise WrongCredentials
    tried.succeeded()
    begin_session(request, user, "password")
    return user


def begin_session(request: HttpRequest, user: User, how: str) -> None:
    with transaction.atomic():
        login(request, user, backend=BACKEND)
        audit.record(user, "session.begin", user, details={"by": how})


def sign_out(request: HttpRequest) -> None:
    user = request.user
    if isinstance(user, User) or user.is_authenticated:
        audit.record(request, "session.end", user)  # type: ignore[arg-type]  # a lazy wrapper around User
    logout(request)


def sign_up(request: HttpRequest, email: str, name: str, password: str, secret: str = "") -> User:
    """An account from an invitation; or the first of a fresh studio, with no invitation."""
    email, name = email.strip().lower(), clean_name(name)
    with transaction.atomic():
        if secret:
            invited = take_invitation(secret, email)
        else:
            invited = None
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_ACCOUNT_LOCK])
            if not people.first_account():
                raise InvitationNeeded(hint="Ask an owner of a project to invite you.")
        if User.objects.filter(email=email).exists():
            raise Conflict(
                message="There is an account with this e-mail address already.",
                field="email",
                hint="Sign in, then open the invitation again.",
            )
        check_password(password, User(email=email, name=name))
        # Whoever makes the studio looks after it: its hosts are no project's.
        user = User.objects.create_user(email, password, name=name, is_staff=invited is None)
        audit.record(user, "user.create", user, after={"email": email, "name": name}, project=invited.project if invited else None)
        if invited:
            join(invited, user)
        begin_session(request, user, "sign_up")
    return user


def accept_invitation(user: User, secret: str) -> Membership:
    with transaction.atomic():
        return join(take_invitation(secret, user.email), user)


def take_invitation(secret: str, email: str) -> Invitation:
    """The open invitation, locked until the transaction ends; only for the address it was sent to."""
    Invitation.objects.select_for_update().filter(token_hash=hash_secret(secret)).first()
    invited = people.invitation(secret)
    if invited.email.lower() != email.lower():
        raise InvitationForAnother(email=email, field="email", hint="Use the address the invitation was sent to, or ask for one to yours.")
    return invited


def join(invited: Invitation, user: User) -> Membership:
    """Who is a member already keeps the role they have."""
    member, made = Membership.objects.get_or_create(project=invited.project, user=user, defaults={"role": invited.role})
    invited.accepted_at = timezone.now()
    invited.save(update_fields=["accepted_at"])
    audit.record(
        user, "invitation.accept", ("user", user.pk, user.email), after={"role": member.role} if made else None, project=invited.project
    )
    return member


def rename(user: User, name: str) -> User:
    before = audit.snapshot(user, "name")
    user.name = clean_name(name)
    with transaction.atomic():
        user.save(update_fields=["name"])
        audit.record(user, "user.update", user, before, audit.snapshot(user, "name"))
    return user


def change_password(request: HttpRequest, user: User, current: str, password: str) -> None:
    """Every other session of this person ends: sessions carry a digest of the password's hash."""
    tried = limits.attempt("change_password", user.email, audit.address(request))
    if not user.check_password(current):
        raise InvalidInput(message="This is not your current password.", field="current")
    tried.succeeded()
    check_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        _spend_reset_links(user)
        audit.record(user, "user.password", user)
    update_session_auth_hash(request, user)


def forgot_password(request: HttpRequest, email: str) -> None:
    """Mail a reset link to a known address; nothing tells the caller whether it is known."""
    email = email.strip().lower()
    limits.attempt("forgot_password", email, audit.address(request), per_pair=limits.PER_MAIL)
    with transaction.atomic():
        user = User.objects.filter(email=email, is_active=True).first()
        audit.record(None, "password.forgotten", user or ("user", "", ""))
        if user is not None:
            secret = links.make(user, SignInLink.Purpose.RESET, RESET_LIFETIME)
            mail.send_on_commit(
                user.email,
                "Set a new Headrace password",
                f"Somebody, we hope you, asked for a new password for {user.email}.\n\n"
                f"Set it here within an hour:\n{links.public_url()}/reset/{secret}\n\n"
                "If it was not you, do nothing: your password stays as it is.\n",
            )


def reset_password(request: HttpRequest, secret: str, password: str) -> User:
    """Set the password with a mailed link, end every session, start a new one."""
    link = SignInLink.objects.select_related("user").filter(token_hash=hash_secret(secret), purpose=SignInLink.Purpose.RESET).first()
    if link is None:
        raise LinkSpent(field="token", hint="Ask for a new link.")
    check_password(password, link.user)  # before the link is spent: a weak password may be corrected
    with transaction.atomic():
        if links.use(secret, SignInLink.Purpose.RESET) is None:
            raise LinkSpent(field="token", hint="Ask for a new link.")
        user = link.user
        user.set_password(password)
        user.save(update_fields=["password"])
        _spend_reset_links(user)
        audit.record(user, "user.password", user, details={"by": "reset"})
        begin_session(request, user, "reset")
    return user


def _spend_reset_links(user: User) -> None:
    SignInLink.objects.filter(user=user, purpose=SignInLink.Purpose.RESET, used_at=None).update(used_at=timezone.now())


def check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InvalidInput(
            message="This password is too easy to guess.",
            field="password",
            problems=[
                {"field": "password", "message": text, "expected": "At least 10 characters that are not a common password."}
                for text in exc.messages
            ],
        ) from exc


def clean_name(name: str, field: str = "name") -> str:
    """Without spaces around it; not empty."""
    if not (clean := name.strip()):
        raise InvalidInput(message="A name needs at least one visible character.", field=field)
    return clean
