"""Entry points for the worker."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch
from tenants.work import agenda

LOOK_AGAIN = timedelta(seconds=20)


@shared_task(
    name="invoices.process_batches",
    soft_time_limit=settings.IMPORT_SECONDS,
    time_limit=settings.IMPORT_SECONDS + 300,
)
def process_batches() -> None:
    """Check, stage or publish one of the batches that wait in the current town; another task does the next.

    One a task: the time it may take is its own. Past it the import ends as FAILED, and the next goes on.
    """
    more = processing.process_next()
    waiting = Batch.objects.filter(state__in=processing.WAITING)
    agenda.finish("imports", lambda: timezone.now() + LOOK_AGAIN if waiting.exists() else None)
    if more and waiting.exists():
        agenda.hint(process_batches)
