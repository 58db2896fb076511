"""The list of invoices, one invoice, its PDF, and the payments made (docs/manual.md, M6 to M8)."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from tenant_apps.invoices.documents.links import document_link
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import services
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.payability.words import headline, state_of
from tenant_apps.payments.queries import payments_of_resident
from tenant_apps.payments.readers import credits_of
from tenant_apps.portal.access import ResidentRequest, resident_required, with_invoice
from tenant_apps.portal.lists.listing import Asked, listing
from tenant_apps.portal.lists.settling_up import settling_up
from tenant_apps.portal.lists.timeline import timeline
from tenant_apps.residents.queries import lapsed_accesses_of, payers_of, waiting_access_requests_of


@require_safe
@resident_required
def invoice_list(request: ResidentRequest) -> HttpResponse:
    """« Mes factures ». With `imprimer`: one printed page of rows, and a link to the next."""
    found = listing(request.user, Asked.read(request.GET))
    context: dict[str, object] = {"section": "invoices", "list": found, "printed": found.asked.imprimer}
    if not found.shares:
        context |= _why_empty(request)
    return render(request, "portal/invoices.html", context)


def _why_empty(request: ResidentRequest) -> dict[str, object]:
    """What the page needs to explain why a resident has no invoices."""
    return {
        "has_payers": payers_of(request.user).exists(),
        "lapsed": lapsed_accesses_of(request.user).exists(),
        "waiting_access_requests": waiting_access_requests_of(request.user).exists(),
    }


@require_safe
@resident_required
def payment_list(request: ResidentRequest) -> HttpResponse:
    """« Mes règlements »: pay one invoice, or several where the régie accepts it; and the payments made."""
    page = settling_up(request.user, request.GET)
    context: dict[str, object] = {"section": "payments", "page": page}
    if not page.number:
        context |= {"nothing": True} | _why_empty(request)
    return render(request, "portal/payments.html", context)


@require_safe
@with_invoice
def invoice_page(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """One invoice, and what can be done with it now."""
    declaration = getattr(invoice, "declaration", None)
    paid = list(payments_of_resident(request.user).filter(invoice=invoice))
    payability = payability_of(invoice, reader=request.user)
    context = {
        "section": "invoices",
        "invoice": invoice,
        "payability": payability,
        "payments": paid,
        "credits": credits_of(invoice),
        "declaration": declaration,
        "state": state_of(payability),
        "headline": headline(payability),
        "preview": document_link(invoice) if invoice.document else "",
        "timeline": timeline(invoice, payments=paid, declaration=declaration),
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@with_invoice
def invoice_pdf(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """Check the access, then redirect to S3 with a link that is valid for five minutes."""
    if invoice.document is None:
        raise Http404
    return redirect(document_link(invoice, inline="telecharger" not in request.GET, asked=True))


@require_POST
@with_invoice
def declare_paid(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """« J'ai réglé » (docs/manual.md, M10): the resident says that they paid elsewhere. 404 if that cannot be said
    now.
    """
    try:
        services.declare_paid(actor=request.user, invoice=invoice)
    except NotPayable:
        raise Http404 from None
    return redirect("portal:invoice", invoice.uuid)
