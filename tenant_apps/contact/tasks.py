"""Entry points for the worker."""

from celery import shared_task

from tenant_apps.contact import files
from tenants import agenda


@shared_task(name="contact.sweep_files")
def sweep_files() -> None:
    """The files that no message names."""
    files.sweep()
    agenda.finish(files.KIND, files.next_sweep)
