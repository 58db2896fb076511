"""Tasks of the worker."""

from celery import shared_task
from django.utils import timezone

from tenant_apps.notices import reminders, services
from tenant_apps.notices.models import PlannedNotice
from tenants.work import agenda


@shared_task(name="notices.queue_planned")
def queue_planned() -> None:
    """Write the messages of the planned notices that wait in the current town."""
    services.queue_planned()
    agenda.finish(
        "notices", lambda: timezone.now() if PlannedNotice.objects.filter(queued_at=None).exists() else None
    )


@shared_task(name="notices.send_reminders")
def send_reminders() -> None:
    """Send the reminders that are due in the current town."""
    reminders.send_reminders()
    agenda.finish(reminders.KIND, reminders.next_look)
