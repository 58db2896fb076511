"""« Dossier de dépôt » of a source: files that a gateway writes there are imported. For managers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.sources.inbox import InboxForm
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Source
from toolkit.files.objects import bucket

SHOWN = 10  # files that came last


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def inbox_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """The folder's settings and address, and what came last."""
    source = found(inboxes.source_with_folder, public_id)
    form, problem = InboxForm(request.POST if request.method == "POST" else None, source=source), ""
    if form.is_bound and form.is_valid():
        try:
            inboxes.watch(actor=request.user, source=source, **form.cleaned_data)
        except AccountError as error:
            problem = str(error)
        else:
            messages.success(request, _("C'est enregistré."))
            return redirect("backoffice:source-inbox", public_id)
    return screen(
        request,
        "inbox.html",
        section="settings",
        place="sources",
        status=422 if form.errors or problem else 200,
        problem=problem,
        **inbox_context(source, form),
    )


def inbox_context(source: Source, form: InboxForm | None = None) -> dict[str, Any]:
    """What `partials/inbox.html` draws, for this page and for the page of the source."""
    return {
        "source": source,
        "form": form or InboxForm(source=source),
        "folder": f"s3://{bucket().name}/{inboxes.folder_of(source)}",
        "stands": inboxes.stands_still(source),
        "arrivals": inboxes.arrivals(source)[:SHOWN],
    }
