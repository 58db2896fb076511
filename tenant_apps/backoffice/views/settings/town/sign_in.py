"""« Connexion »: how residents and staff sign in."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, staff_required
from tenant_apps.backoffice.forms.town.rules import SignInForm
from tenant_apps.backoffice.views.settings.town import save_or_show
from tenant_apps.townhall.identity_provider import provider_of
from tenant_apps.townhall.queries import current_townhall


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def sign_in_settings(request: StaffRequest) -> HttpResponse:
    """The rules, beside what the page of sign-in offers."""
    townhall = current_townhall()
    form = SignInForm(
        request.POST if request.method == "POST" else None,
        instance=townhall,
        in_person=request.user.impersonated_by is None,
    )
    return save_or_show(
        request,
        "settings/sign_in.html",
        form,
        place="sign-in-settings",
        preview="settings/_sign_in_shown.html",
        saved=_("Les règles de connexion sont enregistrées."),
        provider=provider_of(townhall),
    )
