"""Tasks of the worker."""

from celery import shared_task
from django.conf import settings

from tenant_apps.reconciliation.statements.processing import INTAKE, process_next


@shared_task(
    name="reconciliation.read_statements",
    soft_time_limit=settings.IMPORT_SECONDS,
    time_limit=settings.IMPORT_SECONDS + 300,
)
def read_statements() -> None:
    """Read one of the files that wait in the current town. Another task reads the next one."""
    INTAKE.run(read_statements, process_next)
