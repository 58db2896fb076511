"""Entry points for the worker."""

from celery import shared_task
from django.db import connection

from shared_apps.mail import services
from tenants import agenda


@shared_task(name="mail.deliver_outbox")
def deliver_outbox() -> None:
    """Send what is due in the current schema."""
    services.deliver_outbox()
    if connection.schema_name != "public":
        agenda.finish("mail", services.next_due)
