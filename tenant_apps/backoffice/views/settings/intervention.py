"""An operator acts in the place of a member of staff: enter with a ticket, leave; managers see the list."""

from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.errors import TicketRefused
from shared_apps.accounts.models import Impersonation, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.throttling import throttle
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.paging import page_of

REFUSED = throttle.Limit("ticket", 20)  # refused tickets per IP address


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, ticket: str) -> HttpResponse:
    """A GET says what the ticket allows; the POST uses it up."""
    use = impersonation.start if request.method == "POST" else impersonation.find
    try:
        with throttle.take((REFUSED, throttle.client_address(request))) as tries:
            row = use(ticket=ticket)
            tries.succeed()
        if request.method == "POST":
            return _come_in(request, row)
        context = {"impersonation": row, "length": impersonation.LENGTH}
        response = render(request, "backoffice/intervention_enter.html", context)
    except TicketRefused as error:
        response = render(
            request, "backoffice/intervention_refused.html", {"problem": str(error)}, status=410
        )
    # sends the origin, which the CSRF check needs; nobody else gets the address
    response["Referrer-Policy"] = "same-origin"
    return response


def _come_in(request: HttpRequest, row: Impersonation) -> HttpResponse:
    """Open the session. Not with `login()`, which would record that the member of staff signed in."""
    request.session.flush()
    request.session[SESSION_KEY] = str(row.account.pk)
    request.session[BACKEND_SESSION_KEY] = "shared_apps.accounts.backends.EmailBackend"
    request.session[HASH_SESSION_KEY] = row.account.get_session_auth_hash()
    request.session[impersonation.SESSION_MARK] = str(row.uuid)
    request.session.set_expiry(int(impersonation.LENGTH.total_seconds()))
    rotate_token(request)
    return redirect("backoffice:home")


@require_POST
@staff_required(Role.READER)
def leave(request: StaffRequest) -> HttpResponse:
    """« Terminer »: end the intervention."""
    if request.user.impersonated_by is None:
        raise Http404
    impersonation.end(impersonation=request.user.impersonated_by)
    request.session.flush()
    messages.success(request, _("L'intervention est terminée."))
    return redirect("portal:sign-in")


@require_safe
@staff_required(Role.MANAGER)
def interventions(request: StaffRequest) -> HttpResponse:
    """Who acted in whose place, when and why."""
    rows = Impersonation.objects.filter(started_at__isnull=False).select_related("account").order_by("-id")
    page = page_of(rows, request.GET.get("apres", ""), request.scope)
    return screen(
        request, "interventions.html", section="settings", place="town", page=page, now=timezone.now()
    )
