"""Compress pages, even without a proxy. Downloads are compressed already."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_TEXT = ("text/html", "text/css", "text/csv", "image/svg+xml")


class GzipText(GZipMiddleware):
    """Django's middleware, which hides the length of secrets (BREACH), for complete text answers only."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind in _TEXT and isinstance(response, HttpResponse):
            return super().process_response(request, response)
        return response
