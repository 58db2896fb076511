"""What a clerk decides about the rows of an import: correct, keep aside, agree, choose the day."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, staff_required
from tenant_apps.backoffice.words.import_rows import cells_sent
from tenant_apps.invoices import queries
from tenant_apps.invoices.decisions import answering, rechecking
from tenant_apps.invoices.decisions.planning import plan_publication
from tenant_apps.invoices.errors import InvoiceError
from tenant_apps.invoices.models import Batch, RefusedRow
from tenant_apps.invoices.states import Agreed


@require_POST
@staff_required(Role.CLERK)
def correct(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Enregistrer et vérifier de nouveau »: keep the corrected cells of the page, then read the file again."""
    return _do(request, public_id, _correct, cells=cells_sent(request.POST))


def _correct(*, actor: Any, batch: Batch, cells: dict[int, dict[str, str]]) -> None:
    for line, texts in cells.items():
        try:
            rechecking.correct_row(actor=actor, batch=batch, line=line, cells=texts)
        except RefusedRow.DoesNotExist:
            continue  # another person's check has taken it meanwhile
    rechecking.check_again(actor=actor, batch=batch)


@require_POST
@staff_required(Role.CLERK)
def set_aside(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Garder ces lignes de côté », or all or nothing again."""
    return _do(request, public_id, rechecking.set_aside, is_wanted=request.POST.get("garder") != "non")


@require_POST
@staff_required(Role.CLERK)
def agree(request: StaffRequest, public_id: UUID, pk: int) -> HttpResponse:
    """« Appliquer » or « Laisser », for one online invoice that the file changes."""
    change = found(queries.amendment, found(queries.batch, request.scope, public_id), pk)
    said = request.POST.get("reponse", "")
    if said not in Agreed.values:
        return redirect("backoffice:batch", public_id)
    return _do(request, public_id, answering.agree, anchor="amended", pk=change.pk, answer=Agreed(said))


@require_POST
@staff_required(Role.CLERK)
def plan(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Publier ce jour-là »; an empty day takes it back."""
    try:
        day = date.fromisoformat(request.POST["jour"]) if request.POST.get("jour") else None
    except ValueError:
        messages.error(request, _("Choisissez un jour dans le calendrier."))
        return redirect("backoffice:batch", public_id)
    return _do(request, public_id, plan_publication, day=day)


def _do(
    request: StaffRequest, public_id: UUID, act: Callable[..., object], *, anchor: str = "", **more: Any
) -> HttpResponse:
    batch = found(queries.batch, request.scope, public_id)
    try:
        act(actor=request.user, batch=batch, **more)
    except InvoiceError as error:
        messages.error(request, str(error))
    page = reverse("backoffice:batch", args=[public_id])
    return redirect(f"{page}#{anchor}" if anchor else page)
