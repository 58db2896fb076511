"""Tasks of the worker."""

from celery import shared_task

from shared_apps.mail.sending import delivery
from tenants.current import PUBLIC, current_schema
from tenants.work import agenda


@shared_task(name="mail.deliver_outbox")
def deliver_outbox() -> None:
    """Send what is due in the current schema."""
    delivery.deliver_outbox()
    if current_schema() != PUBLIC:
        agenda.finish("mail", delivery.next_due)
