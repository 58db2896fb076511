"""Plan who is told, in the transaction of the fact; the worker writes the messages.

The key of a planned notice contains the fact and the address, so that nobody is told twice.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from shared_apps.accounts.models import Account
from shared_apps.mail import notices
from shared_apps.mail.notices import Notice
from shared_apps.mail.notifying import Telling, notify_all
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.residents.emails.billing import lock_addresses
from tenant_apps.residents.models import PayerEmail
from tenants.work import agenda

CHUNK = 200
log = logging.getLogger(__name__)


def plan_for(notice: Notice[Any], *, about: UUID, told: Mapping[str, str]) -> int:
    """Plan one message of this kind for each address of `told` (address → language) that does not refuse it.

    Returns how many. In the caller's transaction. A second call plans nothing more.
    """
    refused = set[str]().union(*(_refusing(choice.name, set(told)) for choice in notice.choices))
    PlannedNotice.objects.bulk_create(
        [
            PlannedNotice(
                kind=notice.planned_as,
                key=notice.key_of(about=about, email=email),
                email=email,
                language=language,
                subject_uuid=about,
            )
            for email, language in told.items()
            if email not in refused
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
    agenda.wake("notices")
    return len(told.keys() - refused)


def _refusing(choice: str, addresses: set[str]) -> set[str]:
    """Which of these addresses refuse it: on their account or, without an account, by the link of a message."""
    accounts = Account.objects.filter(email__in=addresses, activated_at__isnull=False)
    choices = {account.email: choice in account.refused for account in accounts}
    refused = PayerEmail.objects.filter(email__in=addresses, refused_alerts__contains=[choice])
    without = set(refused.values_list("email", flat=True)) - set(choices)
    return {email for email, refuses in choices.items() if refuses} | without


def queue_planned() -> int:
    """Turn planned notices into outgoing messages, `CHUNK` per transaction. Returns how many were processed."""
    queued = 0
    while True:
        with transaction.atomic():
            lock_addresses()
            rows = list(
                PlannedNotice.objects.select_for_update(skip_locked=True)
                .filter(queued_at=None)
                .order_by("id")[:CHUNK]
            )
            if not rows:
                return queued
            notify_all(_tellings(rows))
            PlannedNotice.objects.filter(pk__in=[row.pk for row in rows]).update(queued_at=timezone.now())
        queued += len(rows)


def _tellings(rows: list[PlannedNotice]) -> list[Telling]:
    """The messages of these planned notices. Rights are checked again: who lost them since the fact gets nothing."""
    groups: defaultdict[tuple[str, UUID], list[PlannedNotice]] = defaultdict(list)
    for row in rows:
        groups[row.kind, row.subject_uuid].append(row)
    tellings = []
    for (name, about), group in groups.items():
        notice = notices.planned(name)
        if notice is None or notice.on is None or notice.on.tell is None:
            log.error("nobody writes the planned messages of kind %s", name)
            continue
        said = notice.on.tell(about, [row.email for row in group])
        tellings += [
            Telling(said[row.email], row.email, row.language, {"about": about, "email": row.email})
            for row in group
            if row.email in said
        ]
    return tellings
