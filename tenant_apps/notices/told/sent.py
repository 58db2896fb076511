"""« Déjà prévenus »: what became of the messages of an import. For staff; the caller has found the batch."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.told.publications import publications
from tenant_apps.notices.told.statement import AMENDED, NEW

# A notice that was read by the worker and has no message: the address had lost its right, or the message is erased.
_STATES = """
SELECT COALESCE(m.state, CASE WHEN n.queued_at IS NULL THEN 'queued' ELSE '' END), count(*)
  FROM notices_alert n LEFT JOIN mail_outgoingmail m ON m.key = n.key
 WHERE n.subject_uuid = ANY(%s) AND n.kind = ANY(%s) GROUP BY 1
"""


@dataclass(frozen=True)
class Sent:
    """How many messages of an import have left, wait, or failed."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0

    def __bool__(self) -> bool:
        return bool(self.sent or self.waiting or self.failed)


def sent(batch: Batch) -> Sent:
    """Count them. Two SQL statements."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [publications(batch.uuid), [NEW, AMENDED]])
        found = dict(cursor.fetchall())
    waiting = found.get(MailState.QUEUED, 0) + found.get(MailState.SENDING, 0)
    return Sent(found.get(MailState.SENT, 0), waiting, found.get(MailState.FAILED, 0))


def mails_of(mails: QuerySet[OutgoingMail], batch: Batch) -> QuerySet[OutgoingMail]:
    """Those of `mails` that told of the invoices of `batch`."""
    planned = PlannedNotice.objects.filter(subject_uuid__in=publications(batch.uuid), kind__in=[NEW, AMENDED])
    return mails.filter(key__in=planned.values("key"))
