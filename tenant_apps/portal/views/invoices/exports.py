"""Downloads: the list for a spreadsheet, the PDFs of a year, a receipt."""

import io
from uuid import UUID

from django.http import FileResponse, Http404, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from tenant_apps.invoices.documents.archives import archive_of, parts_of
from tenant_apps.invoices.queries import documents_of_year
from tenant_apps.payments.models import Payment
from tenant_apps.payments.queries import payment_for_resident
from tenant_apps.payments.readers import receipt_for_resident_pdf as receipt
from tenant_apps.portal.access import ResidentRequest, resident_required
from tenant_apps.portal.lists.listing import Asked
from tenant_apps.portal.lists.spreadsheet import HEADS, rows
from tenant_apps.townhall.queries import current_townhall
from toolkit import clock
from toolkit.sheets import csv_answer


@require_safe
@resident_required
def invoices_csv(request: ResidentRequest) -> HttpResponseBase:
    """The whole list with the filters of its address, for a spreadsheet."""
    name, titles = f"mes-factures-{clock.today()}.csv", [str(head) for head in HEADS]
    return csv_answer(name, titles, rows(request.user, Asked.read(request.GET).wanted))


@require_safe
@resident_required
def year_archive(request: ResidentRequest, year: int, part: int = 1) -> HttpResponseBase:
    """All PDFs of a year as a ZIP, read from S3 during the download; a long year has several parts."""
    parts = parts_of(documents_of_year(request.user, year))
    if not 1 <= part <= len(parts):
        raise Http404
    response = StreamingHttpResponse(archive_of(parts[part - 1]), content_type="application/zip")
    name = f"factures-{year}.zip" if len(parts) == 1 else f"factures-{year}-{part}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@resident_required
def payment_receipt(request: ResidentRequest, public_id: UUID) -> HttpResponseBase:
    """The receipt of a payment (« justificatif de paiement »)."""
    try:
        payment = payment_for_resident(request.user, public_id)
    except Payment.DoesNotExist:
        raise Http404 from None
    file = io.BytesIO(receipt(payment, townhall=current_townhall()))
    name = f"justificatif-{payment.paid_on}-{str(payment.uuid)[:8]}.pdf"
    return FileResponse(file, content_type="application/pdf", filename=name)
