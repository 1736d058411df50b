"""The OpenAPI document: what ninja derives from the routes, and, in one place, what all routes have in common:
who may call them, which errors they answer, and in which shape."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from backend.core.schemas import ErrorOut

SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "name": "headrace_session",
    "description": "The browser's session; writes also need the header X-CSRFToken.",
}
ERRORS = {
    400: "The request is not HTTP or JSON as it should be",
    401: "Not signed in, or the token is not good",
    403: "Signed in, but not allowed",
    404: "There is no such thing, or you may not know of it",
    405: "Not possible at this address; the header `Allow` names what is",
    409: "It does not fit what is there now",
    413: "Too large",
    416: "The header `Range` asks for bytes after the end; `Content-Range` says how many there are",
    422: "Some of the input is not right; `problems` names each field",
    429: "Too many; `Retry-After` says when to try again",
    500: "Something went wrong in the studio",
    503: "A part of the studio is away for a moment",
}


class Document(OpenAPISchema):
    """Exact answers for every operation."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details = super().operation_details(operation)
        access = getattr(operation.view_func, "access", "")
        details["description"] = f"{details.get('description', '')}\n\n{_who(access)}".strip()
        details["security"] = (
            []
            if access == "public"
            else [{"session": []}]
            if access in ("in_person", "administrator")
            else [{"SessionOrToken": []}, {"session": []}]
        )
        if getattr(operation.view_func, "idempotent", False):
            details["parameters"].append(
                {
                    "in": "header",
                    "name": "Idempotency-Key",
                    "required": False,
                    "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"},
                    "description": "A repeat with the same key gets the first one's answer and does nothing.",
                }
            )
        for status in errors_of(operation) + ([416] if 206 in details["responses"] else []):
            details["responses"].setdefault(status, {"$ref": f"#/components/responses/Error{status}"})
        details["responses"] = dict(sorted(details["responses"].items()))
        for parameter in details["parameters"]:
            _exact(parameter)
        return details

    def get_components(self) -> dict[str, Any]:
        error = ErrorOut.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        self.add_schema_definitions(error.pop("$defs"))
        self.add_schema_definitions({"ErrorOut": error})
        found = super().get_components()
        found["securitySchemes"] = {
            "SessionOrToken": {"type": "http", "scheme": "bearer", "description": "An API token: `Authorization: Bearer hr_…`"},
            "session": SESSION,
        }
        found["schemas"] = dict(sorted(found["schemas"].items()))
        body = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
        found["responses"] = {f"Error{status}": {"description": text, "content": body} for status, text in ERRORS.items()}
        return found


def errors_of(operation: Operation) -> list[int]:
    """Which of the common errors this operation can answer."""
    access = getattr(operation.view_func, "access", "")
    writes = operation.methods[0] not in ("GET", "HEAD")
    found = {400, 401, 422, 500, 503}  # 401 for anyone who sends a token that is not good
    if access != "public" or writes:
        found |= {403}  # a role, a bound token, or the CSRF check of a session
    if "{" in operation.path:
        found |= {404}
    if "/demos/{" in operation.path:  # what is no id is the name of a demo, which can only be started
        found |= {405}
    if writes:
        found |= {404, 409, 413, 429}
    return sorted(found)


def _who(access: str) -> str:
    words = {
        "public": "For anyone.",
        "signed_in": "For anyone signed in.",
        "administrator": "For administrators of the studio, with the browser; API tokens may not.",
        "in_person": "For anyone signed in with the browser; API tokens may not.",
    }
    return words.get(access, f"Needs the permission `{access}` in the project.")


def _exact(parameter: dict[str, Any]) -> None:
    """What an address can carry: a part of a path is never empty and has no slash (the router would not bring it here),
    and a query has no null (leave the parameter out)."""
    schema = parameter["schema"]
    if parameter["in"] == "path" and schema.get("type") == "string" and not {"format", "enum", "pattern"} & schema.keys():
        schema.setdefault("minLength", 1)
        if parameter["name"] != "path":
            schema["pattern"] = "^[^/]+$"
    if parameter["in"] == "query" and (choices := schema.get("anyOf")):
        rest = [choice for choice in choices if choice.get("type") != "null"]
        if len(rest) == 1:
            schema.pop("anyOf")
            schema.update(rest[0])
        else:
            schema["anyOf"] = rest
        if schema.get("default", "") is None:
            schema.pop("default")


class Api(NinjaAPI):
    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        return Document(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)
