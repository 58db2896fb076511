"""Count the figures of a town and keep them in the registry.

Every fact of a town plans one count a minute later, for any number of facts. A town where nothing
happens costs nothing. While work waits there, it is counted every five minutes.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Link
from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import TownFigures
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.queries import OF_ITSELF, failing
from tenant_apps.firstday.lines import done_of, lines_of
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.invoices.states import BatchState, InvoiceState
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.queries import IN_REVIEW
from tenant_apps.townhall.models import TownHall
from tenants.current import current_town, registry
from tenants.models import AgendaItem, Town
from tenants.work import agenda
from toolkit import clock

KIND = "figures"
ARRIVALS = frozenset({"town.restored", "town.moved", "town.resumed"})
DEBOUNCE = timedelta(minutes=1)
AGAIN = timedelta(minutes=5)  # while work waits, because no fact announces its end
LATELY = timedelta(days=7)  # how long a message that failed is a trouble
TOMORROW = timedelta(days=1)  # while a trouble of the week is kept, so that it goes away by itself
WORKING = (BatchState.UPLOADED, BatchState.CHECKING, BatchState.PUBLISHING)


def something_happened(entry: AuditEntry) -> None:
    """Listener for every fact. Facts of the platform concern no town's rows, except for a few."""
    town: Town | None
    try:
        town = current_town()
    except LookupError:
        town = _arrived(entry)
    if town is None:
        return
    if not _is_planned(town):
        # After the commit, in its own transaction: all facts of a town share this row, and must not lock it in their
        # own. After a crash, the next fact plans it again.
        promise = partial(_plan, town)
        promise.__qualname__ = _plan.__qualname__  # type: ignore[attr-defined]  # Django names one that fails
        transaction.on_commit(promise, robust=True)


def _arrived(entry: AuditEntry) -> Town | None:
    """The town of a platform's fact that changed rows (a restored town, for example)."""
    kind, _, uuid = entry.object.partition(":")
    if kind != "town" or entry.verb not in ARRIVALS:
        return None
    found: Town | None = Town.objects.filter(uuid=uuid).first()
    return found


def _is_planned(town: Town) -> bool:
    """Whether this transaction already plans a count. It looks at the last few callbacks only: planning twice does no
    harm.
    """
    return any(
        isinstance(promise[1], partial) and promise[1].func is _plan and promise[1].args == (town,)
        for promise in connection.run_on_commit[-20:]
    )


def _plan(town: Town) -> None:
    with tenant_context(town):
        agenda.plan(KIND, clock.now() + DEBOUNCE)


def refresh() -> TownFigures:
    """Count in the current town, and store the figures in the registry."""
    town = current_town()
    planned = _planned_for(town)
    numbers = _count(clock.now())
    with registry():
        figures, _made = TownFigures.objects.update_or_create(town_id=town.pk, defaults=numbers)
    agenda.finish(KIND, partial(_next_due, town, planned, again=_again(figures)))
    return figures


def _again(figures: TownFigures) -> timedelta | None:
    """After how long to count again, when no fact announces a change."""
    if figures.waiting_since is not None or any(of["waiting"] for of in figures.mail_problems.values()):
        return AGAIN
    return TOMORROW if figures.mail_problems else None


def _next_due(town: Town, planned: datetime | None, *, again: timedelta | None) -> datetime | None:
    """The next date. A fact that came while we counted has already set one."""
    now_planned = _planned_for(town)
    if now_planned != planned:
        return now_planned
    return clock.now() + again if again is not None else None


def _planned_for(town: Town) -> datetime | None:
    return AgendaItem.objects.filter(town_id=town.pk, kind=KIND).values_list("due_at", flat=True).first()


def _count(present: datetime) -> dict[str, Any]:
    invoices = Invoice.objects.filter(state=InvoiceState.PUBLISHED).aggregate(
        published=Count("id"), unpaid=Sum(F("amount") - F("paid"), default=Decimal("0.00"))
    )
    imports = Batch.objects.aggregate(
        last=Max("published_at"),
        working=Min(Coalesce("beat_at", "started_at", "created_at"), filter=Q(state__in=WORKING)),
        failed=Count("id", filter=Q(state=BatchState.FAILED)),
    )
    problems = {
        one.problem.value: {"failed": one.failed, "waiting": one.waiting}
        for one in failing(since=present - LATELY)
    }
    townhall = TownHall.objects.first()  # None while the town is being opened
    attempts = Q(state__in=IN_REVIEW) | Q(state__in=("created", "started"), free_at__lt=present - AGAIN)
    return {
        "published_invoices": invoices["published"],
        "unpaid": invoices["unpaid"],
        "last_import_at": imports["last"],
        "last_payment_at": Payment.objects.filter(cancelled_at=None).aggregate(at=Max("recorded_at"))["at"],
        "failed_mails": OutgoingMail.objects.filter(state=MailState.FAILED).count(),
        "mail_problems": problems,
        "stuck_mails": sum(sum(of.values()) for name, of in problems.items() if name not in OF_ITSELF),
        "bounced_mails": sum(problems.get(MailProblem.ADDRESS, {}).values()),
        "failed_imports": imports["failed"],
        "storage_bytes": Document.objects.aggregate(size=Sum("size", default=0))["size"],
        "waiting_since": _oldest_waiting(present, imports["working"]),
        "import_since": imports["working"],
        "held_attempts": Attempt.objects.filter(attempts).count(),
        "first_steps": done_of(lines_of(townhall)) if townhall is not None else 0,
        "computed_at": present,
    }


def _oldest_waiting(present: datetime, working: datetime | None) -> datetime | None:
    """Since when the town's oldest overdue job waits: a message, a link, a notice, an import."""
    mails = OutgoingMail.objects.filter(
        state__in=(MailState.QUEUED, MailState.SENDING), next_try_at__lte=present
    ).aggregate(at=Min("next_try_at"))["at"]
    links = Link.objects.filter(handled_at=None).aggregate(at=Min("requested_at"))["at"]
    planned = PlannedNotice.objects.filter(queued_at=None).aggregate(at=Min("created_at"))["at"]
    return min((at for at in (mails, links, planned, working) if at is not None), default=None)
