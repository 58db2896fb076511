"""Redevables: who they are, who sees their invoices."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.paging import page_of
from tenant_apps.invoices.queries import invoices_for_staff
from tenant_apps.residents.queries import accesses_to, payer_for_staff, payers_for_staff
from toolkit import clock

INVOICES = 20


@require_safe
@staff_required(Role.READER)
def payer_list(request: StaffRequest) -> HttpResponse:
    """By name, with a search."""
    words = request.GET.get("q", "").strip()[:100]
    page = page_of(payers_for_staff(words=words), request.GET.get("apres", ""))
    return screen(request, "payers.html", section="payers", page=page, words=words)


@require_safe
@staff_required(Role.READER)
def payer_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One payer: e-mail addresses, accounts with access, last invoices."""
    payer = found(payer_for_staff, public_id)
    invoices = list(invoices_for_staff(today=clock.today()).filter(payer=payer)[: INVOICES + 1])
    return screen(
        request,
        "payer.html",
        section="payers",
        payer=payer,
        accesses=accesses_to(payer),
        invoices=invoices[:INVOICES],
        more=len(invoices) > INVOICES,
        today=clock.today(),
        now=clock.now(),
    )
