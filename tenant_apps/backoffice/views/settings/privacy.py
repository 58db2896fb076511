"""« Données personnelles »: requests for erasure, and how long the town keeps what no law keeps. For managers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Account, Role
from tenant_apps.backoffice.access import StaffRequest, found, screen, staff_required
from tenant_apps.backoffice.forms.privacy import ErasureAnswerForm, RetentionForm
from tenant_apps.backoffice.paging import page_of
from tenant_apps.residents.erasure import services
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from toolkit import clock


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def privacy_page(request: StaffRequest) -> HttpResponse:
    """The waiting requests, the most urgent first; then the months."""
    form = RetentionForm(request.POST or None, instance=current_townhall())
    if request.method == "POST" and form.is_valid():
        change_townhall(actor=request.user, **form.cleaned_data)
        messages.success(
            request, _("Les durées sont enregistrées ; elles s'appliquent dès la nuit prochaine.")
        )
        return redirect("backoffice:privacy")
    page = page_of(services.waiting_erasures(), request.GET.get("apres", ""), request.scope)
    rows = [(account, deadline(account)) for account in page.rows]
    status = 422 if form.errors else 200
    return screen(
        request,
        "privacy.html",
        section="settings",
        place="privacy",
        form=form,
        page=page,
        rows=rows,
        status=status,
    )


def deadline(account: Account) -> dict[str, Any]:
    """For the templates: `day`, the last day for an answer, in words; `days` left, negative when late; days `late`,
    or 0.
    """
    assert account.erasure_asked_at is not None
    last = services.answer_before(account.erasure_asked_at)
    days = (last - clock.today()).days
    return {"day": clock.in_words(last), "days": days, "late": -days if days < 0 else 0}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def erasure_page(request: StaffRequest, public_id: UUID) -> HttpResponse:
    """One request: what is erased, what stays, and the answer."""
    account = found(services.erasure_for_staff, public_id)
    form, problem = ErasureAnswerForm(request.POST if request.method == "POST" else None), ""
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _answer(request, account, form.cleaned_data))
            return redirect("backoffice:privacy")
        except AccountError as error:
            problem = str(error)
    context = {
        "account": account,
        "deadline": deadline(account),
        "in_billing": services.is_in_billing(account),
    }
    status = 422 if form.errors or problem else 200
    return screen(
        request,
        "erasure.html",
        section="settings",
        place="privacy",
        form=form,
        problem=problem,
        status=status,
        **context,
    )


def _answer(request: StaffRequest, account: Account, data: dict[str, Any]) -> str:
    if data["decision"] == "accept":
        services.accept_erasure(actor=request.user, account=account)
        return _("La personne est effacée. Un dernier message part vers elle.")
    services.refuse_erasure(actor=request.user, account=account, answer=data["answer"])
    return _("La demande est refusée. Votre réponse part vers la personne.")
