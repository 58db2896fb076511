"""Entry points for the worker."""

from celery import shared_task

from shared_apps.treasury import services
from tenants.work import agenda


@shared_task(name="treasury.ring_waiting")
def ring_waiting() -> None:
    """The bells that the current town could not hear while it was moved."""
    services.ring_waiting()
    agenda.finish("bells", lambda: None)
    services.plan_waiting()  # one that was kept while we finished
