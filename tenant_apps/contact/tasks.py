"""Tasks of the worker."""

from celery import shared_task

from tenant_apps.contact.files import stored
from tenants.work import agenda


@shared_task(name="contact.sweep_files")
def sweep_files() -> None:
    """Delete the files that no message names."""
    stored.sweep()
    agenda.finish(stored.KIND, stored.next_sweep)
