"""« Mes dossiers »: who else sees a payer's invoices, and invitations."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.throttling import throttle
from tenant_apps.portal.access import ResidentRequest, client_address, resident_required
from tenant_apps.portal.forms import InviteForm
from tenant_apps.portal.people import people_of
from tenant_apps.residents import sharing
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import (
    accesses_of_payer,
    invitation_of,
    payer_for_resident,
    shared_accesses,
)

INVITED = throttle.Limit("invite", 20)  # per IP address


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def payer_page(request: ResidentRequest, public_id: UUID) -> HttpResponse:
    """One payer: who sees it and who is invited. Each form says in `quoi` what it does."""
    try:
        payer = payer_for_resident(request.user, public_id)
        act = _ACTS.get(request.POST.get("quoi", "")) if request.method == "POST" else None
        return act(request, payer) if act else _show(request, payer, InviteForm())
    except (ObjectDoesNotExist, ValueError):
        raise Http404 from None


def _show(request: ResidentRequest, payer: Payer, form: InviteForm, status: int = 200) -> HttpResponse:
    context = {"section": "account", "payer": payer, "form": form, **vars(people_of(request.user, payer))}
    return render(request, "portal/payer.html", context, status=status)


def _invite(request: ResidentRequest, payer: Payer) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _show(request, payer, form, status=422)
    throttle.take((INVITED, client_address(request)))
    email = form.cleaned_data["email"]
    try:
        sharing.invite(actor=request.user, payer=payer, email=email)
    except AccountError as error:
        form.add_error("email", str(error))
        return _show(request, payer, form, status=422)
    words = _("Une invitation part vers %(email)s. Elle est valable 7 jours.")
    messages.success(request, words % {"email": email})
    return redirect("portal:payer", payer.uuid)


def _withdraw(request: ResidentRequest, payer: Payer) -> HttpResponse:
    link = invitation_of(request.user, payer, UUID(request.POST.get("qui", "")))
    sharing.withdraw_invitation(actor=request.user, link=link)
    messages.success(request, _("L'invitation de %(email)s est annulée.") % {"email": link.email})
    return redirect("portal:payer", payer.uuid)


def _end(request: ResidentRequest, payer: Payer) -> HttpResponse:
    given = shared_accesses(payer).filter(granted_by=request.user.uuid)
    access = given.get(account__uuid=UUID(request.POST.get("qui", "")))
    sharing.end_access(actor=request.user, access=access)
    messages.success(request, _("%(email)s ne voit plus ces factures.") % {"email": access.account.email})
    return redirect("portal:payer", payer.uuid)


def _leave(request: ResidentRequest, payer: Payer) -> HttpResponse:
    sharing.end_access(actor=request.user, access=accesses_of_payer(payer).get(account=request.user))
    messages.success(request, _("Vous ne voyez plus les factures de %(name)s.") % {"name": payer.full_name})
    return redirect("portal:my-details")


_ACTS: dict[str, Callable[[ResidentRequest, Payer], HttpResponse]] = {
    "inviter": _invite,
    "annuler": _withdraw,
    "retirer": _end,
    "quitter": _leave,
}
