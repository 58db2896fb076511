"""« Rapprochement »: the Treasury's journal and the bank's statement beside what we booked."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms import too_large
from tenant_apps.backoffice.paging import page_of
from tenant_apps.backoffice.reconciliation_forms import (
    BookForm,
    ColumnsForm,
    IgnoreForm,
    MatchForm,
    StatementForm,
)
from tenant_apps.invoices.queries import invoice_for_staff
from tenant_apps.payments import desk
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Means
from tenant_apps.reconciliation import queries, services
from tenant_apps.reconciliation.errors import CannotRead, ReconciliationError
from tenant_apps.reconciliation.models import Line
from tenant_apps.reconciliation.states import OPEN
from toolkit.storage import NOT_KEPT, StorageSilent
from toolkit.typed import words_of

STATES = {
    "": "open",
    "rapprochees": "matched",
    "inconnues": "unmatched",
    "douteuses": "doubtful",
    "doubles": "duplicate",
    "illisibles": "unreadable",
    "ecartees": "ignored",
    "toutes": "",
}
FOUND = 20


@require_safe
@staff_required(Role.READER)
def statement_list(request: StaffRequest) -> HttpResponse:
    """The files, newest first, and what waits."""
    page = page_of(queries.statements(), request.GET.get("apres", ""))
    counts = queries.open_counts(page.rows)
    period = queries.journal_period()
    return screen(
        request,
        "statements.html",
        section="reconciliation",
        page=page,
        rows=[(file, counts.get(file.pk, 0)) for file in page.rows],
        waiting=queries.waiting_lines(),
        period=period,
        absent=len(queries.absent_from_journal(*period)[:100]) if period else 0,
    )


@csrf_exempt  # only for the look at the size, before anything is read; `_new_statement` asks for the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CLERK)
def new_statement(request: StaffRequest) -> HttpResponse:
    """Send a file; the same one a second time leads to the first."""
    size = uploads.announced_size(request)
    if request.method == "POST" and size > uploads.most():
        uploads.let_finish(request)
        return _form(request, StatementForm(), problem=too_large(size), status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _new_statement(request)


@csrf_protect
def _new_statement(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _form(request, StatementForm())
    form = StatementForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, form, status=422)
    sent = form.cleaned_data["file"]
    try:
        file, new = services.receive_statement(
            actor=request.user, kind=form.cleaned_data["kind"], file=sent.open(), name=sent.name
        )
    except CannotRead as error:
        return _form(request, form, problem=str(error), status=422)
    except StorageSilent:
        return _form(request, form, problem=str(NOT_KEPT), status=503)
    if not new:
        sentence = _("Ce fichier est déjà là, envoyé le %(day)s : rien n'a changé.")
        messages.info(request, sentence % {"day": f"{file.created_at:%d/%m/%Y}"})
    return redirect("backoffice:statement", file.uuid)


def _form(
    request: StaffRequest, form: StatementForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    limit = settings.UPLOAD_MAX_BYTES
    return screen(
        request, "statement_new.html", section="reconciliation", status=status, form=form, problem=problem, limit=limit
    )  # fmt: skip


@require_safe
@staff_required(Role.READER)
def statement_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Its lines once it is imported; before that, its columns."""
    file = found(queries.statement, public_id)
    if file.imported_at is None:
        return redirect("backoffice:statement-columns", public_id)
    state = request.GET.get("etat", "")
    page = page_of(queries.lines(file, state=STATES.get(state, "open")), request.GET.get("apres", ""))
    return screen(
        request,
        "statement.html",
        section="reconciliation",
        statement=file,
        page=page,
        state=state,
        counts=queries.counts(file),
        chips=_chips(),
        open_states=OPEN,
    )


def _chips() -> list[tuple[str, str]]:
    labels = (
        *(_("À traiter"), _("Rapprochées"), _("Inconnues"), _("Douteuses"), _("En double")),
        *(_("Illisibles"), _("Écartées"), _("Toutes")),
    )
    return list(zip(STATES, labels, strict=True))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CLERK)
def statement_columns(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Which column is what, with the first lines as they would be read; then the import."""
    file = found(queries.statement, public_id)
    if file.imported_at is not None:
        return redirect("backoffice:statement", public_id)
    titles = queries.titles(file) if file.columns else ()
    sent = request.POST if request.method == "POST" else request.GET if "apercu" in request.GET else None
    form = ColumnsForm(sent, kind=file.kind, titles=titles, mapping=file.mapping)
    problem, rows = "", []
    try:
        if request.method == "POST" and form.is_valid():
            done = services.import_statement(actor=request.user, statement=file, mapping=form.mapping())
            messages.success(request, _imported(done.new_count, done.known_count))
            return redirect("backoffice:statement", public_id)
        rows = queries.preview(file, form.mapping()) if file.columns else []
    except CannotRead as error:
        problem = str(error)
    status = 422 if problem or form.errors else 200
    return screen(
        request, "statement_columns.html", section="reconciliation", status=status, form=form, statement=file,
        rows=rows, problem=problem,
    )  # fmt: skip


def _imported(new: int, known: int) -> str:
    sentence = ngettext("%(n)d ligne nouvelle.", "%(n)d lignes nouvelles.", new) % {"n": new}
    if known:
        older = ngettext("%(n)d était déjà connue.", "%(n)d étaient déjà connues.", known) % {"n": known}
        return f"{sentence} {older}"
    return sentence


@require_POST
@staff_required(Role.CLERK)
def look_again(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Chercher de nouveau »: payments were booked since."""
    file = found(queries.statement, public_id)
    matched = services.look_again(actor=request.user, statement=file)
    matched += services.confirm_announced(actor=request.user, statement=file)
    sentence = ngettext("%(n)d ligne rapprochée de plus.", "%(n)d lignes rapprochées de plus.", matched)
    messages.info(request, sentence % {"n": matched})
    return redirect("backoffice:statement", public_id)


@require_safe
@staff_required(Role.READER)
def line_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One line as it came, what it may be, and what can be done."""
    line = found(queries.line, public_id)
    words = words_of(request.GET, "q")
    bills = words_of(request.GET, "facture")
    waits = line.state in OPEN and line.amount is not None
    return screen(
        request,
        "line.html",
        section="reconciliation",
        line=line,
        waits=line.state in OPEN,
        candidates=list(queries.candidates(line, words=words)[:FOUND]) if waits else [],
        bills=list(desk.open_invoices(words=bills)[:FOUND]) if bills and waits else [],
        words=words,
        bill_words=bills,
        all_means=[(m.value, m.label) for m in (Means.CARD, Means.DEBIT, Means.TRANSFER)],
        means=line.means or (Means.CARD if line.kind == "journal" else Means.TRANSFER),
    )


@require_POST
@staff_required(Role.CLERK)
def match_line(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« C'est ce règlement »."""
    line, form = found(queries.line, public_id), MatchForm(request.POST)
    if not form.is_valid():
        return _back(request, line, error=_("Choisissez un règlement."))
    payment = found(desk.payment_for_staff, form.cleaned_data["payment"])
    return _do(request, line, lambda: services.match_line(actor=request.user, line=line, payment=payment))


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
