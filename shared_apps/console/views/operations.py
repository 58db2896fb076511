"""An operation: how far it is, why it failed, try again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from shared_apps.audit import services as audit
from shared_apps.console import words
from shared_apps.console.access import OperatorRequest
from shared_apps.console.screens import screen
from tenants import operations
from tenants.errors import TownError
from tenants.models import LIVE, Operation, OperationState, Town


@require_safe
def operation_page(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """Goes on by itself while the operation does; leaving the page is safe."""
    operation = _operation(public_id)
    title = f"{words.kind(operation.kind)} : {operation.subject}"
    return screen(request, "operation", title=title, **_context(operation))


@require_safe
def operation_progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The part of the page that changes."""
    return render(request, "console/partials/progress.html", _context(_operation(public_id)))


@require_POST
def retry_operation(request: OperatorRequest, public_id: UUID) -> HttpResponse:
    """From where it stopped."""
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
        "is_live": operation.state in LIVE,
        "is_failed": operation.state == OperationState.FAILED,
        "is_done": operation.state == OperationState.DONE,
        "tone": words.OPERATION_TONES.get(operation.state, ""),
        "who": words.actor(operation.requested_by, words.operators()),
        "percent": min(100, operation.done * 100 // operation.total) if operation.total else 0,
    }
