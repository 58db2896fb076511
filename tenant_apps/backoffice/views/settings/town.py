"""What the town shows of itself. For managers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.base import TownForm
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def town_page(request: StaffRequest) -> HttpResponse:
    """« Commune »: the town's settings."""
    form = TownForm(request.POST or None, instance=current_townhall())
    if request.user.impersonated_by is not None:
        del form.fields["staff_second_factor"]  # not the operator's to weaken
    if request.method == "POST" and form.is_valid():
        change_townhall(actor=request.user, **form.cleaned_data)
        messages.success(request, _("Les informations de la commune sont enregistrées."))
        return redirect("backoffice:town")
    status = 422 if form.errors else 200
    return screen(request, "town.html", section="town", form=form, status=status)
