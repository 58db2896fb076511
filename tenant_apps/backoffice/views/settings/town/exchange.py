"""« Importer, exporter »: settings from one town to another, in a file."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.town.exchange import SettingsFileForm
from tenant_apps.townhall.exchange import services
from tenant_apps.townhall.exchange.files import MOST_BYTES
from tenant_apps.townhall.exchange.services import Change

MOST = 4 * MOST_BYTES  # the file comes back in a field of the next form, where a letter may take three bytes


@require_safe
@staff_required(Role.MANAGER)
def settings_file(request: StaffRequest) -> HttpResponse:
    """« Exporter les réglages »."""
    response = HttpResponse(services.export_settings(), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="reglages.json"'
    return response


@csrf_exempt  # so that the size is checked before the body is read; `_exchange` checks the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def exchange_page(request: StaffRequest) -> HttpResponse:
    """The two buttons; then what a file would change, line by line; then what has changed."""
    if request.method == "POST" and uploads.announced_size(request) > MOST:
        uploads.let_finish(request)
        problem = _("Ce fichier pèse plus de 256 Ko : ce n'est pas un fichier de réglages.")
        return _page(request, [problem], status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _exchange(request)


@csrf_protect
def _exchange(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    try:
        if "reglages" in request.POST:
            content = request.POST["reglages"].encode(errors="replace")
            return _apply(request, content) if "appliquer" in request.POST else _compare(request, content)
        form = SettingsFileForm(request.POST, request.FILES)
        if not form.is_valid():
            return _page(request, form=form, status=422)
        return _compare(request, form.content())
    except ValidationError as error:
        return _page(request, [_("Rien n'a été changé."), *error.messages], status=422)


def _compare(request: StaffRequest, content: bytes, problem: str = "") -> HttpResponse:
    return screen(
        request,
        "settings/compare.html",
        section="settings",
        place="exchange",
        changes=_offered(request, services.compare(content)),
        content=content.decode("utf-8-sig"),
        problem=problem,
        status=422 if problem else 200,
    )


def _offered(request: StaffRequest, changes: list[Change]) -> list[Change]:
    """Who needs a second factor is not the operator's to change in somebody's place."""
    in_person = request.user.impersonated_by is None
    return [one for one in changes if in_person or one.shared.field != "staff_second_factor"]


def _apply(request: StaffRequest, content: bytes) -> HttpResponse:
    taken = set(request.POST.getlist("prendre"))
    offered = _offered(request, services.compare(content))
    keys = {one.shared.key for one in offered} & taken
    if offered and not taken:
        return _compare(request, content, _("Cochez au moins un réglage à prendre."))
    changes, back = services.take_settings(actor=request.user, content=content, keys=keys)
    return screen(
        request, "settings/taken.html", section="settings", place="exchange", changes=changes, content=back
    )


def _page(request: StaffRequest, problems: list[str] | None = None, **context: Any) -> HttpResponse:
    context = {"form": SettingsFileForm(), "problems": problems or [], **context}
    return screen(request, "settings/exchange.html", section="settings", place="exchange", **context)
