"""Before a change of how the account opens: was it really them, just now?"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.account import ProofForm

View = Callable[..., HttpResponse]


def proven(view: View) -> View:
    """Whoever signed in, or gave their password, less than ten minutes ago; anybody else gives it now."""

    @wraps(view)
    def wrapped(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if recent.is_recent(request.session, recent.JUST_NOW):
            return view(request, *args, **kwargs)
        is_page = request.method in ("GET", "HEAD")
        wanted = request.get_full_path() if is_page else reverse("backoffice:account")
        return redirect(reverse("backoffice:prove") + "?" + urlencode({"suite": wanted}))

    return wrapped


def wanted(request: StaffRequest) -> str:
    """`suite` when it is an address of this very host, else empty."""
    suite = request.POST.get("suite") or request.GET.get("suite") or ""
    safe = url_has_allowed_host_and_scheme(
        suite, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return suite if safe and suite.startswith("/") else ""


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.READER, unprotected=True, in_person=True)
def prove(request: StaffRequest) -> HttpResponse:
    """« Votre mot de passe, s'il vous plaît », then on to what was wanted."""
    form = ProofForm(request.POST if request.method == "POST" else None)
    refused: AccountError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            recent.prove(actor=request.user, password=form.cleaned_data["password"], session=request.session)
            return redirect(wanted(request) or "backoffice:account")
        except AccountError as error:
            form.add_error("password", str(error))
            refused = error
    status = 422 if form.errors else 200
    page = screen(
        request, "account/prove.html", section="account", form=form, suite=wanted(request), status=status
    )
    return marked(page, refused)
