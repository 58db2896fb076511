"""« Provenances des fichiers »: where billing files come from, and how each is read. For managers."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.sources.rules import SourceForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.backoffice.words.sources import rules_in_words
from tenant_apps.residents import sources
from tenant_apps.residents.models import Source


@require_safe
@staff_required(Role.MANAGER)
def source_list(request: StaffRequest) -> HttpResponse:
    """All of them, with how many payers each has and how its files are read."""
    rows = [(one, rules_in_words(one)) for one in sources.with_payers()]
    return screen(request, "sources.html", section="settings", place="sources", rows=rows)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def source_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One of them: its name and its rules."""
    source = found(sources.source_of, public_id)
    form = SourceForm(request.POST if request.method == "POST" else None, source=source)
    if request.method == "POST" and form.is_valid() and _saved(request, source, form):
        messages.success(request, _("« %(name)s » est enregistrée.") % {"name": form.cleaned_data["name"]})
        return redirect("backoffice:sources")
    return screen(
        request,
        "source.html",
        section="settings",
        place="sources",
        status=422 if form.errors else 200,
        form=form,
        source=source,
        history=History(f"source:{source.uuid}"),
    )


def _saved(request: StaffRequest, source: Source, form: SourceForm) -> bool:
    try:
        sources.rename_source(actor=request.user, source=source, name=form.cleaned_data["name"])
    except AccountError as error:
        form.add_error("name", str(error))
        return False
    sources.save_rules(actor=request.user, source=source, changes=form.changes())
    return True
