"""What an operator does to a town: its acts, its domains, a new one, an intervention."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST
from django_tenants.utils import tenant_context

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import STAFF_ROLES, Account
from shared_apps.accounts.sessions import impersonation
from shared_apps.accounts.signing_in import second_factor
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look import actions, tabs
from shared_apps.console.look.forms import ForgetFactorForm, InterventionForm, OpenForm
from shared_apps.console.look.screens import screen
from shared_apps.console.opening import NewTown, request_opening
from shared_apps.console.views.tabs import found
from tenants.errors import TownError
from tenants.hosts import domains, registry
from tenants.models import Operation, Town


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: OperatorRequest, slug: str, key: str) -> HttpResponse:
    """Show the form of one action, and do it."""
    town = found(slug)
    action = next((each for each in actions.offered(town) if each.key == key), None)
    if action is None:
        raise Http404
    form = action.form(request.POST if request.method == "POST" else None, town=town, danger=action.danger)
    if request.method == "POST" and form.is_valid():
        try:
            return _after(request, town, key, action.do(request.user, town, form.cleaned_data))
        except TownError as error:
            form.add_error(None, str(error))
    return screen(
        request,
        "act",
        title=f"{action.label} : {town.name}",
        status=422 if form.errors else 200,
        town=town,
        action=action,
        form=form,
    )


def _after(request: OperatorRequest, town: Town, key: str, outcome: actions.Outcome) -> HttpResponse:
    """The operation's page, or the tab in which the action is offered."""
    if isinstance(outcome, Operation):
        return redirect("admin:operation", public_id=outcome.uuid)
    messages.success(request, outcome)
    return redirect(f"admin:{tabs.route_of(key)}", slug=town.slug)


@require_POST
def domain_act(request: OperatorRequest, slug: str, act: str) -> HttpResponse:
    """Check a domain, make it the primary one, give it up."""
    town, host = found(slug), request.POST.get("host", "")
    if act not in _DOMAIN_ACTS:
        raise Http404
    try:
        done = _DOMAIN_ACTS[act](town=town, host=host, actor=request.user)
    except TownError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{host} : {_DOMAIN_DONE[act] if done else 'il n’y avait rien à faire'}.")
    return redirect("admin:town-hosts", slug=town.slug)


_DOMAIN_ACTS: dict[str, Any] = {
    "verifier": domains.check_domain,
    "principal": domains.make_primary,
    "retirer": domains.remove_domain,
}
_DOMAIN_DONE = {
    "verifier": "le domaine est vérifié",
    "principal": "les liens y mènent désormais",
    "retirer": "le domaine est retiré",
}


@require_http_methods(["GET", "HEAD", "POST"])
def open_town(request: OperatorRequest) -> HttpResponse:
    """Request a new town: the worker opens it, and the operation's page shows the progress."""
    form = OpenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            operation = request_opening(actor=request.user, new=NewTown(**form.cleaned_data))
        except TownError as error:
            form.add_error(None, str(error))
        else:
            return redirect("admin:operation", public_id=operation.uuid)
    return screen(request, "open", title="Ouvrir une commune", form=form, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def intervene(request: OperatorRequest, slug: str, person: Any) -> HttpResponse:
    """Ask for a ticket to act in the place of a member of staff for half an hour."""
    town = found(slug)
    form = InterventionForm(request.POST if request.method == "POST" else None)
    with tenant_context(town):
        account = Account.objects.filter(uuid=person, role__in=STAFF_ROLES, is_active=True).first()
        if account is None:
            raise Http404
        ticket = ""
        if request.method == "POST" and form.is_valid():
            try:
                ticket = impersonation.ask(operator=request.user, account=account, **form.cleaned_data)
            except AccountError as error:
                form.add_error("reason", str(error))
    return screen(
        request,
        "intervene",
        title=f"Intervenir à {town.name}",
        status=422 if form.errors else 200,
        town=town,
        account=account,
        form=form,
        link=f"{_address(town)}/gestion/intervention/{ticket}/" if ticket else "",
        minutes=int(impersonation.LENGTH.total_seconds() // 60),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def forget_factor(request: OperatorRequest, slug: str, person: Any) -> HttpResponse:
    """Forget the second factor of a member of staff who lost it, most often a town's only manager."""
    town = found(slug)
    form = ForgetFactorForm(request.POST if request.method == "POST" else None)
    with tenant_context(town):
        account = Account.objects.filter(uuid=person, role__in=STAFF_ROLES, is_active=True).first()
        if account is None:
            raise Http404
        if request.method == "POST" and form.is_valid():
            second_factor.reset(
                actor=f"operator:{request.user.uuid}", account=account, reason=form.cleaned_data["reason"]
            )
            messages.success(
                request, f"Le second facteur de {account.email} est oublié, et un message le lui dit."
            )
            return redirect("admin:town", slug=town.slug)
    return screen(
        request,
        "forget_factor",
        title=f"Oublier un second facteur à {town.name}",
        status=422 if form.errors else 200,
        town=town,
        account=account,
        form=form,
    )


def _address(town: Town) -> str:
    host: str | None = town.host  # of queries.towns
    return registry.address(host) if host else ""
