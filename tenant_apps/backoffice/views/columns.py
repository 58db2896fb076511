"""« Colonnes »: what each column of a refused or a ready import gives."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.file_columns import FilePage, has_columns
from tenant_apps.invoices import queries
from tenant_apps.invoices.errors import InvoiceError


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.CLERK)
def batch_columns(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """Show them with the first rows as they will be read; save them with the source, and check the file again."""
    batch = found(queries.batch, request.scope, public_id)
    if not has_columns(batch):
        return redirect("backoffice:batch", public_id)
    page = FilePage(request.scope, batch, request.POST if request.method == "POST" else None)
    if request.method == "POST" and "apercu" not in request.POST and page.is_valid:
        try:
            page.save(actor=request.user)
        except InvoiceError as error:
            messages.error(request, str(error))
        else:
            sentence = _("Ces colonnes sont gardées pour « %(source)s » : le fichier est vérifié de nouveau.")
            messages.success(request, sentence % {"source": batch.source.name})
        return redirect("backoffice:batch", public_id)
    wrong = page.problem or (page.form and page.form.errors)
    status = 422 if wrong and request.method == "POST" else 200
    return screen(request, "columns.html", section="imports", status=status, batch=batch, page=page)
