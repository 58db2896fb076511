"""Tasks of the worker."""

from celery import shared_task
from django.conf import settings

from tenant_apps.invoices.batches.processing import INTAKE


@shared_task(
    name="invoices.process_batches",
    soft_time_limit=settings.IMPORT_SECONDS,
    time_limit=settings.IMPORT_SECONDS + 300,
)
def process_batches() -> None:
    """Check, stage or publish one of the batches that wait in the current town. Another task does the next one."""
    INTAKE.run(process_batches, INTAKE.process_next)
