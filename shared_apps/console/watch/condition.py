"""How one town is now: read in the town itself when an operator opens its page, in a fixed number of statements."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import OperationalError
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import STAFF_ROLES, Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.queries import Failing, failing_with_samples
from tenant_apps.firstday.lines import Line, lines_of
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState
from tenant_apps.products.models import Product
from tenant_apps.townhall.queries import current_townhall
from tenants.databases.outages import is_silence
from tenants.models import Town
from toolkit import clock

LATELY = timedelta(days=7)
SHOWN = 10
ENTRIES = 50
TROUBLED = (BatchState.FAILED, BatchState.REFUSED)


@dataclass(frozen=True)
class Condition:
    """`mails` by problem; `imports` that were interrupted or have errors, newest first; every product.

    `first_steps` is the list that the town's staff see on their first day.
    """

    mails: list[Failing]
    imports: list[Batch]
    products: list[Product]
    first_steps: list[Line]


def condition_of(town: Town) -> Condition | None:
    """None when the database of the town does not answer."""
    since = clock.now() - LATELY
    try:
        with tenant_context(town):
            imports = Batch.objects.select_related("source").filter(state__in=TROUBLED, created_at__gte=since)
            return Condition(
                failing_with_samples(since=since),
                list(imports.defer("rows_name", "documents_name")[:SHOWN]),
                list(Product.objects.order_by("-is_default", "label")),
                lines_of(current_townhall()),
            )
    except OperationalError as error:
        if not is_silence(error):
            raise
        return None


def trail_of(town: Town, *, before: int | None = None) -> list[AuditEntry]:
    """The facts of the town itself, newest first: a page of `ENTRIES` and one more when there are more.

    `before` is the id of the last fact of the page before.
    """
    with tenant_context(town):
        entries = AuditEntry.objects.only("at", "actor", "verb")
        return list((entries.filter(pk__lt=before) if before else entries)[: ENTRIES + 1])


def staff_of(town: Town) -> dict[str, str]:
    """Account id → address, for the staff of the town, former staff included. One statement."""
    with tenant_context(town):
        rows = Account.objects.filter(role__in=STAFF_ROLES).values_list("uuid", "email")
        return {str(uuid): email for uuid, email in rows}
