"""The HTTP side of a refusal: its status, and when to come back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shared_apps.accounts.errors import AccountError, TooBusy, TooManyTries


def marked(response: HttpResponse, error: AccountError | None) -> HttpResponse:
    """Set the status and `Retry-After` of `error` on `response`; without an error, return it unchanged."""
    if error is not None:
        response.status_code = error.status
        if error.wait:
            response["Retry-After"] = str(error.wait)
    return response


def page(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """A full page for a refusal that no view has handled; None for any other error."""
    if isinstance(error, TooManyTries):
        return marked(render(request, "errors/too_many.html", {"problem": str(error)}), error)
    if isinstance(error, TooBusy):
        return marked(render(request, "errors/too_busy.html", {"problem": str(error)}), error)
    return None
