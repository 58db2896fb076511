"""Entry points for the worker."""

from datetime import datetime
from functools import partial

from celery import shared_task
from django.db.models import Min
from django.utils import timezone

from tenant_apps.payments.control import auditing
from tenant_apps.payments.models import Attempt, TestPayment
from tenant_apps.payments.online import paying
from tenants.work import agenda
from tenants.work.town_tasks import MoneyTask


@shared_task(name="payments.check_due", base=MoneyTask)
def check_due() -> None:
    """Ask the providers about the attempts of the current town that are due.

    The agenda does not start this task while the town is suspended. Notifications are received even then.
    """
    paying.check_due()
    agenda.finish("payments", next_check)


def next_check() -> datetime | None:
    """The next time to ask about an attempt of the current town; None when none waits."""
    due: list[datetime | None] = [
        model.objects.aggregate(due=Min("next_check_at"))["due"] for model in (Attempt, TestPayment)
    ]
    return min((moment for moment in due if moment), default=None)


@shared_task(name="payments.audit_money")
def audit_money() -> None:
    """The nightly audit of the current town; see `control.auditing`."""
    began = timezone.now()
    auditing.audit_money()
    agenda.finish("money-audit", partial(auditing.next_audit, began))
