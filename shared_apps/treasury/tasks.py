"""Entry points for the worker."""

from celery import shared_task

from shared_apps.treasury import services
from tenants.work import agenda


@shared_task(name="treasury.deliver_waiting")
def deliver_waiting() -> None:
    """The bells that the current town could not hear while it was moved."""
    services.deliver_waiting()
    agenda.finish(services.AGENDA, lambda: None)
    services.plan_waiting()  # one that was kept while we finished
