"""« Journal »: who did what, to what, old → new."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.journal import JournalForm
from tenant_apps.backoffice.journal.lines import file_rows, file_titles, lines_of
from tenant_apps.backoffice.journal.things import things_of
from tenant_apps.backoffice.paging import page_of
from toolkit import clock
from toolkit.sheets import csv_answer
from toolkit.words import in_french


@require_safe
@staff_required(Role.MANAGER)
def journal(request: StaffRequest) -> HttpResponse:
    """The facts of the town, newest first; also for an operator in a manager's place."""
    form = JournalForm(request.GET, objects=request.GET.getlist("objet"))
    page = page_of(form.entries(request.scope), request.GET.get("apres", ""), request.scope, key="pk")
    return screen(
        request,
        "journal.html",
        section="settings",
        place="journal",
        form=form,
        page=page,
        lines=lines_of(page.rows),
        only=things_of(form.objects).values(),
        status=422 if form.errors else 200,
    )


@require_safe
@staff_required(Role.MANAGER)
@in_french
def journal_file(request: StaffRequest) -> HttpResponseBase:
    """The same facts, all of them, for a spreadsheet. A filter that cannot be read leads back to the page."""
    form = JournalForm(request.GET, objects=request.GET.getlist("objet"))
    if not form.is_valid():
        return redirect(f"{reverse('backoffice:journal')}?{request.GET.urlencode()}")
    entries = form.entries(request.scope).iterator(chunk_size=500)
    return csv_answer(f"journal-{clock.today()}.csv", file_titles(), file_rows(entries))
