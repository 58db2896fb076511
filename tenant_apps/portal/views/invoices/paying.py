"""Pay an invoice: the payment page, the redirect to the Treasury, the return (docs/manual.md, M8 to M11)."""

from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Account
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoice_for_resident, invoices_for_resident
from tenant_apps.payments import services
from tenant_apps.payments.errors import EmailRefused, NotPayable, ProviderError
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.naming import receipt_reference
from tenant_apps.payments.payability.deciding import Payability, What, free_from
from tenant_apps.payments.payability.reading import payabilities_of, payability_of
from tenant_apps.payments.queries import last_attempt, payment_of_attempt, was_refused_for_the_address
from tenant_apps.payments.readers import capabilities_of, labels_of, paid_by
from tenant_apps.payments.services import receive_return
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.portal.access import ResidentRequest, with_invoice
from tenant_apps.portal.views.invoices.paying_several import address_of

LOOKED_AT = 20  # how many invoices are searched for the next one to pay
WAITING = (AttemptState.CREATED, AttemptState.STARTED)


@require_http_methods(["GET", "HEAD", "POST"])
@with_invoice
def pay(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """« Informations pour le paiement TIPI »: a POST starts or resumes the payment and redirects to it."""
    problem, status = "", 200
    error: Exception | None = None
    if request.method == "POST":
        try:
            return redirect(_page_to_pay(request, invoice))
        except (NotPayable, ProviderError) as raised:
            error, problem, status = raised, str(raised), 409
    # Read again: the error may have closed the product, or somebody may have paid meanwhile.
    invoice = invoice_for_resident(request.user, invoice.uuid)
    payability = _asked_again(request, invoice)
    context = {
        "section": "payments",
        "invoice": invoice,
        "payability": payability,
        "problem": "" if problem == payability.reason else problem,
        "ask_address": isinstance(error, EmailRefused),
        # The browser came back from the payment page: that page is open, and opens only once.
        "came_back": "retour" in request.GET or status == 409,
        "declaration": getattr(invoice, "declaration", None) if payability.what == What.DECLARED else None,
        **_taker(payability.facts.attempt_provider or payability.facts.protocol),
    }
    return render(request, "portal/pay.html", context, status=status)


def _taker(name: str) -> dict[str, object]:
    """What the payment provider calls things, and whether its page opens in a pop-up."""
    found = capabilities_of(name)
    opens_popup = found is not None and found.opens_popup
    return {
        "words": labels_of(name),
        "opens_popup": opens_popup,
        "goes_away": found is not None and not opens_popup,
    }


def _page_to_pay(request: ResidentRequest, invoice: Invoice) -> str:
    """Where a POST redirects: the Treasury's page; ours if there is nothing to resume. Raises NotPayable,
    ProviderError.
    """
    if "reprendre" not in request.POST:
        return services.start_payment(actor=request.user, invoice=invoice).url
    resumed = services.resume_payment(actor=request.user, invoice=invoice)
    return resumed.url if resumed else reverse("portal:pay", args=[invoice.uuid]) + "?retour=1"


def _asked_again(request: ResidentRequest, invoice: Invoice) -> Payability:
    """The payability, after asking the Treasury what became of the payment that the reader began."""
    payability = payability_of(invoice, reader=request.user)
    attempt = last_attempt(invoice) if payability.what == What.BEGUN else None
    if attempt is None:
        return payability
    services.check_now(actor=request.user, attempt=attempt)
    invoice.refresh_from_db(fields=["paid", "state"])
    return payability_of(invoice, reader=request.user)


@csrf_exempt  # the Treasury's page may send the payer back by POST; a forged POST pays nothing
@require_http_methods(["GET", "HEAD", "POST"])
@with_invoice
def payment_return(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """The page where the payer comes back. It does not trust the address: it asks the Treasury."""
    context = _outcome(request, invoice)
    receive_return(invoice=invoice, fields={**request.GET.dict(), **request.POST.dict()})
    if request.method == "POST":
        return redirect("portal:payment-return", invoice.uuid)
    return render(request, "portal/return.html", context)


@require_safe
@with_invoice
def payment_state(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """The part of the return page that a waiting browser polls. 204 when it would show the same again (`vu`)."""
    context = _outcome(request, invoice)
    if context["waiting"] and request.GET.get("vu") == context["seen"]:
        return HttpResponse(
            status=204
        )  # the page stays as it is: no announcement, and the focus does not move
    return render(request, "portal/_outcome.html", context)


def _outcome(request: ResidentRequest, invoice: Invoice) -> dict[str, object]:
    attempt = last_attempt(invoice)
    if attempt is not None and attempt.state in WAITING:
        attempt = services.check_now(actor=request.user, attempt=attempt)
    # After the attempt, not before: the worker may have settled it since `with_invoice` read the invoice.
    invoice.refresh_from_db(fields=["paid", "state"])
    payment = payment_of_attempt(attempt) if attempt is not None else None
    return {
        "section": "payments",
        "invoice": invoice,
        "attempt": attempt,
        "words": labels_of(attempt.provider if attempt is not None else ""),
        "payment": payment,
        "excess": payment.left_over if payment else 0,
        "receipt_reference": receipt_reference(payment) if payment else "",
        "ask_address": attempt is not None and was_refused_for_the_address(attempt),
        "until": free_from(attempt.free_at) if attempt is not None else "",
        "waiting": attempt is not None and attempt.state in WAITING,
        "seen": _seen(attempt),
        "payability": payability_of(invoice, reader=request.user),
        "following": following_invoice(request.user, invoice) if invoice.is_paid else None,
        **_of_several(request.user, invoice, attempt),
    }


def _seen(attempt: Attempt | None) -> str:
    """A short name of what a waiting page shows; the browser replaces the page only when it changes."""
    if attempt is None:
        return ""
    left = "left" if attempt.abandoned_seen_at else "waits"
    return f"{attempt.uuid.hex[:8]}-{left}-{free_from(attempt.free_at)}"


def _of_several(account: Account, invoice: Invoice, attempt: Attempt | None) -> dict[str, object]:
    """The part of a grouped payment that `account` may see, and the address to try it again."""
    if attempt is None or not attempt.several:
        return {}
    parts = paid_by(attempt)
    visible = invoices_for_resident(account).filter(attempts=attempt).order_by("id")
    # `with_invoice` already let the account see this one, even cancelled
    mine = {one.pk for one in visible} | {invoice.pk}
    seen = [part for part in parts if part.invoice_id in mine]
    known = payabilities_of(visible, reader=account, alone=False)
    unpaid = [one for one in visible if known[one.pk].offers]
    return {
        "parts": seen,
        "sum": sum((part.amount for part in seen), Decimal("0.00")),
        "sees_all": len(seen) == len(parts),
        "lives": attempt.state in LIVE,  # the others still wait, even if this one was paid in another way
        "again": address_of(unpaid) if unpaid else "",
    }


def following_invoice(account: Account, invoice: Invoice) -> Invoice | None:
    """The next invoice that `account` can pay online now; they are paid one by one (docs/payfip.md §1)."""
    unpaid = invoices_for_resident(account, status="unpaid").exclude(pk=invoice.pk).order_by("due_on", "id")
    looked_at = list(unpaid[:LOOKED_AT])
    known = payabilities_of(looked_at, reader=account)
    return next((other for other in looked_at if known[other.pk].offers), None)
