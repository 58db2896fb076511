"""What staff do about one attempt to pay online."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, staff_required
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.queries import attempt_for_staff
from tenant_apps.payments.review import NotOpen, confirm_attempt, refuse_attempt
from tenant_apps.payments.services import check_now


@require_POST
@staff_required(Role.CLERK)
def check_attempt(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Vérifier maintenant »: ask the Treasury what became of an attempt."""
    attempt = found(attempt_for_staff, public_id)
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
@staff_required(Role.CLERK)
def confirm(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The accountant's list has it: the announced or held payment is booked."""
    return _decide(request, public_id, confirm_attempt, _("Le paiement est enregistré."))


@require_POST
@staff_required(Role.CLERK)
def refuse(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """No money came: the invoice can be paid again."""
    return _decide(request, public_id, refuse_attempt, _("La facture peut de nouveau être réglée."))


def _decide(
    request: StaffRequest, public_id: UUID, decide: Callable[..., Attempt], done: str
) -> HttpResponse:
    attempt = found(attempt_for_staff, public_id)
    try:
        decide(actor=request.user, attempt=attempt)
    except NotOpen as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("backoffice:invoice", attempt.invoice.uuid)
