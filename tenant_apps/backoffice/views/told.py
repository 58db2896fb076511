"""« Qui sera prévenu »: the figures of an import, the payers whom no message reaches, and their letters."""

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import overload
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.invoices import queries
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.told.forecast import KNOWN, Forecast, Untold, forecast, untold
from tenant_apps.notices.told.letters import MOST, Sender, letters
from tenant_apps.notices.told.sent import sent
from tenant_apps.products.queries import products_for_staff
from tenant_apps.townhall.queries import letterhead, logo_png
from toolkit.sheets import csv_answer

A_PAGE = 50


@require_safe
@staff_required(Role.READER)
def told_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """How many messages, to whom, and who gets none. An import that is still read leads to its own page."""
    batch = found(queries.batch, request.scope, public_id)
    if batch.state not in KNOWN:
        return redirect("backoffice:batch", public_id)
    figures = forecast(batch)
    pages = Paginator(_Untold(batch, figures), A_PAGE)
    return screen(
        request,
        "told.html",
        section="imports",
        batch=batch,
        told=figures,
        sent=sent(batch),
        untold=pages.get_page(request.GET.get("page")),
        lots=_lots(figures.untold),
    )


@require_safe
@staff_required(Role.READER)
def untold_file(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """The payers who get no message, for a spreadsheet."""
    batch = found(queries.batch, request.scope, public_id)
    if batch.state not in KNOWN:
        return redirect("backoffice:batch", public_id)
    titles = [_("Code redevable"), _("Nom"), _("Adresse"), _("CP"), _("Ville")]
    titles += [_("Factures"), _("Total"), _("Pourquoi")]
    rows = (
        (one.code, one.name, " ".join(one.address.split()), one.postcode, one.city, *_owed(one))
        for one in untold(batch)
    )
    return csv_answer(f"sans-courriel-{batch.created_at:%Y-%m-%d}.csv", titles, rows)


@require_safe
@staff_required(Role.CLERK)
def letters_file(request: StaffRequest, public_id: UUID) -> HttpResponseBase:
    """« Imprimer les courriers »: one page for each of these payers, `MOST` in a file. ?lot=2: the next ones."""
    batch = found(queries.batch, request.scope, public_id)
    if batch.state not in KNOWN:
        return redirect("backoffice:batch", public_id)
    lot = request.GET.get("lot", "")
    n = int(lot) if lot.isdecimal() and 0 < len(lot) < 5 else 1
    payers = list(untold(batch, offset=MOST * (max(n, 1) - 1), most=MOST, with_bills=True))
    if not payers:
        messages.info(request, _("Il n'y a aucun courrier à imprimer pour cet import."))
        return redirect("backoffice:batch-told", public_id)
    head, regies = letterhead(), {one.pk: one for one in products_for_staff(request.scope)}
    sender = Sender(head["townhall"], head["address"], regies, logo_png(head["townhall"]))
    name = f"courriers-{batch.created_at:%Y-%m-%d}" + (f"-{n}" if n > 1 else "") + ".pdf"
    content = io.BytesIO(letters(payers, sender))
    return FileResponse(content, content_type="application/pdf", as_attachment=True, filename=name)


def _owed(one: Untold) -> tuple[int, Decimal, str]:
    return one.invoices, one.amount, str(one.why.label)


class _Untold(Sequence[Untold]):
    """The payers without a message, read one page at a time. Their number is known."""

    def __init__(self, batch: Batch, figures: Forecast) -> None:
        self._batch, self._count = batch, figures.untold

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, wanted: int) -> Untold: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[Untold]: ...
    def __getitem__(self, wanted: int | slice) -> Untold | list[Untold]:
        """A slice, in one statement; none when there is nobody."""
        if isinstance(wanted, int):
            return self[wanted : wanted + 1][0]
        first, last = wanted.start or 0, self._count if wanted.stop is None else wanted.stop
        return list(untold(self._batch, offset=first, most=last - first)) if self._count else []


def _lots(payers: int) -> list[tuple[int, int, int]]:
    """(number, first letter, last letter) of each file of letters."""
    return [(n, first + 1, min(first + MOST, payers)) for n, first in enumerate(range(0, payers, MOST), 1)]
