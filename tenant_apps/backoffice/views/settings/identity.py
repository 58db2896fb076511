"""The town's logo, icon and legal texts. For managers."""

from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice import uploads
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.identity import IdentityForm, NoticesForm
from tenant_apps.townhall.images import MOST_BYTES
from tenant_apps.townhall.notices import NOTICES, default_text
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_icon, change_logo, change_townhall
from toolkit.files.storage import NOT_KEPT, StorageSilent

MOST = 2 * MOST_BYTES + 64 * 1024


@csrf_exempt  # so that the size is checked before the body is read; `_identity` checks the token
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def identity_page(request: StaffRequest) -> HttpResponse:
    """The logo and the icon."""
    if request.method == "POST" and uploads.announced_size(request) > MOST:
        uploads.let_finish(request)
        problem = _("Ces images pèsent plus de 1 Mo chacune : envoyez-en des versions plus légères.")
        return screen(
            request, "identity.html", section="town", form=IdentityForm(), problem=problem, status=413
        )
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _identity(request)


@csrf_protect
def _identity(request: StaffRequest) -> HttpResponse:
    form = IdentityForm(request.POST, request.FILES) if request.method == "POST" else IdentityForm()
    if request.method == "POST" and form.is_valid():
        for name, change in (("logo", change_logo), ("icon", change_icon)):
            if form.cleaned_data[name] is not None or form.cleaned_data[f"remove_{name}"]:
                try:
                    change(actor=request.user, content=form.cleaned_data[name])
                except StorageSilent:
                    problem = str(NOT_KEPT)
                    return screen(
                        request, "identity.html", section="town", form=form, problem=problem, status=503
                    )
        messages.success(request, _("Le logo et l'icône sont enregistrés."))
        return redirect("backoffice:identity")
    return screen(request, "identity.html", section="town", form=form, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def notices_page(request: StaffRequest) -> HttpResponse:
    """The legal texts, each beside its default."""
    form = NoticesForm(request.POST or None, instance=current_townhall())
    if request.method == "POST" and form.is_valid():
        change_townhall(actor=request.user, **form.cleaned_data)
        messages.success(request, _("Les textes sont enregistrés."))
        return redirect("backoffice:notices")
    townhall, address = current_townhall(), f"{request.scheme}://{request.get_host()}"
    texts = [
        (form[notice.field], default_text(kind, townhall, address=address))
        for kind, notice in NOTICES.items()
    ]
    status = 422 if form.errors else 200
    return screen(request, "notices.html", section="town", form=form, texts=texts, status=status)
