"""M8-M11: the payment screen, the way to the Treasury and back."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import services as payments
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.providers.base import ProviderError
from tenant_apps.payments.queries import last_attempt, online_payment
from tenant_apps.payments.states import AttemptState
from tenant_apps.portal.access import ResidentRequest, with_invoice

WAITING = (AttemptState.CREATED, AttemptState.STARTED)


@require_http_methods(["GET", "HEAD", "POST"])
@with_invoice
def pay(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M9: « Informations pour le paiement TIPI »; the POST opens the payment and leads to the Treasury."""
    problem = ""
    if request.method == "POST":
        try:
            return redirect(payments.start_payment(actor=request.user, invoice=invoice).url)
        except (NotPayable, ProviderError) as error:
            problem = str(error)
    context = {
        "section": "payments",
        "invoice": invoice,
        "online": online_payment(invoice),
        "problem": problem,
    }
    return render(request, "portal/pay.html", context, status=409 if problem else 200)


@require_safe
@with_invoice
def payment_return(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """Where the payer comes back to. What the address says is not believed: the Treasury is asked."""
    return render(request, "portal/return.html", _outcome(request, invoice))


@require_safe
@with_invoice
def payment_state(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """The part of the return page that a waiting browser asks for again."""
    return render(request, "portal/_outcome.html", _outcome(request, invoice))


def _outcome(request: ResidentRequest, invoice: Invoice) -> dict[str, object]:
    attempt = last_attempt(invoice)
    if attempt is not None and attempt.state in WAITING:
        attempt = payments.check_now(actor=request.user, attempt=attempt)
    # After the attempt, never before it: the worker may have settled it since the door read the invoice.
    invoice.refresh_from_db(fields=["paid", "state"])
    return {
        "section": "payments",
        "invoice": invoice,
        "attempt": attempt,
        "waiting": attempt is not None and attempt.state in WAITING,
    }
