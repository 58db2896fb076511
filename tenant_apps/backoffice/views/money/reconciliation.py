"""« Rapprochement »: files of the Treasury and of the bank, from upload to withdrawal."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.base import too_large
from tenant_apps.backoffice.forms.reconciliation import StatementForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import page_of
from tenant_apps.backoffice.statement_columns import ColumnsPage
from tenant_apps.backoffice.words.reading_progress import progress_of
from tenant_apps.reconciliation import queries
from tenant_apps.reconciliation.errors import CannotRead, ReconciliationError
from tenant_apps.reconciliation.models import Kind, Statement
from tenant_apps.reconciliation.statements import services
from tenant_apps.reconciliation.states import StatementState
from toolkit.files.storage import NOT_KEPT, StorageSilent

STATES = {
    "": "open",
    "rapprochees": "matched",
    "inconnues": "unmatched",
    "douteuses": "doubtful",
    "doubles": "duplicate",
    "illisibles": "unreadable",
    "ecartees": "ignored",
    "connues": "known",
    "toutes": "",
}


@require_safe
@staff_required(Role.READER)
def statement_list(request: StaffRequest) -> HttpResponse:
    """The files, the newest first, and what waits."""
    page = page_of(queries.statements(request.scope), request.GET.get("apres", ""), request.scope)
    counts = queries.open_counts(page.rows)
    period = queries.journal_period(request.scope)
    return screen(
        request,
        "statements.html",
        section="reconciliation",
        page=page,
        rows=[(file, counts.get(file.pk, 0)) for file in page.rows],
        waiting=queries.waiting_rows(request.scope),
        period=period,
        absent=len(queries.absent_from_journal(request.scope, *period)[:100]) if period else 0,
    )


@csrf_exempt  # so that the size is checked before the body is read; `_new_statement` checks the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CASHIER)
def new_statement(request: StaffRequest) -> HttpResponse:
    """Upload a file. The same file again leads to the first upload."""
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
    kind, account = form.cleaned_data["kind"], form.cleaned_data["account"]
    try:
        file, new = services.receive_statement(
            actor=request.user, kind=kind, file=sent.open(), name=sent.name, account=account
        )
        back = not new and services.put_back(actor=request.user, statement=file, file=sent)
    except CannotRead as error:
        return _form(request, form, problem=str(error), status=422)
    except StorageSilent:
        return _form(request, form, problem=str(NOT_KEPT), status=503)
    if not new:
        messages.info(request, _sent_again(file, back=back))
    return redirect("backoffice:statement", file.uuid)


def _sent_again(file: Statement, *, back: bool) -> str:
    if back:
        return _("Ce fichier avait disparu de l'espace de stockage : il y est de nouveau.")
    sentence = _("Ce fichier est déjà là, envoyé le %(day)s : rien n'a changé.")
    if file.kind == Kind.BANK:
        sentence += " " + _(
            "S'il est d'un autre compte, envoyez-le en disant lequel. Si c'est un autre relevé qui dit la même "
            "chose, envoyez-le sous un autre nom."
        )
    return sentence % {"day": f"{file.created_at:%d/%m/%Y}"}


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
    """Its rows once it is imported; before that, its columns, or how far the worker is."""
    file = found(queries.statement, request.scope, public_id)
    if file.state == StatementState.RECEIVED:
        return redirect("backoffice:statement-columns", public_id)
    if file.state != StatementState.DONE:
        return screen(
            request, "statement_reading.html", section="reconciliation", statement=file, progress=progress_of(file),
            history=_history(file),
        )  # fmt: skip
    state = request.GET.get("etat", "")
    rows = queries.rows(request.scope, file, state=STATES.get(state, "open"))
    page = page_of(rows, request.GET.get("apres", ""), request.scope)
    return screen(
        request,
        "statement.html",
        section="reconciliation",
        statement=file,
        history=_history(file),
        page=page,
        state=state,
        counts=queries.counts(request.scope, file),
        equals=queries.equals(request.scope, file),
        chips=_chips(),
        can_withdraw=services.first_used_row(file) is None,
    )


def _history(file: Statement) -> History:
    return History(f"statement:{file.uuid}", also=[file.created_by])


@require_safe
@staff_required(Role.READER)
def statement_progress(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The part of the page that changes. When the worker is done, tells the browser to reload the page."""
    file = found(queries.statement, request.scope, public_id)
    progress = progress_of(file)
    if not progress.working:
        return HttpResponseClientRefresh()
    return screen(
        request, "partials/statement_progress.html", section="reconciliation", statement=file, progress=progress
    )  # fmt: skip


def _chips() -> list[tuple[str, str]]:
    labels = (
        *(_("À traiter"), _("Rapprochées"), _("Inconnues"), _("Douteuses"), _("En double")),
        *(_("Illisibles"), _("Écartées"), _("Déjà connues"), _("Toutes")),
    )
    return list(zip(STATES, labels, strict=True))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CASHIER)
def statement_columns(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Which column is what, with the first rows as they would be read; then the import."""
    file = found(queries.statement, request.scope, public_id)
    if file.state != StatementState.RECEIVED:
        return redirect("backoffice:statement", public_id)
    page = ColumnsPage(request.scope, file, request.POST if request.method == "POST" else None)
    if request.method == "POST" and "apercu" not in request.POST and page.is_valid:
        try:
            services.ask_import(actor=request.user, statement=file, **page.asked())
            return redirect("backoffice:statement", public_id)
        except CannotRead as error:
            page.problem = str(error)
    rows = page.rows()
    wrong = page.problem or any(form.errors for form in page.forms)
    return screen(
        request, "statement_columns.html", section="reconciliation", status=422 if wrong else 200,
        statement=file, page=page, rows=rows,
    )  # fmt: skip


@require_POST
@staff_required(Role.CASHIER)
def look_again(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Chercher de nouveau »: match again, because payments were booked since."""
    file = found(queries.statement, request.scope, public_id)
    services.look_again(actor=request.user, statement=file)
    return redirect("backoffice:statement", public_id)


@require_POST
@staff_required(Role.CASHIER)
def retry_statement(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Essayer de nouveau »: the worker goes on where it stopped."""
    services.try_again(actor=request.user, statement=found(queries.statement, request.scope, public_id))
    return redirect("backoffice:statement", public_id)


@require_POST
@staff_required(Role.CASHIER)
def withdraw_statement(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Retirer cet import », as long as nothing was booked from it."""
    file = found(queries.statement, request.scope, public_id)
    try:
        services.withdraw_statement(actor=request.user, statement=file)
    except ReconciliationError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("L'import est retiré : plus rien n'en est compté."))
    return redirect("backoffice:statement", public_id)


@require_POST
@staff_required(Role.CASHIER)
def discard_statement(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Supprimer ce fichier »: one that is not imported yet, or was withdrawn."""
    file = found(queries.statement, request.scope, public_id)
    try:
        services.discard_statement(actor=request.user, statement=file)
    except ReconciliationError as error:
        messages.error(request, str(error))
        return redirect("backoffice:statement", public_id)
    messages.success(request, _("Le fichier « %(name)s » est supprimé.") % {"name": file.name})
    return redirect("backoffice:statements")
