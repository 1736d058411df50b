"""Signing up, in and out; passwords; invitations; tokens; projects: as a browser or a script would do it, over HTTP."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.utils import timezone

from backend.core import limits, mail
from backend.core.actions import links
from backend.core.logs import RedactingFormatter
from backend.core.models import ApiToken, AuditEntry, Invitation, Membership, Project, SignInLink, User
from tests.backend.core.people import PASSWORD, Api, project, token, user

pytestmark = pytest.mark.django_db(transaction=True)
ANOTHER = "another long password"


def sent(index: int = -1) -> str:
    mail.wait()
    return str(outbox.outbox[index].body)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# --- signing up and in ----------------------------------------------------------------------------------------------


def test_fresh_studio_gives_its_first_account_to_whoever_comes_first_and_no_second_one() -> None:
    page = Api()
    assert page.ok("GET", "/studio")["first_account"] is True
    me = page.ok("POST", "/accounts", {"email": "Ada@Example.com", "name": " Ada ", "password": PASSWORD})
    assert (me["email"], me["name"]) == ("ada@example.com", "Ada")
    assert page.ok("GET", "/me")["id"] == me["id"], "signed in at once"
    assert page.ok("GET", "/studio")["first_account"] is False
    assert (
        Api().error(403, "POST", "/accounts", {"email": "eve@example.com", "name": "Eve", "password": PASSWORD})["code"]
        == "invitation_needed"
    )
    assert "user.create" in actions()


def test_weak_password_names_the_field_and_what_would_be_right() -> None:
    for password in ("ada@example.com", "password1234", "1234567890"):
        answer = Api()("POST", "/accounts", {"email": "ada@example.com", "name": "Ada", "password": password})
        error = answer.json()["error"]
        assert (answer.status_code, error["field"]) == (422, "password") and error["problems"][0]["expected"], password
    assert User.objects.count() == 0
    short = Api().error(422, "POST", "/accounts", {"email": "ada@example.com", "name": "Ada", "password": "short"})
    assert short["field"] == "password" and "10" in short["problems"][0]["expected"]


def test_session_key_changes_on_sign_in_and_dies_on_sign_out() -> None:
    user("ada@example.com", PASSWORD)
    page = Api()
    session = page.client.session
    session["planted"] = True
    session.save()
    planted = page.client.cookies["headrace_session"].value
    page.ok("POST", "/session", {"email": "ADA@example.com", "password": PASSWORD})
    fresh = page.client.cookies["headrace_session"].value
    assert planted != fresh
    page.ok("DELETE", "/session")
    stolen = Api()
    stolen.client.cookies["headrace_session"] = fresh
    stolen.error(401, "GET", "/me")
    assert actions()[-2:] == ["session.begin", "session.end"]


def test_wrong_password_and_unknown_address_look_the_same_and_are_slowed_down_together_with_no_one_else() -> None:
    user("ada@example.com", PASSWORD)
    known = Api().error(401, "POST", "/session", {"email": "ada@example.com", "password": "wrong"})
    unknown = Api().error(401, "POST", "/session", {"email": "nobody@example.com", "password": "wrong"})
    assert known == unknown
    for _ in range(limits.PER_PAIR - 1):
        Api().error(401, "POST", "/session", {"email": "ada@example.com", "password": "wrong"})
    answer = Api()("POST", "/session", {"email": "ada@example.com", "password": PASSWORD})
    assert answer.status_code == 429 and 0 < int(answer["Retry-After"]) <= limits.WINDOW.total_seconds()
    bob = user("bob@example.com", PASSWORD)
    assert Api().ok("POST", "/session", {"email": bob.email, "password": PASSWORD})["email"] == bob.email


def test_sign_in_by_cookie_needs_the_csrf_token_and_says_so_in_our_shape() -> None:
    user("ada@example.com", PASSWORD)
    page = Api(csrf=True)
    assert page.error(403, "POST", "/session", {"email": "ada@example.com", "password": PASSWORD})["code"] == "page_out_of_date"
    page.client.get("/link/none")
    page.client.get("/")
    value = page.client.cookies["headrace_csrf"].value
    page.ok("POST", "/session", {"email": "ada@example.com", "password": PASSWORD}, **{"X-CSRFToken": value})


def test_switched_off_person_is_out_with_session_and_token() -> None:
    ada = user()
    page, script = Api(ada), Api(token=token(ada))
    page.ok("GET", "/me")
    User.objects.update(is_active=False)
    page.error(401, "GET", "/me")
    script.error(401, "GET", "/me")


# --- passwords ------------------------------------------------------------------------------------------------------


def test_changing_the_password_ends_the_other_sessions_only() -> None:
    user("ada@example.com", PASSWORD)
    here, there = Api(), Api()
    for page in (here, there):
        page.ok("POST", "/session", {"email": "ada@example.com", "password": PASSWORD})
    assert here.error(422, "POST", "/me/password", {"current": "wrong", "password": ANOTHER})["field"] == "current"
    here.ok("POST", "/me/password", {"current": PASSWORD, "password": ANOTHER})
    here.ok("GET", "/me")
    there.error(401, "GET", "/me")
    assert "user.password" in actions()


def test_reset_link_comes_by_mail_works_once_and_tells_nobody_who_has_an_account() -> None:
    user("ada@example.com", PASSWORD)
    elsewhere = Api()
    elsewhere.ok("POST", "/session", {"email": "ada@example.com", "password": PASSWORD})
    page = Api()
    known = page("POST", "/password/forgotten", {"email": "ada@example.com"})
    unknown = page("POST", "/password/forgotten", {"email": "nobody@example.com"})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
    secret = re.search(r"/reset/(\S+)", sent())[1]  # type: ignore[index]
    assert len(outbox.outbox) == 1
    assert page.error(422, "POST", "/password/reset", {"token": secret, "password": "1234567890"})["field"] == "password"
    assert page.ok("POST", "/password/reset", {"token": secret, "password": ANOTHER})["email"] == "ada@example.com"
    page.error(404, "POST", "/password/reset", {"token": secret, "password": PASSWORD})
    elsewhere.error(401, "GET", "/me")
    Api().error(401, "POST", "/session", {"email": "ada@example.com", "password": PASSWORD})
    Api().ok("POST", "/session", {"email": "ada@example.com", "password": ANOTHER})


def test_late_reset_link_and_a_flood_of_mails_are_refused() -> None:
    ada = user("ada@example.com", PASSWORD)
    late = links.make(ada, SignInLink.Purpose.RESET, timedelta(seconds=-1))
    Api().error(404, "POST", "/password/reset", {"token": late, "password": ANOTHER})
    sign_in = links.make(ada, SignInLink.Purpose.SIGN_IN, timedelta(hours=1))
    Api().error(404, "POST", "/password/reset", {"token": sign_in, "password": ANOTHER})
    for _ in range(limits.PER_MAIL):
        Api().ok("POST", "/password/forgotten", {"email": "ada@example.com"})
    assert Api().error(429, "POST", "/password/forgotten", {"email": "ada@example.com"})["details"]["retry_after"] > 0


# --- one-time links -------------------------------------------------------------------------------------------------


def test_terminal_link_signs_in_once_and_is_not_spent_by_a_preview(capsys: Any) -> None:
    call_command("create_owner", "boss@studio.local", "--name", "Boss", "--project", "Wine cellar")
    address = capsys.readouterr().out.strip()
    path = address.removeprefix("http://localhost:8000")
    page = Api()
    assert page.client.head(path).status_code == 405
    assert page.client.get(path)["Location"] == "/p/wine-cellar"
    assert page.ok("GET", "/me")["memberships"] == [{"project": "wine-cellar", "project_name": "Wine cellar", "role": "owner"}]
    again = Api().client.get(path)
    assert again.status_code == 410 and b"used already" in again.content and again["Referrer-Policy"] == "no-referrer"
    call_command("create_owner", "boss@studio.local", "--project", "Wine cellar")
    assert (User.objects.count(), Project.objects.count(), Membership.objects.count()) == (1, 1, 1)
    with pytest.raises(CommandError, match="create_owner"):
        call_command("signin_link", "who@example.com")


# --- projects and members -------------------------------------------------------------------------------------------


def test_project_life() -> None:
    ada = user()
    page = Api(ada)
    wine = page.ok("POST", "/projects", {"name": " Wine & Co "})
    assert (wine["slug"], wine["name"], wine["role"]) == ("wine-co", "Wine & Co", "owner")
    assert page.ok("POST", "/projects", {"name": "Wine & Co"})["slug"] == "wine-co-2"
    assert page.error(409, "POST", "/projects", {"name": "x", "slug": "wine-co"})["field"] == "slug"
    assert page.error(422, "POST", "/projects", {"name": "x", "slug": "No Slug"})["field"] == "slug"
    assert page.error(422, "POST", "/projects", {"name": "  "})["field"] == "name"
    assert page.ok("PATCH", "/projects/wine-co", {"description": "Reds"})["description"] == "Reds"
    page.ok("DELETE", "/projects/wine-co")
    page.error(404, "GET", "/projects/wine-co")
    assert [p["slug"] for p in page.ok("GET", "/projects")] == ["wine-co-2"]
    call_command("restore_project", "wine-co")
    page.ok("GET", "/projects/wine-co")


def test_last_owner_stays() -> None:
    ada, bob = user("ada@example.com"), user("bob@example.com")
    project(owner=ada, viewer=bob)
    page = Api(ada)
    assert page.error(409, "PATCH", f"/projects/wine/members/{ada.pk}", {"role": "viewer"})["code"] == "last_owner"
    page.error(409, "DELETE", f"/projects/wine/members/{ada.pk}")
    assert page.ok("PATCH", f"/projects/wine/members/{bob.pk}", {"role": "owner"})["role"] == "owner"
    page.ok("DELETE", f"/projects/wine/members/{ada.pk}")
    page.error(404, "GET", "/projects/wine")
    assert [m["user"]["email"] for m in Api(bob).ok("GET", "/projects/wine/members")] == ["bob@example.com"]


def test_invited_person_without_an_account_makes_one() -> None:
    project(owner=(ada := user()))
    made = Api(ada).ok("POST", "/projects/wine/invitations", {"email": "Bob@Example.com", "role": "editor"})
    assert made["link"] in sent() and outbox.outbox[-1].to == ["bob@example.com"]
    assert Api(ada).ok("GET", "/projects/wine/invitations")[0]["link"] is None
    secret = made["link"].rsplit("/", 1)[1]
    assert Api().ok("GET", f"/invitations/{secret}") == {
        "email": "bob@example.com",
        "project": "Wine",
        "role": "editor",
        "invited_by": "Ada",
        "has_account": False,
    }
    body = {"token": secret, "email": "bob@example.com", "name": "Bob", "password": PASSWORD}
    assert Api().error(403, "POST", "/accounts", {**body, "email": "eve@example.com"})["code"] == "invitation_for_another"
    assert Api().ok("POST", "/accounts", body)["memberships"][0]["role"] == "editor"
    Api().error(404, "POST", "/accounts", {**body, "email": "bob@example.com"})
    Api().error(404, "GET", f"/invitations/{secret}")
    assert Api(ada).error(409, "POST", "/projects/wine/invitations", {"email": "bob@example.com", "role": "viewer"})["field"] == "email"


def test_invited_person_with_an_account_joins_and_nobody_else_can_use_the_link() -> None:
    ada, bob, eve = user(), user("bob@example.com"), user("eve@example.com")
    project(owner=ada)
    secret = Api(ada).ok("POST", "/projects/wine/invitations", {"email": bob.email, "role": "operator"})["link"].rsplit("/", 1)[1]
    assert Api(eve).error(403, "POST", f"/invitations/{secret}/accept")["code"] == "invitation_for_another"
    assert Api(bob).ok("POST", f"/invitations/{secret}/accept")["memberships"][0]["role"] == "operator"
    Api(bob).error(404, "POST", f"/invitations/{secret}/accept")


def test_invitation_taken_back_replaced_or_late_is_worth_nothing() -> None:
    project(owner=(ada := user()))
    page = Api(ada)

    def invite() -> dict[str, Any]:
        return page.ok("POST", "/projects/wine/invitations", {"email": "bob@example.com", "role": "viewer"})  # type: ignore[no-any-return]

    first, second = invite(), invite()
    Api().error(404, "GET", f"/invitations/{first['link'].rsplit('/', 1)[1]}")
    page.ok("DELETE", f"/projects/wine/invitations/{second['id']}")
    Api().error(404, "GET", f"/invitations/{second['link'].rsplit('/', 1)[1]}")
    page.error(404, "DELETE", f"/projects/wine/invitations/{second['id']}")
    third = invite()
    Invitation.objects.update(expires_at=timezone.now())
    Api().error(404, "GET", f"/invitations/{third['link'].rsplit('/', 1)[1]}")
    assert page.ok("GET", "/projects/wine/invitations") == []


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_token_is_shown_once_stays_in_its_project_and_ends() -> None:
    ada = user()
    project("wine", owner=ada)
    project("beer", owner=ada)
    page = Api(ada)
    made = page.ok("POST", "/tokens", {"name": "laptop", "project": "wine", "expires_in_days": 7})
    script = Api(token=made["token"])
    assert made["token"] not in str(list(ApiToken.objects.values())) and page.ok("GET", "/tokens")[0]["token"] is None
    assert list(script.ok("GET", "/me")["permissions"]) == ["wine"]
    script.ok("PATCH", "/projects/wine", {"description": "by script"})
    script.error(404, "GET", "/projects/beer")
    assert script.error(403, "POST", "/tokens", {"name": "forever"})["code"] == "token_not_enough"
    assert script.error(403, "POST", "/projects", {"name": "mine"})["code"] == "token_not_enough"
    used = ApiToken.objects.get().last_used_at
    script.ok("GET", "/me")
    assert used is not None and ApiToken.objects.get().last_used_at == used, "noted at most once a minute"
    ApiToken.objects.update(expires_at=timezone.now())
    script.error(401, "GET", "/me")
    ApiToken.objects.update(expires_at=None)
    page.ok("DELETE", f"/tokens/{made['id']}")
    script.error(401, "GET", "/me")
    assert page.error(404, "POST", "/tokens", {"name": "x", "project": "no-such"})["field"] == "project"
    entry = AuditEntry.objects.get(action="project.update")
    assert str(entry.token_id) == made["id"] and entry.actor_id == ada.pk


def test_step_token_acts_as_the_starter_in_its_project_and_the_log_says_which_step() -> None:
    ada = user()
    wine = project("wine", owner=ada)
    step = "0198c0de-0000-7000-8000-000000000001"
    script = Api(token=token(ada, project=wine, step_run=step))
    script.ok("PATCH", "/projects/wine", {"name": "Wine 2"})
    entry = Api(ada).ok("GET", "/projects/wine/audit?action=project.update")["items"][0]
    assert (entry["actor"], entry["step_run_id"]) == ("ada@example.com", step) and entry["before_digest"] != entry["after_digest"]
    assert Api(ada).ok("GET", "/tokens") == [], "tokens of steps are not personal ones"


def test_secrets_do_not_reach_the_log() -> None:
    secret = token(user())
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s"', ("1.2.3.4", f"GET /api/v1/invitations/{secret} HTTP/1.1"), None
    )
    line = RedactingFormatter("%(message)s").format(record)
    assert secret not in line and "/invitations/hr_" in line


# --- the audit log --------------------------------------------------------------------------------------------------


def test_audit_log_is_read_page_by_page_with_filters_and_where_it_came_from() -> None:
    ada = user()
    project(owner=ada)
    page = Api(ada)
    for i in range(5):
        page.ok("PATCH", "/projects/wine", {"name": f"Wine {i}"}, **{"User-Agent": "test browser"})
    page.ok("POST", "/projects/wine/invitations", {"email": "bob@example.com", "role": "viewer"})
    first = page.ok("GET", "/projects/wine/audit?limit=4")
    rest = page.ok("GET", f"/projects/wine/audit?limit=4&cursor={first['next']}")
    ids = [e["id"] for e in first["items"] + rest["items"]]
    assert len(ids) == 6 and ids == sorted(ids, reverse=True) and rest["next"] is None
    assert {e["action"] for e in page.ok("GET", "/projects/wine/audit?action=invitation")["items"]} == {"invitation.create"}
    entry = rest["items"][-1]
    assert (entry["ip"], AuditEntry.objects.get(pk=entry["id"]).user_agent) == ("127.0.0.1", "test browser")
    assert page.error(422, "GET", "/projects/wine/audit?limit=0")["field"] == "limit"
    assert page.error(422, "GET", "/projects/wine/audit?cursor=x")["field"] == "cursor"


def test_every_successful_write_of_core_leaves_an_entry() -> None:
    """One call of each write route; a new write route without a line here fails."""
    from tests.backend.core.test_permissions import ALL

    ada, bob = user("ada@example.com", PASSWORD), user("bob@example.com")
    wine = project("wine", owner=ada, viewer=bob)
    project("old", owner=ada)
    page, invited, gone = Api(ada), Api(bob), Api()
    invitation = page.ok("POST", "/projects/wine/invitations", {"email": "new@example.com", "role": "viewer"})
    to_bob = page.ok("POST", "/projects/old/invitations", {"email": bob.email, "role": "viewer"})["link"].rsplit("/", 1)[1]
    to_eve = page.ok("POST", "/projects/old/invitations", {"email": "eve@example.com", "role": "viewer"})["link"].rsplit("/", 1)[1]
    made = page.ok("POST", "/tokens", {"name": "t"})
    reset = links.make(ada, SignInLink.Purpose.RESET, timedelta(hours=1))
    gone.ok("POST", "/session", {"email": "ada@example.com", "password": PASSWORD})
    calls: dict[tuple[str, str], tuple[Api, str, Any]] = {
        ("PATCH", "/me"): (page, "/me", {"name": "Ada L"}),
        ("POST", "/me/password"): (page, "/me/password", {"current": PASSWORD, "password": ANOTHER}),
        ("POST", "/session"): (Api(), "/session", {"email": "ada@example.com", "password": ANOTHER}),
        ("POST", "/accounts"): (Api(), "/accounts", {"token": to_eve, "email": "eve@example.com", "name": "Eve", "password": PASSWORD}),
        ("POST", "/password/forgotten"): (Api(), "/password/forgotten", {"email": "ada@example.com"}),
        ("POST", "/invitations/{token}/accept"): (invited, f"/invitations/{to_bob}/accept", None),
        ("POST", "/tokens"): (page, "/tokens", {"name": "t"}),
        ("DELETE", "/tokens/{uuidstr:token_id}"): (page, f"/tokens/{made['id']}", None),
        ("POST", "/projects"): (page, "/projects", {"name": "New"}),
        ("PATCH", "/projects/{project}"): (page, "/projects/wine", {"name": "W"}),
        ("DELETE", "/projects/{project}"): (page, "/projects/old", None),
        ("PATCH", "/projects/{project}/members/{uuidstr:user_id}"): (page, f"/projects/wine/members/{bob.pk}", {"role": "editor"}),
        ("DELETE", "/projects/{project}/members/{uuidstr:user_id}"): (page, f"/projects/wine/members/{bob.pk}", None),
        ("POST", "/projects/{project}/invitations"): (page, "/projects/wine/invitations", {"email": "z@example.com", "role": "viewer"}),
        ("DELETE", "/projects/{project}/invitations/{uuidstr:invitation_id}"): (
            page,
            f"/projects/wine/invitations/{invitation['id']}",
            None,
        ),
        ("DELETE", "/session"): (page, "/session", None),
        ("POST", "/password/reset"): (
            Api(),
            "/password/reset",
            {"token": links.make(bob, SignInLink.Purpose.RESET, timedelta(hours=1)), "password": ANOTHER},
        ),
    }
    from backend.core.api import router

    core = {(m, p) for p, view in router.path_operations.items() for o in view.operations for m in o.methods if m != "GET"}
    assert core == set(calls) and core <= {(m, p) for m, p, _ in ALL}
    for (method, _), (caller, path, body) in calls.items():
        before = AuditEntry.objects.count()
        caller.ok(method, path, body)
        assert AuditEntry.objects.count() > before, f"{method} {path} left nothing in the log"
    assert links.use(reset, SignInLink.Purpose.RESET) is None, "a changed password spends the reset links on their way"
    assert wine.memberships.count() == 1
