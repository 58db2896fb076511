"""The home page of staff: what needs attention; and the search."""

from typing import Any, cast

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from shared_apps.accounts.models import Role
from shared_apps.mail.queries import unsent
from tenant_apps.backoffice.access import StaffRequest, at_least, screen, staff_required
from tenant_apps.backoffice.views.first_day import first_day_for
from tenant_apps.contact.queries import waiting
from tenant_apps.invoices.importing import registry
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.queries import batches, waiting_batches
from tenant_apps.payments.payability.figures import figures
from tenant_apps.payments.payability.reading import with_payabilities
from tenant_apps.payments.queries import attempts_in_review, open_declarations, open_findings
from tenant_apps.payments.readers import invoices_for_staff
from tenant_apps.residents import inboxes
from tenant_apps.residents.erasure.services import waiting_erasures
from tenant_apps.residents.queries import payers_for_staff
from toolkit import clock
from toolkit.typed import words_of

FOUND = 8


@require_safe
@staff_required(Role.READER)
def home(request: StaffRequest) -> HttpResponse:
    """The first steps of a new town, then numbers of what waits, each a link."""
    scope = request.scope
    messages, mails = waiting(scope), unsent(scope)
    attention = {
        "imports": waiting_batches(scope).count(),
        "messages": messages["todo"],
        "suspects": messages["held"],
        "mails": mails.failed,
        "declarations": open_declarations(scope).count(),
        "in_review": attempts_in_review(scope).count() + open_findings(scope).count(),
        "erasures": waiting_erasures().count() if at_least(request.user.role, Role.MANAGER) else 0,
    }
    stand = inboxes.standing_still() if at_least(request.user.role, Role.MANAGER) else []
    return screen(
        request,
        "home.html",
        section="home",
        formats=registry.in_words(),
        figures=figures(scope, today=clock.today()),
        attention=attention,
        mail_stands=mails.standstill,
        inboxes_stand=stand,
        quiet=mails.standstill is None and not stand and not any(attention.values()),
        batches=batches(scope)[:5],
        **first_day_for(request),
    )


@require_safe
@staff_required(Role.READER)
def search(request: StaffRequest) -> HttpResponse:
    """The first invoices, payers and imports that hold every word."""
    words = words_of(request.GET, "q")
    wanted = {
        "invoices": invoices_for_staff(request.scope, today=clock.today(), words=words)[:FOUND],
        "payers": payers_for_staff(request.scope, words=words)[:FOUND],
        "batches": batches(request.scope).filter(rows_name__icontains=words)[:FOUND],
    }
    results = {name: list(rows) for name, rows in wanted.items()} if words else {}
    with_payabilities(cast("list[Invoice]", results.get("invoices", [])))
    found: dict[str, Any] = {"words": words, "find_words": words, "any": any(results.values()), **results}
    return screen(request, "search.html", section="search", today=clock.today(), **found)
