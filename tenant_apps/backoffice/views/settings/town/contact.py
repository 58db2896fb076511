"""« Commune »: the town's name, and how residents reach it."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, staff_required
from tenant_apps.backoffice.forms.town.contact import ContactForm
from tenant_apps.backoffice.views.settings.town import save_or_show
from tenant_apps.townhall.queries import current_townhall


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def town_page(request: StaffRequest) -> HttpResponse:
    """The form, beside what the portal shows of it."""
    form = ContactForm(request.POST if request.method == "POST" else None, instance=current_townhall())
    return save_or_show(
        request,
        "settings/contact.html",
        form,
        place="town",
        preview="settings/_contact_shown.html",
        saved=_("Les informations de la commune sont enregistrées."),
    )
