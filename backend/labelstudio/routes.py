"""Every route of Label Studio's API that we serve, each with what it asks of the caller, in one table (`ROUTES`).

    @route("GET", "tasks/<task>/", "label.read")
    def get_task(call: Call) -> Any: …

What is in angle brackets (or, with `by`, a field of the query or the body) names what the route is about; it leads to a label schema, the
schema to a project, and the caller's role there is looked up in `core/permissions` before anything else is read. Other routes are
`signed_in` or `public`. Label Studio's clients write some addresses with a slash at the end and some without: both are served.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from backend.core.errors import HeadraceError, InvalidInput, MethodNotAllowed, NotFound, RouteNotFound, TooLarge, Unavailable, WentWrong
from backend.core.http import ApiRequest, authorize
from backend.core.models import ApiToken, Project, User
from backend.core.parser import read_json
from backend.core.permissions import ACTIONS
from backend.labeling.models import LabelSchema
from backend.labeling.queries.masks import masked
from backend.labelstudio.auth import caller
from backend.labelstudio.errors import OnlyInTheBrowser, TokenTooNarrow, answer
from backend.labelstudio.queries.subjects import SUBJECTS, counterpart_of

log = logging.getLogger("headrace.web")
WORDS = ("public", "signed_in")
LARGEST = 2**63 - 1
UPLOADED = "import/file-upload/<upload>/file"
"""The route that Label Studio has at /data/upload/…"""
Served = Callable[["Call"], Any]


@dataclass(kw_only=True)
class Call:
    """What a route is given. `schema`, `project`, `role` and `subject` are there where the route is about something."""

    request: ApiRequest
    user: User
    token: ApiToken
    schema: LabelSchema
    project: Project
    role: str
    subject: Any
    parts: dict[str, int]
    _body: Any = None

    @property
    def query(self) -> Any:
        return self.request.GET

    @property
    def body(self) -> Any:
        """The JSON that came; {} where none did."""
        if self._body is None:
            self._body = read_json(self.request) if self.request.body else {}
        return self._body

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object that came. Fields that nobody knows are left alone, as Label Studio does."""
        if not isinstance(self.body, dict):
            raise InvalidInput(message="The body is a JSON object.")
        return self.body

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1", "yes")

    def number(self, name: str, default: int, most: int = LARGEST) -> int:
        text = self.query.get(name, "")
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise InvalidInput(message=f"“{text[:40]}” is no whole number.", field=name)
        return min(int(text), most)


@dataclass(frozen=True, kw_only=True)
class Route:
    """`about` is the kind of thing that the address names, `by` the field that names it where the address does not."""

    method: str
    path: str
    access: str
    about: str
    by: str
    view: Served


ROUTES: list[Route] = []


def route(method: str, path: str, access: str, *, by: str = "") -> Callable[[Served], Served]:
    """`by`: `project` or `task`, in the query (GET, DELETE) or the body."""
    if access not in ACTIONS and access not in WORDS:
        raise LookupError(f"“{access}” is not in core/permissions.ACTIONS")
    named = re.findall(r"<(\w+)>", path)
    about = (named[-1] if named else by) if access in ACTIONS else ""
    if access in ACTIONS and about not in SUBJECTS:
        raise LookupError(f"{method} {path}: what the table is asked about must be named by the address or by a field")

    def keep(view: Served) -> Served:
        ROUTES.append(Route(method=method, path=path, access=access, about=about, by=by, view=view))
        return view

    return keep


def urlpatterns() -> list[URLPattern]:
    """One pattern for each address, and one for everything else below /api/ that is not ours."""
    by_path: dict[str, dict[str, Route]] = {}
    for one in ROUTES:
        by_path.setdefault(one.path.rstrip("/"), {})[one.method] = one
    found = [re_path(rf"^api/{_pattern(path)}/?$", _dispatcher(methods)) for path, methods in by_path.items()]
    uploaded = re_path(r"^data/upload/[0-9]{1,18}/(?P<upload>[0-9]{1,18})-[^/]+$", _dispatcher(by_path[UPLOADED]))
    return [*found, re_path(r"^api/(?!v1(?:/|$))", csrf_exempt(_nothing_here)), uploaded]


def _pattern(path: str) -> str:
    return re.sub(r"<(\w+)>", r"(?P<\1>[0-9]{1,18})", path)


def _nothing_here(request: HttpRequest) -> HttpResponse:
    return answer(RouteNotFound(path=request.path))


def _dispatcher(methods: dict[str, Route]) -> Callable[..., HttpResponseBase]:
    @csrf_exempt  # a cookie is never looked at: nobody else's page can act in a person's name
    def view(request: HttpRequest, **parts: str) -> HttpResponseBase:
        found = methods.get("GET" if request.method == "HEAD" else request.method or "")
        try:
            if found is None:
                response: HttpResponseBase = answer(MethodNotAllowed(method=request.method))
                response["Allow"] = ", ".join(sorted(methods))
                return response
            return _serve(request, found, {name: int(value) for name, value in parts.items()})
        except HeadraceError as error:
            return answer(error)
        except RequestDataTooBig:
            return answer(TooLarge(message="The request's body is too large.", hint="At most 20 MB; import in several calls."))
        except DataError as error:
            log.warning("request %s: %s", getattr(request, "id", ""), error)
            return answer(InvalidInput(message="One of the values cannot be stored."))
        except (OperationalError, InterfaceError) as error:
            log.error("request %s: the database is away: %s", getattr(request, "id", ""), error)
            return answer(Unavailable(message="The database is away for a moment.", retry_after=2))
        except Exception as error:
            went = WentWrong(request_id=getattr(request, "id", ""))
            log.error("request %s: %s %s", went.details["request_id"], request.method, request.path, exc_info=error)
            got_request_exception.send(sender=view, request=request)
            return answer(went)

    return view


def _serve(request: Any, found: Route, parts: dict[str, int]) -> HttpResponseBase:
    call: Any = Call(request=request, user=None, token=None, schema=None, project=None, role="", subject=None, parts=parts)  # type: ignore[arg-type]  # filled below
    if found.access != "public":
        call.token, reads = caller(request)
        call.user = request.user = call.token.user
        request.token = call.token
        if found.about:
            call.schema, call.subject = _subject(call, found)
            call.project, call.role = _allowed(call, found)
            request.project, request.role = call.project, call.role
            if masked(call.schema, call.role):
                raise OnlyInTheBrowser()
        if reads is not None and (found.method != "GET" or call.schema is None or counterpart_of(call.schema).pk != reads):
            raise TokenTooNarrow()
    made = found.view(call)
    if isinstance(made, HttpResponseBase):
        return made
    status, body = made if isinstance(made, tuple) else (200, made)
    return HttpResponse(status=status) if body is None else JsonResponse(body, status=status, safe=False)


def _allowed(call: Call, found: Route) -> tuple[Project, str]:
    try:
        return authorize(call.user, call.schema.project.slug, found.access, call.token)
    except NotFound:  # said as of what is not there at all: the project's name is not given away
        name = call.parts.get(found.about) or call.query.get(found.by) or call.fields.get(found.by)
        raise NotFound(what=found.about, name=str(name)) from None


def _subject(call: Call, found: Route) -> tuple[LabelSchema, Any]:
    if not found.by:
        about = re.findall(r"<(\w+)>", found.path)
        schema, subject = SUBJECTS[about[0]](call.parts[about[0]])
        for name in about[1:]:
            inner, subject = SUBJECTS[name](call.parts[name])
            if inner.pk != schema.pk:
                raise NotFound(what=name, name=str(call.parts[name]))
        return schema, subject
    given: Any = call.query.get(found.by)
    if given is None and found.method not in ("GET", "DELETE"):
        given = call.fields.get(found.by)
    try:
        number = int(given)
    except (TypeError, ValueError):
        raise InvalidInput(
            message="This field is required." if given is None else f"“{str(given)[:40]}” is no number.", field=found.by
        ) from None
    if not 0 < number <= LARGEST:
        raise NotFound(what=found.by, name=str(number))
    return SUBJECTS[found.by](number)
