"""What an import brings, whom it can be told to and who was told already, as one SQL statement for all its uses.

The forecast and the plan read the same CTEs, so that they cannot differ.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from tenant_apps.notices.told.publications import publications
from tenant_apps.residents.emails.foreseeing import REACH
from tenant_apps.townhall.models import AlertAudience

NEW, AMENDED = "new_invoices", "amended"  # choices, and the `kind` of planned notices

# What the file says about payers and does not count yet: nothing once it is published.
_SPOKEN = """
spoken AS (
  SELECT CASE WHEN b.borrowed THEN u.looks_like_id ELSE u.payer_id END AS payer_id, u.said, u.line, b.borrowed
    FROM invoices_payerupdate u, LATERAL (
         SELECT u.answer = 'same' AND u.looks_like_id IS NOT NULL AS borrowed) AS b
   WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL
),
said AS (SELECT DISTINCT payer_id FROM spoken WHERE said ? 'emails'),
raw AS (SELECT DISTINCT s.payer_id, e.email
          FROM spoken s, LATERAL jsonb_array_elements_text(s.said->'emails') AS e(email)),
same AS (SELECT u.payer_id, u.looks_like_id FROM invoices_payerupdate u
          WHERE u.batch_id = %(batch)s AND u.applied_at IS NULL AND u.answer = 'same'
            AND u.looks_like_id IS NOT NULL)
"""
# Its new invoices, and those that it moves to another payer. `item`: how a planned notice names an invoice.
_FRESH = """
fresh AS (
  SELECT COALESCE(same.looks_like_id, i.payer_id) AS payer_id, i.id,
         concat_ws('/', i.product_id, i.fiscal_year, i.number) AS item, i.amount, i.due_on
    FROM invoices_invoice i LEFT JOIN same ON same.payer_id = i.payer_id AND i.state = 'draft'
   WHERE i.batch_id = %(batch)s AND i.state = %(state)s AND (NOT %(just_now)s OR i.published_at >= now())
  UNION
  SELECT COALESCE(same.looks_like_id, m.payer_id), i.id, concat_ws('/', i.product_id, i.fiscal_year, i.number),
         COALESCE((m.becomes->>'amount')::numeric - i.credited, i.amount),
         COALESCE((m.becomes->>'due_on')::date, i.due_on)
    FROM invoices_amendment m JOIN invoices_invoice i ON i.id = m.invoice_id
    LEFT JOIN same ON same.payer_id = m.payer_id
   WHERE m.batch_id = %(batch)s AND m.payer_id IS NOT NULL AND m.answer <> 'no' AND i.state = 'published'
     AND CASE WHEN %(state)s = 'draft' THEN m.applied_at IS NULL
         ELSE m.applied_at IS NOT NULL AND i.payer_id = m.payer_id AND m.applied_at > %(since)s END
),
payers AS (SELECT DISTINCT payer_id FROM fresh)
"""
_TOLD = """
told AS (
  SELECT n.email, t.item FROM notices_alert n LEFT JOIN LATERAL jsonb_array_elements_text(n.items) AS t(item) ON true
   WHERE n.subject_uuid = ANY(%(publications)s) AND n.kind = 'new_invoices'
     AND (n.items IS NULL OR t.item IS NOT NULL)
),
people AS (
  SELECT r.payer_id, r.email, max(r.language) AS language,
         bool_or(CASE WHEN r.is_account THEN %(accounts)s ELSE %(known)s END) AS counts,
         bool_or(f.email IS NOT NULL) AS refuses
    FROM reach r LEFT JOIN refusing f ON f.email = r.email GROUP BY r.payer_id, r.email
),
todo AS (
  SELECT f.payer_id, p.email, p.language, f.item FROM fresh f JOIN people p USING (payer_id)
   WHERE p.counts AND NOT p.refuses
     AND NOT EXISTS (SELECT 1 FROM told t WHERE t.email = p.email AND t.item = f.item)
     AND NOT EXISTS (SELECT 1 FROM told t WHERE t.email = p.email AND t.item IS NULL)
)
"""
# Its changes of online invoices: `payers` are those of the changed invoices, and those who had one before it moved.
# Whoever is told about the payer that an invoice moved to does not hear that it left.
_CHANGES = """
changes AS (
  SELECT m.id::text AS item, COALESCE(same.looks_like_id, m.payer_id, i.payer_id) AS now_of,
         CASE WHEN m.payer_id IS NULL THEN i.payer_id ELSE m.payer_before_id END AS payer_id,
         m.payer_id IS NOT NULL AS has_left
    FROM invoices_amendment m JOIN invoices_invoice i ON i.id = m.invoice_id
    LEFT JOIN same ON same.payer_id = m.payer_id
   WHERE m.batch_id = %(batch)s AND m.answer <> 'no' AND i.state = 'published'
     AND (m.payer_id IS NOT NULL OR m.becomes ?| ARRAY['amount', 'due_on'])
     AND CASE WHEN %(state)s = 'draft' THEN m.applied_at IS NULL
         ELSE m.applied_at IS NOT NULL AND m.applied_at > %(since)s END
),
payers AS (SELECT payer_id FROM changes UNION SELECT now_of FROM changes)
"""
_HEARD = """
people AS (
  SELECT payer_id, email, max(language) AS language FROM reach
   WHERE (CASE WHEN is_account THEN %(accounts)s ELSE %(known)s END)
     AND NOT EXISTS (SELECT 1 FROM refusing f WHERE f.email = reach.email)
   GROUP BY payer_id, email
),
todo AS (
  SELECT c.payer_id, p.email, p.language, c.item FROM changes c JOIN people p USING (payer_id)
    LEFT JOIN (SELECT DISTINCT payer_id, email FROM reach) AS r ON r.payer_id = c.now_of AND r.email = p.email
   WHERE NOT (c.has_left AND r.payer_id IS NOT NULL)
)
"""
# fresh, people, told, and todo(payer_id, email, language, item): who is to be told about what.
WITH_NEW: Final = ",".join((f"WITH {_SPOKEN}", _FRESH, REACH, _TOLD))
# todo(payer_id, email, language, item): who is to be told about which change.
WITH_AMENDED: Final = ",".join((f"WITH {_SPOKEN}", _CHANGES, REACH, _HEARD))
_EVER = "-infinity"


@contextmanager
def hashed() -> Iterator[None]:
    """Let the database join these CTEs by hashing only, in a transaction.

    An import fills the tables just before: their statistics still say that there is nothing, and the planner would
    compare every row with every other.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL jit = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL jit TO DEFAULT")


def values(
    batch: int,
    uuid: UUID,
    audience: str,
    *,
    state: str,
    choice: str = NEW,
    just_now: bool = False,
    since: datetime | None = None,
) -> dict[str, Any]:
    """The parameters of `WITH_NEW` and `WITH_AMENDED`. One SQL statement.

    `state`: draft, for what the publication will do, or published, for what is online. `just_now`: only what this
    transaction put online; `since`: only invoices that moved or changed after that.
    """
    return {
        "batch": batch,
        "state": state,
        "just_now": just_now,
        "since": since or _EVER,
        "known": audience == AlertAudience.KNOWN,
        "accounts": audience != AlertAudience.NOBODY,
        "choice": choice,
        "language": settings.LANGUAGE_CODE,
        "publications": publications(uuid),
    }
