"""Tasks of the worker."""

from celery import shared_task
from django.conf import settings

from tenant_apps.invoices.batches.processing import INTAKE
from tenant_apps.invoices.inbox import looking
from tenant_apps.invoices.inbox.following import KIND
from tenants.work import agenda


@shared_task(
    name="invoices.process_batches",
    soft_time_limit=settings.IMPORT_SECONDS,
    time_limit=settings.IMPORT_SECONDS + 300,
)
def process_batches() -> None:
    """Check, stage or publish one of the batches that wait in the current town. Another task does the next one."""
    INTAKE.run(process_batches, INTAKE.process_next)


@shared_task(name="invoices.watch_inboxes", soft_time_limit=1200, time_limit=1500)
def watch_inboxes() -> None:
    """Look at the folders into which files arrive by themselves, in the current town."""
    looking.work()
    agenda.finish(KIND, looking.next_due)
