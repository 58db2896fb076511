"""M6-M8: the list, an invoice, its PDF, what was paid."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from tenant_apps.invoices.documents import document_link
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import balance_for_resident
from tenant_apps.invoices.resident_list import Wanted, lines_of_resident
from tenant_apps.payments import services as payments
from tenant_apps.payments.desk import credits_of
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.queries import online_payment, payments_of_resident
from tenant_apps.payments.together import offered_together
from tenant_apps.portal.access import ResidentRequest, resident_required, with_invoice
from tenant_apps.portal.listing import A_PAGE, ALL, Asked, listing, told_apart
from tenant_apps.portal.rows import rows_of, state_of
from tenant_apps.portal.timeline import timeline
from tenant_apps.residents.queries import lapsed_accesses_of, payers_of, waiting_claims_of
from toolkit import clock


@require_safe
@resident_required
def invoice_list(request: ResidentRequest) -> HttpResponse:
    """M6: « Mes factures »; with `imprimer`, every line on one page."""
    printed = "imprimer" in request.GET
    found = listing(request.user, Asked.read(request.GET), size=ALL if printed else A_PAGE)
    context: dict[str, object] = {"section": "invoices", "list": found, "printed": printed}
    if not found.shares:
        context |= _why_empty(request)
    return render(request, "portal/invoices.html", context)


def _why_empty(request: ResidentRequest) -> dict[str, object]:
    """What the page of somebody without any invoice must know to say why."""
    return {
        "has_payers": payers_of(request.user).exists(),
        "lapsed": lapsed_accesses_of(request.user).exists(),
        "waiting_claims": waiting_claims_of(request.user).exists(),
    }


@require_safe
@resident_required
def payment_list(request: ResidentRequest) -> HttpResponse:
    """M8: « Mes règlements », one invoice at a time, or several where a régie takes them; then what was paid."""
    unpaid = lines_of_resident(request.user, Wanted("unpaid", order="due_on"), size=A_PAGE)
    number, total = balance_for_resident(request.user)
    ticks = offered_together([line.id for line in unpaid])
    payers = told_apart((p.full_name, p.reference, p.pk) for p in payers_of(request.user))
    context: dict[str, object] = {
        "section": "payments",
        "rows": rows_of(unpaid, today=clock.today(), payers=payers, ticks=ticks),
        "several": bool(ticks),
        "number": number,
        "total": total,
        "payments": payments_of_resident(request.user)[:A_PAGE],
    }
    if not unpaid and not lines_of_resident(request.user, Wanted(), size=1):
        context |= {"nothing": True} | _why_empty(request)
    return render(request, "portal/payments.html", context)


@require_safe
@with_invoice
def invoice_page(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M7: what it is, and what can be done with it now."""
    today, declaration = clock.today(), getattr(invoice, "declaration", None)
    mine = payments_of_resident(request.user).filter(invoice=invoice)
    paid = list(mine)
    context = {
        "section": "invoices",
        "invoice": invoice,
        "online": online_payment(invoice),
        "payments": paid,
        "credits": credits_of(invoice),
        "declaration": declaration,
        "state": state_of(invoice, today=today, paid_on=paid[0].payment.paid_on if paid else None),
        "preview": document_link(invoice) if invoice.document else "",
        "timeline": timeline(invoice, payments=paid, declaration=declaration),
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@with_invoice
def invoice_pdf(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """A link to S3 of five minutes, made after the access check."""
    if invoice.document is None:
        raise Http404
    return redirect(document_link(invoice, inline="telecharger" not in request.GET, asked=True))


@require_POST
@with_invoice
def declare_paid(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M10: « J'ai réglé »."""
    try:
        payments.declare_paid(actor=request.user, invoice=invoice)
    except NotPayable:
        raise Http404 from None
    return redirect("portal:invoice", invoice.uuid)
