"""Entry points for the worker."""

from datetime import datetime

from celery import shared_task
from django.db.models import Min

from tenant_apps.payments import services
from tenant_apps.payments.models import Attempt
from tenants import agenda
from tenants.work import MoneyTask


@shared_task(name="payments.check_due", base=MoneyTask)
def check_due() -> None:
    """Ask the Treasury about the current town's attempts whose time has come.

    The agenda holds it while the town is suspended; the Treasury's bell is answered even then.
    """
    services.check_due()
    agenda.finish("payments", next_check)


def next_check() -> datetime | None:
    """When the current town next has something to ask; None when no attempt waits."""
    due: datetime | None = Attempt.objects.aggregate(due=Min("next_check_at"))["due"]
    return due
