"""An address is removed from a payer: cancel what it was to be told and has not left, or plan it again."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.mail import notices
from shared_apps.mail import services as mail
from shared_apps.mail.models import MailState
from tenant_apps.notices import reminders
from tenant_apps.notices.mails.reminder import KINDS, REMINDER, day_of
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.residents.models import Payer
from tenants.work import agenda

FACTS = ("payer_emails.replaced", "payer_email.removed", "access.cut")

# Who was told about these payers and must not be any more
_OUT = """
WITH was AS (
  SELECT payer_id, email FROM residents_removedemail WHERE payer_id = ANY(%(payers)s)
  UNION
  SELECT x.payer_id, a.email FROM residents_access x JOIN accounts_account a ON a.id = x.account_id
   WHERE x.payer_id = ANY(%(payers)s) AND x.ended_at IS NOT NULL
)
SELECT DISTINCT email FROM was
 WHERE NOT EXISTS (SELECT 1 FROM residents_payeremail e WHERE e.payer_id = was.payer_id AND e.email = was.email)
   AND NOT EXISTS (
     SELECT 1 FROM residents_access x JOIN accounts_account a ON a.id = x.account_id
      WHERE x.payer_id = was.payer_id AND x.ended_at IS NULL AND a.email = was.email)
"""


def address_went(entry: AuditEntry) -> None:
    """React to a fact of `FACTS`, about one payer or several. In its transaction."""
    if entry.object.startswith("payer:"):
        public_id = UUID(entry.object.removeprefix("payer:"))
        call_off(list(Payer.objects.filter(uuid=public_id).values_list("pk", flat=True)))
    else:
        call_off(entry.new["payers"])


def call_off(payers: Collection[int]) -> None:
    """Drop the unsent messages to people who are no longer told about these payers; plan again what they still get."""
    if not payers:
        return
    with connection.cursor() as cursor:
        cursor.execute(_OUT, {"payers": list(payers)})
        out = [email for (email,) in cursor.fetchall()]
    kinds = [notice.kind for notice in notices.every() if notice.called_off]
    dropped = mail.drop_waiting(kinds=kinds, to=out)
    waited = [one for one in dropped if one.key and one.state != MailState.FAILED]
    # Planned notices check the rights again when they become messages.
    if PlannedNotice.objects.filter(key__in=[one.key for one in waited]).update(queued_at=None):
        agenda.wake("notices")
    reminded = [one for one in waited if one.kind == REMINDER.kind]
    for one in reminded:
        day = day_of(one.key or "")
        PlannedNotice.objects.filter(kind__in=KINDS, email=one.to, queued_at__date=day).delete()
    if reminded:
        agenda.plan(reminders.KIND, timezone.now())
