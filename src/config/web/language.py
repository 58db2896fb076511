"""The language of a page: the person's choice, else the cookie's, else the browser's, else French."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from shared_apps.accounts.models import Account

OPERATOR = "admin"  # the role of the host of the console, which is in French


class LanguageMiddleware:
    """Set the language for every request, so that a thread never keeps the previous one.

    Pages depend on cookie and Accept-Language, and tell caches so. Files are the same for all
    (`toolkit.words.same_for_all` on the view), so we do not ask who is signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _speak(request, translation.get_language_from_request(request))
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Apply the person's choice: by now the person and the host are known."""
        if getattr(request, "public_role", "") == OPERATOR:
            _speak(request, settings.LANGUAGE_CODE)
        elif not getattr(view, "same_for_all", False):
            speak_to_person(request)


def speak_to_person(request: HttpRequest) -> None:
    """Use the signed-in person's language, also for pages that no view writes."""
    if not getattr(request, "town", None):
        return
    person = request.user
    # During an impersonation, the operator's browser decides.
    if isinstance(person, Account) and person.language and person.impersonated_by is None:
        _speak(request, person.language)


def _speak(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()
