"""Entry points for the worker."""

from celery import shared_task

from shared_apps.treasury import services
from tenants.work import agenda


@shared_task(name="treasury.deliver_waiting")
def deliver_waiting() -> None:
    """Deliver the notifications that waited while the current town was moved."""
    services.deliver_waiting()
    agenda.finish(services.AGENDA, lambda: None)
    services.plan_waiting()  # one may have come meanwhile
