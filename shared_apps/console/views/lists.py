"""Many towns at once: upload a list, check it, have it opened, download the report."""

from uuid import UUID

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.console.access import OperatorRequest
from shared_apps.console.look.forms import ListForm
from shared_apps.console.look.screens import screen
from shared_apps.console.townlist import opening, outcomes, reading, report
from shared_apps.console.townlist.outcomes import Outcome
from tenants.errors import TownError
from tenants.models import Operation
from toolkit.files.arriving import announced_size, let_finish
from toolkit.sheets import csv_answer

TITLE = "Ouvrir plusieurs communes"
MOST = reading.MOST_BYTES + 64 * 1024  # the form itself weighs something too


@csrf_exempt  # only for the look at the size, before anything is read; `_open_list` asks for the token
@require_http_methods(["GET", "HEAD", "POST"])
def open_list(request: OperatorRequest) -> HttpResponse:
    """Check a list, or have the worker open it; the operation's page shows the progress."""
    if request.method == "POST" and announced_size(request) > MOST:
        let_finish(request)
        form = ListForm()
        problem = "Ce fichier pèse plus de 1 Mo : ce n'est sans doute pas une liste de communes."
        return screen(request, "open_list", title=TITLE, form=form, problem=problem, status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _open_list(request)


@csrf_protect
def _open_list(request: OperatorRequest) -> HttpResponse:
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
    if request.method != "POST" or not form.is_valid():
        return screen(request, "open_list", title=TITLE, form=form, status=422 if form.errors else 200)
    found: reading.TownList = form.cleaned_data["list"]
    only_checked = "check" in request.POST
    if only_checked or (found.problems and not form.cleaned_data["partial"]):
        status = 200 if only_checked else 422
        return screen(request, "open_list", title=TITLE, form=form, status=status, **_seen(found))
    try:
        operation = opening.request_list(actor=request.user, lines=found.lines, problems=found.problems)
    except TownError as error:
        form.add_error(None, str(error))
        return screen(request, "open_list", title=TITLE, form=form, status=422)
    return redirect("admin:operation", public_id=operation.uuid)


def _seen(found: reading.TownList) -> dict[str, object]:
    """What would become of each line: those to correct first."""
    every = [*outcomes.expected(found.lines), *outcomes.of_problems(found.problems)]
    return {
        "seen": sorted(every, key=lambda one: (one.what != outcomes.What.REFUSED, one.number)),
        "summary": report.summary(outcomes.counts_of(every)),
        "is_right": not outcomes.counts_of(every)[outcomes.What.REFUSED],
    }


@require_safe
def list_sample(request: OperatorRequest) -> FileResponse:
    """A list with one town, to be filled in."""
    return csv_answer("communes.csv", report.SAMPLE[0], report.SAMPLE[1:])


@require_safe
def list_report(request: OperatorRequest, public_id: UUID) -> FileResponse:
    """What became of each line."""
    operation = Operation.objects.filter(uuid=public_id, kind=opening.KIND).first()
    found: list[Outcome] = opening.outcomes_of(operation) if operation else []
    if not found:
        raise Http404
    return csv_answer("ouverture-des-communes.csv", report.TITLES, report.rows(found))
