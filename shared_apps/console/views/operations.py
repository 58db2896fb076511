"""An operation: how far it is, why it failed, try again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.audit import services as audit
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look import words
from shared_apps.console.look.forms import RestoreForm
from shared_apps.console.look.screens import screen
from shared_apps.console.townlist import opening, outcomes
from tenants.archive import certificate, exporting, restoring
from tenants.errors import TownError
from tenants.models import LIVE, Erasure, Operation, OperationState, Town
from tenants.work import operations


@require_safe
def operation_page(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """The page of an operation. It refreshes itself while the operation runs; leaving it is safe."""
    operation = _operation(public_id)
    title = f"{words.kind(operation.kind)} : {operation.subject}"
    return screen(request, "operation", title=title, **_context(operation))


@require_safe
def operation_progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The part of the page that changes."""
    return render(request, "console/partials/progress.html", _context(_operation(public_id)))


@require_safe
def download_archive(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """Redirect to the archive of an export (a link of five minutes), and record who downloaded it."""
    operation = _operation(public_id)
    try:
        link = exporting.link_to(operation)
    except TownError as error:
        messages.error(request, str(error))
        return redirect("admin:operation", public_id=public_id)
    with transaction.atomic():
        audit.record(
            "export.downloaded",
            actor=request.user,
            obj=f"operation:{operation.uuid}",
            new={"slug": operation.subject},
        )
    return redirect(link)


@require_http_methods(["GET", "HEAD", "POST"])
def restore_export(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """Restore a town from an export, under its own address or another one."""
    export = _operation(public_id)
    if "key" not in export.result or not operations.knows(restoring.KIND):
        raise Http404
    form = RestoreForm(request.POST if request.method == "POST" else None, initial={"slug": export.subject})
    if request.method == "POST" and form.is_valid():
        try:
            asked = restoring.request_restore(export=export, actor=request.user, **form.cleaned_data)
        except TownError as error:
            form.add_error(None, str(error))
        else:
            return redirect("admin:operation", public_id=asked.uuid)
    status = 422 if form.errors else 200
    title = f"Restaurer : {export.subject}"
    return screen(request, "restore", title=title, form=form, export=export, status=status)


@require_safe
def certificate_page(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """The certificate of an erased town."""
    erasure = Erasure.objects.filter(uuid=public_id).first()
    if erasure is None:
        raise Http404
    erasure.requested_by = words.actor(erasure.requested_by, words.operators())
    title = f"Certificat d'effacement : {erasure.name}"
    return screen(request, "certificate", title=title, text=certificate.text_of(erasure))


@require_POST
def retry_operation(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """Try again from where it stopped."""
    operation = _operation(public_id)
    try:
        with transaction.atomic():
            if operation.state == OperationState.FAILED:
                audit.record(
                    "operation.retried",
                    actor=request.user,
                    obj=f"operation:{operation.uuid}",
                    new={"slug": operation.subject, "kind": operation.kind},
                )
            operations.retry(operation)
    except TownError as error:
        messages.error(request, str(error))
    return redirect("admin:operation", public_id=public_id)


def _operation(public_id: UUID) -> Operation:
    operation = Operation.objects.select_related("town").filter(uuid=public_id).first()
    if operation is None:
        raise Http404
    return operation


def _context(operation: Operation) -> dict[str, Any]:
    return {
        "operation": operation,
        "town": operation.town or Town.objects.filter(slug=operation.subject).first(),
        "result": words.result(operation),
        "archive": operation.state == OperationState.DONE and "key" in operation.result,
        "towns": _towns(operation),
        "certificate": operation.result.get("certificate", ""),
        "is_live": operation.state in LIVE,
        "is_failed": operation.state == OperationState.FAILED,
        "is_done": operation.state == OperationState.DONE,
        "tone": words.OPERATION_TONES.get(operation.state, ""),
        "who": words.actor(operation.requested_by, words.operators()),
        "percent": min(100, operation.done * 100 // operation.total) if operation.total else 0,
    }


def _towns(operation: Operation) -> dict[str, Any]:
    """Of a list of towns that has ended: what is not open, and how many lines it had."""
    found = opening.outcomes_of(operation)
    return {"every": len(found), "bad": [one for one in found if one.what in outcomes.BAD]} if found else {}
