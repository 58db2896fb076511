"""Imports: upload, follow, read the problems, publish, take back."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.base import ImportForm, too_large
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.paging import page_of
from tenant_apps.backoffice.words.import_rows import rows_of
from tenant_apps.backoffice.words.payer_questions import asked_of
from tenant_apps.backoffice.words.progress import first_steps, progress_of
from tenant_apps.invoices import queries, services
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import Answer
from tenant_apps.notices.told.forecast import KNOWN, forecast
from tenant_apps.notices.told.sent import sent
from tenant_apps.townhall.queries import current_townhall
from toolkit.files.storage import NOT_KEPT, StorageSilent
from toolkit.sheets import csv_answer

PROBLEMS_A_PAGE = 100


@require_safe
@staff_required(Role.READER)
def batch_list(request: StaffRequest) -> HttpResponse:
    """All imports, the newest first."""
    page = page_of(
        queries.batches(request.scope).order_by("-id"), request.GET.get("apres", ""), request.scope
    )
    return screen(request, "batches.html", section="imports", page=page, formats=registry.in_words())


@csrf_exempt  # so that the size is checked before the body is read; `_new_batch` checks the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CLERK)
def new_batch(request: StaffRequest) -> HttpResponse:
    """Upload the files. A request that announces too many bytes is refused and not stored."""
    size = uploads.announced_size(request)
    if request.method == "POST" and size > uploads.most():
        uploads.let_finish(request)
        return _form(request, ImportForm(), problem=too_large(size), status=413)
    # files go to the disk, whatever their size
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _new_batch(request)


@csrf_protect
def _new_batch(request: StaffRequest) -> HttpResponse:
    replaces = _replaced(request)
    if request.method != "POST":
        return _form(request, ImportForm(replaces=replaces))
    form = ImportForm(request.POST, request.FILES, replaces=replaces)
    if not form.is_valid():
        return _form(request, form, status=422)
    rows, documents = form.cleaned_data["rows"], form.cleaned_data["documents"]
    try:
        with documents.open() if documents else nullcontext() as documents_file:
            batch = services.create_batch(
                actor=request.user,
                rows_file=rows.open(),
                rows_name=rows.name,
                source=form.source_for(request.user),
                documents_file=documents_file,
                documents_name=documents.name if documents else "",
                replaces=replaces,
            )
    except InvoiceError as error:
        return _form(request, form, problem=str(error), status=409)
    except StorageSilent:
        return _form(request, form, problem=str(NOT_KEPT), status=503)
    if form.told:
        messages.info(request, form.told)
    return redirect("backoffice:batch", batch.uuid)


def _replaced(request: StaffRequest) -> Batch | None:
    """The import that the corrected file takes the place of (`?remplace=`), if it is one that may be."""
    try:
        return queries.replaceable(request.scope).get(uuid=UUID(request.GET.get("remplace", "")))
    except (ValueError, Batch.DoesNotExist):
        return None


def _form(request: StaffRequest, form: ImportForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    return screen(
        request,
        "batch_new.html",
        section="imports",
        status=status,
        form=form,
        problem=problem,
        limit=settings.UPLOAD_MAX_BYTES,
        first_steps=first_steps(),
        formats=registry.formats(),
        companions=registry.companions(),
    )


@require_safe
@staff_required(Role.CLERK)
def sample(request: StaffRequest, name: str) -> HttpResponse:
    """A small example file of a format."""
    given = next((one.sample for one in registry.formats() if one.name == name), None)
    if given is None:
        raise Http404
    response = HttpResponse(given.content, content_type=given.media_type)
    extension = registry.named(name).extensions[0]
    response["Content-Disposition"] = f'attachment; filename="exemple-factures{extension}"'
    return response


@require_safe
@staff_required(Role.READER)
def batch_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The four steps of one import, and what can be done now."""
    batch = found(queries.batch, request.scope, public_id)
    beside = queries.problems_beside(batch) if batch.refused_count else queries.problems(batch)
    problems = Paginator(beside, PROBLEMS_A_PAGE)
    if not batch.refused_count:
        problems.count = batch.error_count + batch.warning_count  # the number is known: no COUNT
    return screen(
        request,
        "batch.html",
        section="imports",
        batch=batch,
        history=History(f"batch:{batch.uuid}", also=[batch.created_by]),
        format=registry.label_of(batch.format),
        progress=progress_of(batch),
        problems=problems.get_page(request.GET.get("page")),
        preview=queries.first_invoices(batch),
        **asked_of(batch, request),
        **rows_of(batch, request),
        told=forecast(batch) if batch.state in KNOWN else None,
        sent=sent(batch) if batch.published_at else None,
        earlier=queries.earlier_batch_of_same_file(request.scope, batch),
        retractable=queries.retractable(batch),
        audience=current_townhall().alert_audience,
    )


@require_safe
@staff_required(Role.READER)
def batch_progress(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The part of the page that changes. When the worker is done, tells the browser to reload the page."""
    batch = found(queries.batch, request.scope, public_id)
    progress = progress_of(batch)
    if not progress.working:
        return HttpResponseClientRefresh()
    return screen(request, "partials/progress.html", section="imports", batch=batch, progress=progress)


@require_safe
@staff_required(Role.READER)
def problems_file(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """All problems of the import, for a spreadsheet."""
    batch = found(queries.batch, request.scope, public_id)
    titles = [_("Gravité"), _("Ligne"), _("Colonne"), _("Valeur"), _("Problème")]
    rows = (
        (problem.get_severity_display(), problem.line, problem.field, problem.value, problem.message)
        for problem in queries.problems(batch).iterator()
    )
    return csv_answer(f"problemes-{batch.created_at:%Y-%m-%d}.csv", titles, rows)


@require_POST
@staff_required(Role.CLERK)
def publish(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Publier N factures »: residents see the invoices from now on."""
    return _do(request, public_id, services.publish_batch, "")


@require_POST
@staff_required(Role.CLERK)
def take_back(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Retirer cet import »: take back a published batch, as long as nothing of it was paid."""
    done = _("L'import est retiré : les usagers ne voient plus ces factures.")
    if request.POST.get("partie"):
        return _do(request, public_id, partial(services.take_back_batch, unpaid_only=True), done)
    return _do(request, public_id, services.take_back_batch, done)


@require_POST
@staff_required(Role.CLERK)
def retry(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Réessayer » an import that was interrupted."""
    return _do(request, public_id, services.retry_batch, "")


@require_POST
@staff_required(Role.CLERK)
def discard(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Abandonner cet import »: drop a batch that is not published."""
    done = _("L'import est abandonné. Vous pouvez en envoyer un autre.")
    return _do(request, public_id, services.discard_batch, done, to="backoffice:batches")


@require_POST
@staff_required(Role.CLERK)
def answer(request: StaffRequest, public_id: UUID, pk: int) -> HttpResponse:
    """« C'est la même personne » or « C'est une autre personne », for one payer of an import."""
    update = found(queries.question, found(queries.batch, request.scope, public_id), pk)
    said = request.POST.get("reponse", "")
    try:
        if said in Answer.values:
            answering.answer_question(actor=request.user, update=update, answer=Answer(said))
    except InvoiceError as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('backoffice:batch', args=[public_id])}#questions")


@require_POST
@staff_required(Role.CLERK)
def recognise(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Ce sont les mêmes personnes », for all codes whose names agree."""
    batch = found(queries.batch, request.scope, public_id)
    try:
        number = answering.recognise_alike(actor=request.user, batch=batch)
    except InvoiceError as error:
        messages.error(request, str(error))
        return redirect("backoffice:batch", public_id)
    sentence = ngettext("%(n)d redevable est reconnu.", "%(n)d redevables sont reconnus.", number)
    messages.success(request, sentence % {"n": number})
    return redirect(f"{reverse('backoffice:batch', args=[public_id])}#questions")


def _do(
    request: StaffRequest, public_id: UUID, act: Callable[..., Batch], done: str, *, to: str = ""
) -> HttpResponse:
    batch = found(queries.batch, request.scope, public_id)
    try:
        act(actor=request.user, batch=batch)
    except InvoiceError as error:
        messages.error(request, str(error))
        return redirect("backoffice:batch", public_id)
    if done:
        messages.success(request, done)
    return redirect(to) if to else redirect("backoffice:batch", public_id)
