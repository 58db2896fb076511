"""Entry points for the worker."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from tenant_apps.invoices import processing
from tenant_apps.invoices.models import Batch
from tenants import agenda

LOOK_AGAIN = timedelta(seconds=20)


@shared_task(name="invoices.process_batches")
def process_batches() -> None:
    """Check, stage or publish the batches that wait in the current town."""
    processing.process_waiting()
    agenda.finish(
        "imports",
        lambda: (
            timezone.now() + LOOK_AGAIN
            if Batch.objects.filter(state__in=processing.WAITING).exists()
            else None
        ),
    )
