"""Acts of staff on one attempt to pay online."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, staff_required
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.invoices.services import set_online_hold
from tenant_apps.invoices.states import OnlineHold
from tenant_apps.payments.errors import NotOpen
from tenant_apps.payments.queries import attempt_for_staff
from tenant_apps.payments.services import check_now, confirm_attempt, refuse_attempt, reject_debit
from toolkit.typed import words_of


@require_POST
@staff_required(Role.CLERK)
def check_attempt(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Vérifier maintenant »: ask the Treasury for the result of an attempt."""
    attempt = found(attempt_for_staff, request.scope, public_id)
    before, invoice = attempt.state, attempt.invoice
    attempt = check_now(actor=request.user, attempt=attempt)
    if attempt.state == before:
        messages.info(request, _("Le Trésor public n'a rien de nouveau pour l'instant."))
    else:
        messages.success(
            request, _("Le Trésor public a répondu : %(state)s.") % {"state": attempt.get_state_display()}
        )
    return redirect("backoffice:invoice", invoice.uuid)


@require_POST
@staff_required(Role.CASHIER)
def confirm(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The accountant's list shows the payment: book the announced or held attempt."""
    return _decide(request, public_id, confirm_attempt, _("Le paiement est enregistré."))


@require_POST
@staff_required(Role.CASHIER)
def refuse(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """No money came: release the invoice, which can be paid again."""
    return _decide(request, public_id, refuse_attempt, _("La facture peut de nouveau être réglée."))


@require_POST
@staff_required(Role.CASHIER)
def reject(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The bank rejected a direct debit: cancel its payment; the invoice is owed again."""
    decide = partial(reject_debit, reason=words_of(request.POST, "reason", most=300))
    return _decide(
        request, public_id, decide, _("Le prélèvement est rejeté : la facture est de nouveau à régler.")
    )


@require_POST
@staff_required(Role.CLERK)
def change_online_hold(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Close an invoice to online payment, with a reason for the resident; or open it again."""
    invoice = found(invoice_for_staff, request.scope, public_id)
    wanted = request.POST.get("hold", "")
    if wanted in ("", *OnlineHold.values):
        set_online_hold(actor=request.user, invoice=invoice, hold=wanted)
        messages.success(request, _("C'est enregistré : l'usager lit la raison sur sa facture."))
    return redirect("backoffice:invoice", invoice.uuid)


def _decide(request: StaffRequest, public_id: UUID, decide: Callable[..., object], done: str) -> HttpResponse:
    attempt = found(attempt_for_staff, request.scope, public_id)
    try:
        decide(actor=request.user, attempt=attempt)
    except NotOpen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("backoffice:invoice", attempt.invoice.uuid)
