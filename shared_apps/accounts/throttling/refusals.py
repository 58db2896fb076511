"""Why not, as HTTP says it: the status of the reason, and when to come back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shared_apps.accounts.errors import AccountError, TooBusy, TooManyTries


def marked(response: HttpResponse, error: AccountError | None) -> HttpResponse:
    """`response`, which tells `error` in words, with its status and `Retry-After`; as it is without an error."""
    if error is not None:
        response.status_code = error.status
        if error.wait:
            response["Retry-After"] = str(error.wait)
    return response


def page(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The whole page of a refusal that no view has told; None for any other error."""
    if isinstance(error, TooManyTries):
        return marked(render(request, "errors/too_many.html", {"problem": str(error)}), error)
    if isinstance(error, TooBusy):
        return marked(render(request, "errors/too_busy.html", {"problem": str(error)}), error)
    return None
