"""« Rapprochement »: one line, what it may be, and what can be done of it."""

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
from tenant_apps.backoffice.words.lines import bill_words, booking_of, may_take_back, taking_back
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments import readers
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import ReconciliationError
from tenant_apps.reconciliation.lines import taken_back
from tenant_apps.reconciliation.models import Kind, Line
from tenant_apps.reconciliation.states import OPEN
from toolkit.typed import words_of

FOUND = 20


@require_safe
@staff_required(Role.READER)
def line_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One line as it came, what it may be, and what can be done."""
    line = found(queries.line, public_id)
    words, bills = words_of(request.GET, "q"), words_of(request.GET, "facture")
    waits = line.state in OPEN
    readable, back = waits and line.amount is not None, line.returned or line.outgoing
    role = acting_role(request)
    candidates = list(queries.candidates(line, words=words)[:FOUND]) if readable else []
    return screen(
        request,
        "line.html",
        section="reconciliation",
        line=line,
        waits=waits,
        back=back,
        offer=taking_back(line, line.payment) if back and waits and line.payment else None,
        booking=booking_of(line) if readable and not back else None,
        candidates=[(one, not back or may_take_back(role, one)) for one in candidates],
        may_take_back=line.payment is not None and may_take_back(role, line.payment),
        totals=queries.totals(line) if readable else [],
        parts=list(queries.parts(line)[: FOUND * 10]),
        others=list(queries.came_with(line)[:FOUND]),
        bills=_bills(bills) if bills and readable else [],
        words=words,
        bill_words=bills,
        all_means=[(m.value, m.label) for m in (Means.CARD, Means.DEBIT, Means.TRANSFER)],
        means=line.means or (Means.CARD if line.kind == Kind.JOURNAL else Means.TRANSFER),
    )


def _bills(words: str) -> list[tuple[UUID, str]]:
    return [(bill.uuid, bill_words(bill)) for bill in queries.bills(words=words)[:FOUND]]


@require_POST
@staff_required(Role.CLERK)
def match_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« C'est ce règlement »."""
    line, form = found(queries.line, public_id), MatchForm(request.POST)
    if not form.is_valid():
        return _back(request, line, error=_("Choisissez un règlement."))
    payment = found(readers.payment_for_staff, form.cleaned_data["payment"])
    return _do(request, line, lambda: services.match_line(actor=request.user, line=line, payment=payment))


@require_POST
@staff_required(Role.CLERK)
def match_total(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Confirmer ces règlements »: the line is their sum."""
    line, form = found(queries.line, public_id), TotalForm(request.POST)
    chosen = form.cleaned_data["total"] if form.is_valid() else ""
    total = next((one for one in queries.totals(line) if one.key == chosen), None)
    if total is None:
        return _back(request, line, error=_("Ce total a changé entre-temps : cherchez de nouveau."))
    return _do(request, line, lambda: services.match_total(actor=request.user, line=line, total=total))


@require_POST
@staff_required(Role.CLERK)
def take_back(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Annuler ce règlement »: the bank took its money back."""
    line, form = found(queries.line, public_id), MatchForm(request.POST)
    if not form.is_valid():
        return _back(request, line, error=_("Choisissez un règlement."))
    payment = found(readers.payment_for_staff, form.cleaned_data["payment"])
    if not may_take_back(acting_role(request), payment):
        return _back(request, line, error=_("Seul un responsable peut annuler ce règlement."))
    return _do(request, line, lambda: taken_back.take_back(actor=request.user, line=line, payment=payment))


@require_POST
@staff_required(Role.CLERK)
def twin_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« C'est la même opération » as the equal line of an earlier file, or another one."""
    line = found(queries.line, public_id)
    act = services.other_operation if request.POST.get("which") == "other" else services.same_operation
    return _do(request, line, lambda: act(actor=request.user, line=line))


@require_POST
@staff_required(Role.CLERK)
def book_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Enregistrer ce règlement »: the money came without us."""
    line, form = found(queries.line, public_id), BookForm(request.POST)
    if not form.is_valid():
        return _back(request, line, error=_("Choisissez la facture et le moyen de paiement."))
    invoice = found(invoice_for_staff, form.cleaned_data["invoice"])
    means = Means(form.cleaned_data["means"])
    return _do(
        request, line, lambda: services.book_line(actor=request.user, line=line, invoice=invoice, means=means)
    )


@require_POST
@staff_required(Role.CLERK)
def ignore_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Écarter », with a reason."""
    line, reason = found(queries.line, public_id), IgnoreForm(request.POST)
    if not reason.is_valid():
        return _back(request, line, error=_("Indiquez pourquoi cette ligne est écartée."))
    words = reason.cleaned_data["reason"]
    return _do(request, line, lambda: services.ignore_line(actor=request.user, line=line, reason=words))


@require_POST
@staff_required(Role.CLERK)
def reopen_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Remettre en attente »."""
    line = found(queries.line, public_id)
    return _do(request, line, lambda: services.reopen_line(actor=request.user, line=line))


def _do(request: StaffRequest, line: Line, act: Callable[[], Line]) -> HttpResponse:
    try:
        done = act()
    except (ReconciliationError, PaymentError) as error:
        return _back(request, line, error=str(error))
    messages.success(request, _("La ligne est « %(state)s ».") % {"state": done.get_state_display()})
    return redirect("backoffice:statement", line.statement.uuid)


def _back(request: StaffRequest, line: Line, *, error: str) -> HttpResponse:
    messages.error(request, error)
    return redirect("backoffice:line", line.uuid)
