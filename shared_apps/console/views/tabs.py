"""A town's page, in tabs. Each tab reads that one town at most, in a fixed number of statements."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import STAFF_ROLES, Account
from shared_apps.audit.models import AuditEntry
from shared_apps.console import queries
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look import actions, first_steps, tabs, words
from shared_apps.console.look.forms import DetailsForm
from shared_apps.console.look.screens import screen
from shared_apps.console.views.products import stage_shown
from shared_apps.console.watch import condition
from tenant_apps.firstday.lines import done_of
from tenants.errors import TownError
from tenants.hosts import domains, registry
from tenants.life.details import change_details
from tenants.models import LIVE, Town

FACTS = 10


@require_safe
def town_page(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Santé »: the kept figures, and what the town says now of its mails, imports and products."""
    town = found(slug)
    figures = getattr(town, "figures", None)
    now = condition.condition_of(town) if town.state in actions.LIVING else None
    return _tab(
        request,
        town,
        "town",
        figures=figures,
        troubles=words.troubles(figures) if figures else [],
        now=now,
        is_silent=now is None and town.state in actions.LIVING,
        products=[(product, *stage_shown(product)) for product in now.products] if now else [],
        first_steps=first_steps.shown(town, now.first_steps) if now else [],
        first_done=done_of(now.first_steps) if now else 0,
    )


@require_safe
def team(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Équipe »: the town's staff."""
    town = found(slug)
    if town.state not in actions.LIVING:
        raise Http404
    with tenant_context(town):
        staff = list(Account.objects.filter(role__in=STAFF_ROLES, is_active=True).order_by("email")[:200])
    return _tab(request, town, "town-team", staff=staff)


@require_safe
def hosts(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Adresses »: its hosts, and what proves those that are not proven."""
    town = found(slug)
    every = [
        (domain, None if domain.is_served else domains.record_of(domain))
        for domain in queries.domains_of(town)
    ]
    return _tab(request, town, "town-hosts", hosts=every)


@require_safe
def operations(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Opérations »: what can be done, and what was done."""
    town = found(slug)
    return _tab(request, town, "town-operations", done=list(queries.operations_of(town)[:FACTS]))


@require_safe
def trail(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Journal »: the town's own facts, page by page, and the last ones of the platform about it."""
    town, known, before = found(slug), words.operators(), request.GET.get("avant", "")
    entries = AuditEntry.objects.filter(object=f"town:{town.uuid}")[:FACTS]
    inside, staff = [], {}
    if town.state in actions.LIVING:
        inside = condition.trail_of(town, before=int(before) if before.isdecimal() else None)
        staff = condition.staff_of(town)
    shown = inside[: condition.ENTRIES]
    return _tab(
        request,
        town,
        "town-trail",
        inside=[(each.at, words.author(each.actor, known, staff), words.verb(each.verb)) for each in shown],
        older=shown[-1].pk if len(inside) > len(shown) else None,
        is_first=not before,
        entries=[
            (each.at, words.actor(each.actor, known), words.verb(each.verb), words.change(each))
            for each in entries
        ],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: OperatorRequest, slug: str) -> HttpResponse:
    """« Identité »: the names and numbers of the registry."""
    town = found(slug)
    form = DetailsForm(request.POST) if request.method == "POST" else DetailsForm.of(town)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_details(town=town, actor=request.user, **form.cleaned_data)
        except TownError as error:
            form.add_error(None, str(error))
        else:
            done = "L'identité est enregistrée." if changed else "Rien n'a changé."
            messages.success(request, done)
            return redirect("admin:town-details", slug=slug)
    return _tab(request, town, "town-details", form=form, status=422 if form.errors else 200)


def found(slug: str) -> Town:
    """The town, with its figures and its primary host. Raises Http404."""
    town = queries.towns().filter(slug=slug).first()
    if town is None:
        raise Http404
    return town


def _tab(request: OperatorRequest, town: Town, route: str, **context: Any) -> HttpResponse:
    """The frame that the tabs share: the state, the copy's mark, the operations that run, the tabs."""
    host: str | None = town.host  # of queries.towns
    original = Town.objects.filter(uuid=town.copy_of).first() if town.is_copy else None
    return screen(
        request,
        f"town/{route.removeprefix('town-')}",
        title=town.name,
        town=town,
        tone=words.STATE_TONES.get(town.state, ""),
        is_late=queries.is_late(town),
        address=registry.address(host) if host else "",
        original=original,
        live=list(queries.operations_of(town).filter(state__in=LIVE)[:FACTS]),
        tabs=tabs.of(town, route),
        actions=tabs.actions_of(town, route),
        **context,
    )
