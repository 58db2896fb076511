"""Who is signed in, and whether an operator acts in their place."""

from django.contrib import auth, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.throttling import known_browsers, refusals


class PeopleMiddleware(AuthenticationMiddleware):
    """Sets `request.user` like Django, and ends a session of impersonation at its time limit.

    Answers TooManyTries wherever it is raised, and gives its cookie to a browser that has opened an account.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _who(request))  # type: ignore[assignment]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusals.page(request, exception)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        known_browsers.remember(request, response)
        return response


def _who(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    if not hasattr(request, "_cached_person"):
        request._cached_person = _look(request)  # type: ignore[attr-defined]
    person: AbstractBaseUser | AnonymousUser = request._cached_person  # type: ignore[attr-defined]
    return person


def _look(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    user = auth.get_user(request)
    mark = request.session.get(impersonation.SESSION_MARK)
    if mark is None or not isinstance(user, Account):
        return user
    user.impersonated_by = impersonation.running(mark)
    if user.impersonated_by is None:
        request.session.flush()
        messages.info(request, _("L'intervention est terminée."), fail_silently=True)
        return AnonymousUser()
    return user
