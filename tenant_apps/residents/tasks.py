"""Entry points for the worker."""

from celery import shared_task
from django.utils import timezone

from shared_apps.accounts.models import Link
from tenant_apps.residents import services
from tenants import agenda


@shared_task(name="residents.handle_links")
def handle_links() -> None:
    """Write the messages of the activation, reset and address requests that wait in the current town."""
    services.handle_links()
    agenda.finish("links", lambda: timezone.now() if Link.objects.filter(handled_at=None).exists() else None)
