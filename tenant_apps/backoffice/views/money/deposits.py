"""« Remises »: cheques and cash that are taken to the bank."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.deposit_choice import DepositChoice
from tenant_apps.backoffice.forms.money import DepositForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import page_of
from tenant_apps.payments import readers, services
from tenant_apps.payments.errors import NotCorrectable
from tenant_apps.products.queries import names_several_products
from tenant_apps.townhall.queries import current_townhall
from toolkit.sheets import csv_answer
from toolkit.words import in_french


@require_safe
@staff_required(Role.READER)
def deposit_list(request: StaffRequest) -> HttpResponse:
    """The dockets, the newest first, and the payments that wait for one."""
    page = page_of(readers.deposits(request.scope), request.GET.get("apres", ""), request.scope)
    undeposited = readers.undeposited_by_means(request.scope)
    several = names_several_products(request.scope)
    return screen(
        request,
        "deposits.html",
        section="deposits",
        page=page,
        undeposited=undeposited,
        several_regies=several,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CASHIER)
def new_deposit(request: StaffRequest) -> HttpResponse:
    """Tick the payments of one régie that go to the bank. Closing the docket numbers it, and it never changes."""
    choice = DepositChoice(request.scope, request.GET, readers.undeposited_by_means(request.scope))
    waiting = list(readers.undeposited(request.scope, choice.means, choice.product)[: readers.MOST_DEPOSITED])
    form = DepositForm(request.POST if request.method == "POST" else None, waiting=waiting)
    if form.is_bound and form.is_valid():
        ticked, day = form.cleaned_data["payment"], form.cleaned_data["deposited_on"]
        try:
            docket = services.close_deposit(
                actor=request.user, means=choice.means, payments=ticked, deposited_on=day
            )
        except NotCorrectable as error:
            messages.error(request, str(error))
            return redirect(f"{request.path}?{choice.query}")
        messages.success(request, _("La remise n° %(number)s est close.") % {"number": docket.label})
        return redirect("backoffice:deposit", docket.uuid)
    return screen(
        request,
        "deposit_new.html",
        section="deposits",
        status=422 if form.errors else 200,
        form=form,
        waiting=waiting,
        choice=choice,
        total=sum(payment.amount for payment in waiting),
        ticked=request.POST.getlist("payment") if form.is_bound else [str(one.uuid) for one in waiting],
    )


@require_safe
@staff_required(Role.READER)
def deposit_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One docket, which can be printed again."""
    docket = found(readers.deposit, request.scope, public_id)
    rows = list(readers.payments_in(docket))
    return screen(
        request,
        "deposit.html",
        section="deposits",
        deposit=docket,
        rows=rows,
        history=History(
            f"deposit:{docket.uuid}", also=[docket.closed_by, *(one.recorded_by for one in rows)]
        ),
    )


@require_safe
@staff_required(Role.READER)
def deposit_pdf(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The bordereau as a PDF: the same bytes each time."""
    docket = found(readers.deposit, request.scope, public_id)
    paper = readers.docket_pdf(docket, readers.payments_in(docket), current_townhall())
    response = HttpResponse(paper, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="bordereau-{docket.label}.pdf"'
    return response


@require_safe
@staff_required(Role.READER)
@in_french
def deposit_csv(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The docket for a spreadsheet."""
    docket = found(readers.deposit, request.scope, public_id)
    titles = [
        *(_("Rang"), _("Date"), _("Tireur"), _("Banque"), _("Numéro"), _("Redevable"), _("Factures")),
        *(_("Montant"), _("Annulé depuis")),
    ]
    rows = (
        (
            *(rank, f"{one.paid_on:%d/%m/%Y}", one.drawer, one.bank, one.number),
            one.payer.full_name if one.payer else "",
            ", ".join(allocation.invoice.number for allocation in one.allocations.all()),
            *(one.amount, one.cancel_reason if one.cancelled_at else ""),
        )
        for rank, one in enumerate(readers.payments_in(docket), 1)
    )
    return csv_answer(f"bordereau-{docket.label}.csv", titles, rows)
