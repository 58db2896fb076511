"""Pay several invoices of a régie at once: those ticked in « Mes règlements »."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import invoices_for_resident
from tenant_apps.payments.errors import EmailRefused, NotPayable, ProviderError
from tenant_apps.payments.readers import by_product
from tenant_apps.payments.services import start_payment_of
from tenant_apps.portal.access import ResidentRequest, resident_required

CHOICE = "facture"  # in the query string, once per invoice
SHOWN = 50  # a page of « Mes règlements » has no more rows


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def pay_several(request: ResidentRequest) -> HttpResponse:
    """Show the rows and the total, one payment per régie. The POST starts a payment and redirects to the Treasury."""
    chosen, problem, status = _chosen(request), "", 200
    error: Exception | None = None
    if request.method == "POST":
        try:
            return redirect(start_payment_of(actor=request.user, invoices=chosen).url)
        except (NotPayable, ProviderError) as raised:
            error, problem, status = raised, str(raised), 409
    groups = by_product(_chosen(request), reader=request.user)  # read again: somebody may have paid meanwhile
    context = {
        "section": "payments",
        "groups": [(group, address_of([bill.invoice for bill in group.items])) for group in groups],
        "problem": "" if problem in [group.problem for group in groups] else problem,
        "ask_address": isinstance(error, EmailRefused),
        "came_back": "retour" in request.GET or status == 409,
    }
    return render(request, "portal/pay_several.html", context, status=status)


def address_of(invoices: list[Invoice]) -> str:
    """The address of the page that pays `invoices` at once."""
    return f"{reverse('portal:pay-several')}?{urlencode([(CHOICE, str(one.uuid)) for one in invoices])}"


def _chosen(request: ResidentRequest) -> list[Invoice]:
    """The invoices of the query string, the first due one first. 404 if the resident may not see one of them."""
    try:
        wanted = {UUID(public_id) for public_id in request.GET.getlist(CHOICE)}
    except ValueError:
        raise Http404 from None
    if len(wanted) > SHOWN:
        raise Http404
    mine = invoices_for_resident(request.user).filter(uuid__in=wanted)
    found = list(mine.select_related("product", "payer").order_by("due_on", "id"))
    if len(found) != len(wanted):
        raise Http404
    return found
