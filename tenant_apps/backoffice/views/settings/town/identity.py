"""« Identité »: the town's colours, logo and icon."""

from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.town.identity import ColoursForm, IdentityForm
from tenant_apps.backoffice.views.settings.town import only_shown
from tenant_apps.townhall.colours import in_words, tones
from tenant_apps.townhall.images import MOST_BYTES
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_icon, change_logo, change_townhall
from toolkit.files.storage import NOT_KEPT, StorageSilent

MOST = 2 * MOST_BYTES + 64 * 1024


@csrf_exempt  # so that the size is checked before the body is read; `_identity` checks the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def identity_page(request: StaffRequest) -> HttpResponse:
    """The colours, in one form; the logo and the icon, in another."""
    if request.method == "POST" and uploads.announced_size(request) > MOST:
        uploads.let_finish(request)
        problem = _("Ces images pèsent plus de 1 Mo chacune : envoyez-en des versions plus légères.")
        return _page(request, problem=problem, status=413)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _identity(request)


@csrf_protect
def _identity(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    return _colours(request) if request.POST.get("quoi") == "couleurs" else _pictures(request)


def _colours(request: StaffRequest) -> HttpResponse:
    colours = ColoursForm(request.POST, instance=current_townhall())
    if colours.is_valid() and not only_shown(request):
        change_townhall(actor=request.user, **colours.cleaned_data)
        messages.success(request, _("Les couleurs sont enregistrées."))
        return redirect("backoffice:identity")
    return _page(request, colours=colours, status=422 if colours.errors else 200)


def _pictures(request: StaffRequest) -> HttpResponse:
    form = IdentityForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    for name, change in (("logo", change_logo), ("icon", change_icon)):
        if form.cleaned_data[name] is not None or form.cleaned_data[f"remove_{name}"]:
            try:
                change(actor=request.user, content=form.cleaned_data[name])
            except StorageSilent:
                return _page(request, form=form, problem=str(NOT_KEPT), status=503)
    messages.success(request, _("Le logo et l'icône sont enregistrés."))
    return redirect("backoffice:identity")


def _page(
    request: StaffRequest,
    *,
    form: IdentityForm | None = None,
    colours: ColoursForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; its preview alone, always with 200, when htmx asks while a colour is chosen."""
    colours = colours or ColoursForm(instance=current_townhall())
    town, accent = colours.shown
    context = {
        "form": form or IdentityForm(),
        "colours": colours,
        "problem": problem,
        "words": in_words(town, accent),
        "sheet": f"{town[1:]}-{accent[1:]}",
    }
    alone = request.method == "POST" and only_shown(request) and request.headers.get("HX-Request")
    template, status = ("settings/_identity_shown.html", 200) if alone else ("settings/identity.html", status)
    return screen(request, template, section="settings", place="identity", status=status, **context)


@require_safe
@staff_required(Role.MANAGER)
def colours_sheet(request: StaffRequest) -> HttpResponse:
    """The stylesheet of the preview: the tones of « ?c=1f4e79-8a4b08 », or of the town's own colours."""
    names = ("primary_colour", "accent_colour")
    asked = {name: f"#{part}" for name, part in zip(names, request.GET.get("c", "").split("-"), strict=False)}
    light, dark = tones(*ColoursForm(asked, instance=current_townhall()).shown)
    # the dark scheme changes only the inks: both start from the light one, as on the pages of the portal
    css = f".look{{{light}}}\n.look-dark{{{dark}}}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8")
