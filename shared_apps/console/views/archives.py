"""The archive of a town, brought as a file: it is checked and kept, then restored as an export is."""

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from shared_apps.audit import services as audit
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look.forms import ArchiveForm
from shared_apps.console.look.screens import screen
from tenants.archive.deposits import deposit
from tenants.errors import TownError
from toolkit.files.arriving import announced_size, let_finish

TITLE = "Restaurer une archive"
FORM = 64 * 1024  # what the form itself weighs around the file


@csrf_exempt  # only for the look at the size, before anything is read; `_deposit` asks for the token
@require_http_methods(["GET", "HEAD", "POST"])
def deposit_archive(request: OperatorRequest) -> HttpResponse:
    """Check and keep an archive; the next page asks under which address it is restored."""
    most = settings.ARCHIVE_MAX_BYTES
    if request.method == "POST" and announced_size(request) > most + FORM:
        let_finish(request)
        problem = (
            f"Cette archive pèse plus de {filesizeformat(most)} : restaurez-la avec manage.py restore_town."
        )
        return screen(request, "deposit", title=TITLE, form=ArchiveForm(), problem=problem, status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]  # on disk, whatever the size
    return _deposit(request)


@csrf_protect
def _deposit(request: OperatorRequest) -> HttpResponse:
    form = ArchiveForm(request.POST, request.FILES) if request.method == "POST" else ArchiveForm()
    if request.method == "POST" and form.is_valid():
        try:
            kept = deposit(stream=form.cleaned_data["archive"].file, actor=request.user)
        except TownError as error:
            form.add_error("archive", str(error))
        else:
            with transaction.atomic():
                obj, slug = f"operation:{kept.uuid}", {"slug": kept.subject}
                audit.record("archive.deposited", actor=request.user, obj=obj, new=slug)
            return redirect("admin:restore-export", public_id=kept.uuid)
    return screen(request, "deposit", title=TITLE, form=form, status=422 if form.errors else 200)
