"""`/hosts/v1/blobs/…/<digest>`: the artifact store for hosts that have joined (`workers.sdk.remote` is the other end).

Bytes by digest, with the host's token and nothing else: a host runs steps of every project. What is put is hashed here and kept under the
name that its bytes give, so nobody can put other bytes in an artifact's place.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from backend.artifacts.responses import stored_response
from backend.artifacts.storage import store
from backend.runs.hosts.queries import host_of
from workers.sdk.store import BINARY, PIECE, BlobMissing


@csrf_exempt
def blob(request: HttpRequest, digest: str) -> HttpResponseBase:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or host_of(secret.strip()) is None:
        return HttpResponse("This is for hosts that have joined.\n", status=401, content_type="text/plain")
    match request.method:
        case "GET" | "HEAD":
            try:
                if request.method == "GET":
                    return stored_response(request, digest, filename=digest, media_type=BINARY)
                answer = HttpResponse(content_type=BINARY)
                answer["Content-Length"], answer["Last-Modified"] = str(store().size(digest)), http_date(store().modified(digest))
                return answer
            except BlobMissing:
                return HttpResponse("There is no such blob.\n", status=404, content_type="text/plain")
        case "PUT":
            stored = store().put_stream(iter(lambda: request.read(PIECE), b""))
            if stored.digest == digest:
                return HttpResponse(status=204)
            return HttpResponse(f"These bytes are {stored.digest}.\n", status=422, content_type="text/plain")
    return HttpResponse(status=405, headers={"Allow": "GET, HEAD, PUT"})
