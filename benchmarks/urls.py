"""The test project's URLs, and the minimal endpoint that is the baseline."""

import hashlib
import hmac
import os

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.static import serve

from tests.urls import urlpatterns as tested
from wagtail_zoom.conf import settings

from .models import BareEvent


@csrf_exempt
@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    """Check the HMAC, insert one row, answer."""
    stamp = request.headers.get("x-zm-request-timestamp", "")
    signed = b"v0:" + stamp.encode() + b":" + request.body
    secret = settings.webhook_secret_tokens[0].encode()
    expected = "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-zm-signature", "")):
        return HttpResponse(status=401)
    BareEvent.objects.create(
        request_id=request.headers["x-zm-request-id"], body=request.body.decode()
    )
    return JsonResponse({})


static_file = login_not_required(serve)
urlpatterns = [
    path("bare/", bare),
    path("file/<path:path>", static_file, {"document_root": os.environ.get("BENCH_FILES", "")}),
    *tested,
]
