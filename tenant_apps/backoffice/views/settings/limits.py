"""For which régies a member of staff works. For managers."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.team import LimitsForm
from tenant_apps.products.errors import CannotBeLimited
from tenant_apps.products.queries import member_of_staff, products
from tenant_apps.products.services import limit_member


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def limits_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """« Ses régies »: all of them, or some."""
    member = found(member_of_staff, public_id)
    data = request.POST if request.method == "POST" else None
    form, problem = (
        LimitsForm(data, products=list(products().filter(replaced_by=None)), scope=member.scope),
        "",
    )
    if form.is_bound and form.is_valid():
        try:
            limit_member(actor=request.user, account=member, products=form.cleaned_data["products"])
        except CannotBeLimited as error:
            problem = str(error)
        else:
            messages.success(request, _("C'est enregistré : cela compte dès sa prochaine page."))
            return redirect("backoffice:member-limits", public_id)
    status = 422 if form.errors or problem else 200
    return screen(
        request,
        "limits.html",
        section="settings",
        place="team",
        status=status,
        member=member,
        form=form,
        problem=problem,
    )
