"""M8-M11: the payment screen, the way to the Treasury and back."""

from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoice_for_resident, invoices_for_resident
from tenant_apps.payments import services as payments
from tenant_apps.payments.bells import hear_return
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.providers.base import EmailRefused, ProviderError
from tenant_apps.payments.queries import (
    free_from,
    last_attempt,
    online_payment,
    payment_of_attempt,
    was_refused_for_the_address,
)
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.payments.together import paid_by
from tenant_apps.portal.access import ResidentRequest, with_invoice
from tenant_apps.portal.views.paying_several import address_of

LOOKED_AT = 5  # invoices among which the following one is looked for: each is asked about once
WAITING = (AttemptState.CREATED, AttemptState.STARTED)


@require_http_methods(["GET", "HEAD", "POST"])
@with_invoice
def pay(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M9: « Informations pour le paiement TIPI »; the POST opens the payment and leads to the Treasury."""
    problem, status = "", 200
    error: Exception | None = None
    if request.method == "POST":
        try:
            return redirect(payments.start_payment(actor=request.user, invoice=invoice).url)
        except (NotPayable, ProviderError) as raised:
            error, problem, status = raised, str(raised), 409
    # Read again: the refusal may have closed the product, or somebody paid meanwhile.
    invoice = invoice_for_resident(request.user, invoice.uuid)
    online = online_payment(invoice)
    context = {
        "section": "payments",
        "invoice": invoice,
        "online": online,
        "problem": "" if problem == online.reason else problem,
        "ask_address": isinstance(error, EmailRefused),
        "mine": online.code == "busy" and _is_mine(request, online.attempt),
        "until": free_from(online.attempt) if online.attempt else "",
    }
    return render(request, "portal/pay.html", context, status=status)


def _is_mine(request: ResidentRequest, attempt: Attempt | None) -> bool:
    return attempt is not None and attempt.account_id == request.user.pk


@csrf_exempt  # the Treasury's page may send the payer back by POST; nothing is changed by it
@require_http_methods(["GET", "HEAD", "POST"])
@with_invoice
def payment_return(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """Where the payer comes back to. What the address says is not believed: the Treasury is asked."""
    context = _outcome(request, invoice)
    hear_return(invoice=invoice, fields={**request.GET.dict(), **request.POST.dict()})
    if request.method == "POST":
        return redirect("portal:payment-return", invoice.uuid)
    return render(request, "portal/return.html", context)


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
    payment = payment_of_attempt(attempt) if attempt is not None else None
    return {
        "section": "payments",
        "invoice": invoice,
        "attempt": attempt,
        "payment": payment,
        "excess": payment.left_over if payment else 0,
        "ask_address": attempt is not None and was_refused_for_the_address(attempt),
        "until": free_from(attempt) if attempt is not None else "",
        "waiting": attempt is not None and attempt.state in WAITING,
        "following": following_invoice(request.user, invoice) if invoice.is_paid else None,
        **_of_several(request.user, invoice, attempt),
    }


def _of_several(account: Account, invoice: Invoice, attempt: Attempt | None) -> dict[str, object]:
    """What a payment of several invoices pays of those that `account` may see, and the way to begin it again."""
    if attempt is None or not attempt.several:
        return {}
    parts = paid_by(attempt)
    visible = invoices_for_resident(account).filter(attempts=attempt).order_by("id")
    mine = {one.pk for one in visible} | {invoice.pk}  # the door has let in to that one, cancelled or not
    seen = [part for part in parts if part.invoice_id in mine]
    unpaid = [one for one in visible if one.balance]
    return {
        "parts": seen,
        "sum": sum((part.amount for part in seen), Decimal("0.00")),
        "sees_all": len(seen) == len(parts),
        "lives": attempt.state in LIVE,  # the others still wait, even if this one was paid otherwise
        "again": address_of(unpaid) if unpaid else "",
    }


def following_invoice(account: Account, invoice: Invoice) -> Invoice | None:
    """The next invoice that `account` can pay online now: one at a time, one after the other (payfip.md §1)."""
    unpaid = invoices_for_resident(account, status="unpaid").exclude(pk=invoice.pk).order_by("due_on", "id")
    return next((other for other in unpaid[:LOOKED_AT] if online_payment(other).can), None)
