"""« Équipe »: who works for the town in the portal, with which role."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.signing_in import second_factor
from shared_apps.accounts.team import queries, services
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.team import InvitationForm, MemberForm
from tenant_apps.backoffice.journal.history import History
from tenant_apps.products.queries import has_several_products, products_for_staff


def _forget_factor(*, actor: Account, member: Account) -> None:
    """Raises AccountError."""
    second_factor.forget(actor=actor, account=member)


_ACTS: dict[str, tuple[Callable[..., None], Promise]] = {
    "again": (services.invite_again, gettext_lazy("L'invitation de %(name)s est partie de nouveau.")),
    "suspend": (
        services.suspend,
        gettext_lazy("%(name)s ne peut plus se connecter, jusqu'à ce que vous rétablissiez son compte."),
    ),
    "resume": (services.resume, gettext_lazy("%(name)s peut de nouveau se connecter.")),
    "forget": (
        _forget_factor,
        gettext_lazy(
            "Le second facteur de %(name)s est oublié : ses sessions sont fermées, et il en faudra un nouveau."
        ),
    ),
    "remove": (services.remove, gettext_lazy("%(name)s ne fait plus partie de l'équipe.")),
}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER, in_person=True)
def team_page(request: StaffRequest) -> HttpResponse:
    """The members, and the form that invites one more."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _invite(request, form):
        return redirect("backoffice:team")
    everybody = queries.members()
    return screen(
        request,
        "team.html",
        section="settings",
        place="team",
        status=422 if form.errors else 200,
        form=form,
        members=[one for one in everybody if not one.has_left],
        former=[one for one in everybody if one.has_left],
    )


def _invite(request: StaffRequest, form: InvitationForm) -> bool:
    try:
        services.invite(actor=request.user, **form.cleaned_data)
    except AccountError as error:
        form.add_error("email", str(error))
        return False
    words = _("L'invitation part à %(email)s. Son lien est valable 7 jours.")
    messages.success(request, words % {"email": form.cleaned_data["email"]})
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER, in_person=True)
def member_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One member: the name, the role, and what can be done."""
    member = found(queries.member, public_id)
    kept = {"name": member.account.name, "role": member.account.role}
    form = MemberForm(request.POST if request.method == "POST" else None, initial=kept)
    if form.is_bound and form.is_valid():
        try:
            services.change_member(actor=request.user, member=member.account, **form.cleaned_data)
        except AccountError as error:
            form.add_error("role", str(error))
        else:
            messages.success(request, _("C'est enregistré."))
            return redirect("backoffice:member", public_id)
    account, several = member.account, has_several_products()
    return screen(
        request,
        "member.html",
        section="settings",
        place="team",
        status=422 if form.errors else 200,
        member=member,
        history=History(account.audit_name),
        form=form,
        several_regies=several,
        regies=products_for_staff(account.scope).filter(replaced_by=None) if several else (),
        limitable=account.role != Role.MANAGER and not member.has_left,
    )


@require_POST
@staff_required(Role.MANAGER, in_person=True)
def act(request: StaffRequest, public_id: UUID, act: str) -> HttpResponse:
    """One of `_ACTS` on a member; back to the page where the button was."""
    account = found(queries.member, public_id).account
    do, words = _ACTS[act]
    try:
        do(actor=request.user, member=account)
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, str(words) % {"name": account.called})
    if request.POST.get("depuis") == "fiche":
        return redirect("backoffice:member", public_id)
    return redirect("backoffice:team")
