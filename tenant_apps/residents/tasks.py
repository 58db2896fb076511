"""Entry points for the worker."""

from celery import shared_task
from django.utils import timezone

from shared_apps.accounts.models import Link
from tenant_apps.residents import activation
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.erasure import retention
from tenants.work import agenda


@shared_task(name="residents.handle_links")
def handle_links() -> None:
    """Write the messages of the activation, reset and address requests that wait in the current town."""
    activation.handle_links()
    agenda.finish("links", lambda: timezone.now() if Link.objects.filter(handled_at=None).exists() else None)


@shared_task(name="residents.apply_retention")
def apply_retention() -> None:
    """Delete what the current town has kept for long enough."""
    retention.apply_retention()
    agenda.finish(retention.KIND, retention.next_look)


@shared_task(name="residents.handle_access_requests")
def handle_access_requests() -> None:
    """Send the links of the access requests that wait in the current town, and end those that are too old."""
    access_requests.handle_access_requests()
    agenda.finish("claims", access_requests.next_due)
