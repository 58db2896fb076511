"""Which messages a person gets: chosen in « Mes informations », or refused from a message (docs/manual.md, M14)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shared_apps.accounts import services as accounts
from shared_apps.accounts.throttling import throttle
from shared_apps.mail import notices, unsubscribing
from shared_apps.mail.unsubscribing import Refusal
from tenant_apps.notices.unsubscribing import unsubscribe as refuse
from tenant_apps.portal.access import ResidentRequest, client_address, resident_required
from tenant_apps.portal.forms import AlertForm
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall

BAD_TICKETS = throttle.Limit("unsubscribe", 50)  # per IP address


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def choices(request: ResidentRequest) -> HttpResponse:
    """One check box for each kind of message that the town sends."""
    offered = _offered(current_townhall())
    wanted = {kind: kind not in request.user.refused for kind in offered}
    form = AlertForm(request.POST if request.method == "POST" else None, initial=wanted, offered=offered)
    if request.method == "POST" and form.is_valid():
        accounts.choose_notices(actor=request.user, wanted=form.wanted, among=list(offered))
        messages.success(request, _("Votre choix est enregistré."))
        return redirect("portal:my-details")
    return render(request, "portal/alert_choices.html", {"section": "account", "form": form})


def _offered(townhall: TownHall) -> dict[str, str]:
    """Choice → label of its check box, for the kinds that this town sends."""
    boxes = {choice.name: choice.box(townhall) for choice in notices.choices()}
    return {name: box for name, box in boxes.items() if box is not None}


@csrf_exempt  # mail services post here without cookies (RFC 8058): the sealed ticket is the only proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, ticket: str) -> HttpResponse:
    """« Ne plus recevoir ces messages »: a GET only shows a button; the POST does it."""
    try:
        with throttle.take((BAD_TICKETS, client_address(request))) as tries:
            act = unsubscribing.read if request.method != "POST" else _refuse
            refusal = act(ticket)
            tries.succeed()
    except unsubscribing.BadTicket:
        response = render(request, "portal/unsubscribe_bad.html", status=410)
    else:
        context = {"refusal": refusal, "done": request.method == "POST"}
        response = render(request, "portal/unsubscribe.html", context)
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _refuse(ticket: str) -> Refusal:
    return refuse(ticket=ticket)
