"""Entry points for the worker."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from tenant_apps.reconciliation.statements import processing
from tenants.work import agenda

LOOK_AGAIN = timedelta(seconds=20)


@shared_task(name="reconciliation.read_statements")
def read_statements() -> None:
    """Read the journals and statements that wait in the current town."""
    processing.process_waiting()
    agenda.finish(
        "statements", lambda: timezone.now() + LOOK_AGAIN if processing.waiting().exists() else None
    )
