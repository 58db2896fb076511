"""« Rapprochement »: one row, what it may be, and what can be done of it."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, acting_role, found, screen, staff_required
from tenant_apps.backoffice.forms.reconciliation import BookForm, IgnoreForm, MatchForm, TotalForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.words.statement_rows import bill_words, booking_of, may_take_back, taking_back
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments import readers
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import ReconciliationError
from tenant_apps.reconciliation.judging.common import is_no_income
from tenant_apps.reconciliation.models import Kind, StatementRow
from tenant_apps.reconciliation.statement_rows import taken_back
from tenant_apps.reconciliation.states import OPEN
from toolkit.scope import Scope
from toolkit.typed import words_of

FOUND = 20


@require_safe
@staff_required(Role.READER)
def row_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One row as it came, what it may be, and what can be done."""
    row = found(queries.row, request.scope, public_id)
    words, bills = words_of(request.GET, "q"), words_of(request.GET, "facture")
    waits = row.state in OPEN
    readable, back = waits and row.amount is not None, row.returned or row.outgoing
    income = readable and not back and not is_no_income(row)
    role = acting_role(request)
    candidates = list(queries.candidates(request.scope, row, words=words)[:FOUND]) if readable else []
    return screen(
        request,
        "statement_row.html",
        section="reconciliation",
        row=row,
        history=History(f"line:{row.uuid}"),
        twin=row.twin if queries.shows_twin(request.scope, row) else None,
        waits=waits,
        back=back,
        offer=taking_back(row, row.payment) if back and waits and row.payment else None,
        booking=booking_of(row) if income else None,
        income=income,
        candidates=[(one, not back or may_take_back(role, one)) for one in candidates],
        may_take_back=row.payment is not None and may_take_back(role, row.payment),
        totals=queries.totals(request.scope, row) if readable else [],
        parts=list(queries.parts(row)[: FOUND * 10]),
        others=list(queries.came_with(request.scope, row)[:FOUND]),
        bills=_bills(request.scope, bills) if bills and readable else [],
        words=words,
        bill_words=bills,
        all_means=[(m.value, m.label) for m in (Means.CARD, Means.DEBIT, Means.TRANSFER)],
        means=row.means or (Means.CARD if row.kind == Kind.JOURNAL else Means.TRANSFER),
    )


def _bills(scope: Scope, words: str) -> list[tuple[UUID, str]]:
    return [(bill.uuid, bill_words(bill)) for bill in queries.bills(scope, words=words)[:FOUND]]


@require_POST
@staff_required(Role.CASHIER)
def match_row(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« C'est ce règlement »."""
    row, form = found(queries.row, request.scope, public_id), MatchForm(request.POST)
    if not form.is_valid():
        return _back(request, row, error=_("Choisissez un règlement."))
    payment = found(readers.payment_for_staff, request.scope, form.cleaned_data["payment"])
    return _do(request, row, lambda: services.match_row(actor=request.user, row=row, payment=payment))


@require_POST
@staff_required(Role.CASHIER)
def match_total(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Confirmer ces règlements »: the row is their sum."""
    row, form = found(queries.row, request.scope, public_id), TotalForm(request.POST)
    chosen = form.cleaned_data["total"] if form.is_valid() else ""
    total = next((one for one in queries.totals(request.scope, row) if one.key == chosen), None)
    if total is None:
        return _back(request, row, error=_("Ce total a changé entre-temps : cherchez de nouveau."))
    return _do(request, row, lambda: services.match_total(actor=request.user, row=row, total=total))


@require_POST
@staff_required(Role.CASHIER)
def take_back(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Annuler ce règlement »: the bank took its money back."""
    row, form = found(queries.row, request.scope, public_id), MatchForm(request.POST)
    if not form.is_valid():
        return _back(request, row, error=_("Choisissez un règlement."))
    payment = found(readers.payment_for_staff, request.scope, form.cleaned_data["payment"])
    if not may_take_back(acting_role(request), payment):
        return _back(request, row, error=_("Seul un responsable peut annuler ce règlement."))
    return _do(request, row, lambda: taken_back.take_back(actor=request.user, row=row, payment=payment))


@require_POST
@staff_required(Role.CASHIER)
def twin_row(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« C'est la même opération » as the equal row of an earlier file, or another one."""
    row = found(queries.row, request.scope, public_id)
    act = services.other_operation if request.POST.get("which") == "other" else services.same_operation
    return _do(request, row, lambda: act(actor=request.user, row=row))


@require_POST
@staff_required(Role.CASHIER)
def book_row(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Enregistrer ce règlement »: the money came without us."""
    row, form = found(queries.row, request.scope, public_id), BookForm(request.POST)
    if not form.is_valid():
        return _back(request, row, error=_("Choisissez la facture et le moyen de paiement."))
    invoice = found(invoice_for_staff, request.scope, form.cleaned_data["invoice"])
    means = Means(form.cleaned_data["means"])
    return _do(
        request, row, lambda: services.book_row(actor=request.user, row=row, invoice=invoice, means=means)
    )


@require_POST
@staff_required(Role.CASHIER)
def ignore_row(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Écarter », with a reason."""
    row, reason = found(queries.row, request.scope, public_id), IgnoreForm(request.POST)
    if not reason.is_valid():
        return _back(request, row, error=_("Indiquez pourquoi cette ligne est écartée."))
    words = reason.cleaned_data["reason"]
    return _do(request, row, lambda: services.ignore_row(actor=request.user, row=row, reason=words))


@require_POST
@staff_required(Role.CASHIER)
def reopen_row(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Remettre en attente »."""
    row = found(queries.row, request.scope, public_id)
    return _do(request, row, lambda: services.reopen_row(actor=request.user, row=row))


def _do(request: StaffRequest, row: StatementRow, act: Callable[[], StatementRow]) -> HttpResponse:
    try:
        done = act()
    except (ReconciliationError, PaymentError) as error:
        return _back(request, row, error=str(error))
    messages.success(request, _("La ligne est « %(state)s ».") % {"state": done.get_state_display()})
    return redirect("backoffice:statement", row.statement.uuid)


def _back(request: StaffRequest, row: StatementRow, *, error: str) -> HttpResponse:
    messages.error(request, error)
    return redirect("backoffice:line", row.uuid)
