"""M6-M7: the list, an invoice, its PDF."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from tenant_apps.invoices.documents import document_link
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import Status, balance_for_resident, invoices_for_resident
from tenant_apps.payments import services as payments
from tenant_apps.payments.desk import credits_of
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.queries import online_payment, payments_of_invoice
from tenant_apps.portal.access import ResidentRequest, resident_required, with_invoice
from toolkit import clock

FILTERS: dict[str, Status] = {"toutes": "all", "non-reglees": "unpaid", "reglees": "paid"}
A_PAGE = 50


@require_safe
@resident_required
def invoice_list(request: ResidentRequest) -> HttpResponse:
    """M6: « Mes factures »."""
    chosen = request.GET.get("etat", "toutes")
    status = FILTERS.get(chosen, "all")
    number, total = balance_for_resident(request.user)
    page = Paginator(invoices_for_resident(request.user, status=status), A_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "section": "invoices",
        "page": page,
        "status": status,
        "number": number,
        "total": total,
        "today": clock.today(),
    }
    return render(request, "portal/invoices.html", context)


@require_safe
@resident_required
def payment_list(request: ResidentRequest) -> HttpResponse:
    """M8: « Mes règlements », one invoice at a time."""
    unpaid = invoices_for_resident(request.user, status="unpaid").order_by("due_on", "id")[:A_PAGE]
    number, total = balance_for_resident(request.user)
    context = {
        "section": "payments",
        "invoices": unpaid,
        "number": number,
        "total": total,
        "today": clock.today(),
    }
    return render(request, "portal/payments.html", context)


@require_safe
@with_invoice
def invoice_page(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M7: what it is, and what can be done with it now."""
    context = {
        "section": "invoices",
        "invoice": invoice,
        "online": online_payment(invoice),
        "payments": payments_of_invoice(invoice),
        "credits": credits_of(invoice),
        "declaration": getattr(invoice, "declaration", None),
        "today": clock.today(),
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@with_invoice
def invoice_pdf(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """A link to S3 of five minutes, made after the access check."""
    if invoice.document is None:
        raise Http404
    return redirect(document_link(invoice, inline="telecharger" not in request.GET))


@require_POST
@with_invoice
def declare_paid(request: ResidentRequest, invoice: Invoice) -> HttpResponse:
    """M10: « J'ai réglé »."""
    try:
        payments.declare_paid(actor=request.user, invoice=invoice)
    except NotPayable:
        raise Http404 from None
    return redirect("portal:invoice", invoice.uuid)
