"""Who can be reached about payers once a file's addresses count. SQL that writes nothing.

It says beforehand what `billing.replace_emails` will do, with the same rules; a test compares. With a file that says
nothing it reads how things are.
"""

# Needs the CTEs payers(payer_id), said(payer_id): those whose addresses the file gives, and raw(payer_id, email).
# Gives reach(payer_id, email, language, is_account) and refusing(email), of those who refuse %(choice)s.
_FREE = """NOT EXISTS (SELECT 1 FROM staying s WHERE s.account_id = {account} AND s.payer_id = {payer})
   AND NOT EXISTS (SELECT 1 FROM residents_access y WHERE y.account_id = {account} AND y.payer_id = {payer}
     AND y.ended_at IS NOT NULL AND NOT y.lapsed)"""
_REACH = """
given AS (SELECT DISTINCT r.payer_id, r.email FROM raw r WHERE NOT EXISTS (
  SELECT 1 FROM residents_removedemail m
   WHERE m.payer_id = r.payer_id AND m.email = r.email AND m.removed_by <> '')),
going AS (SELECT e.payer_id, e.email FROM residents_payeremail e JOIN said USING (payer_id)
  WHERE e.source = 'import' AND NOT EXISTS (
    SELECT 1 FROM given g WHERE g.payer_id = e.payer_id AND g.email = e.email)),
coming AS (SELECT g.payer_id, g.email FROM given g WHERE NOT EXISTS (
  SELECT 1 FROM residents_payeremail e WHERE e.payer_id = g.payer_id AND e.email = g.email)),
changed AS (SELECT payer_id FROM going UNION SELECT payer_id FROM coming),
known AS (
  SELECT e.payer_id, e.email FROM residents_payeremail e
   WHERE e.payer_id IN (SELECT payer_id FROM payers) AND NOT EXISTS (
     SELECT 1 FROM going g WHERE g.payer_id = e.payer_id AND g.email = e.email)
  UNION ALL SELECT payer_id, email FROM coming
),
living AS (
  SELECT x.id, x.account_id, x.payer_id, x.granted_by, x.through, a.email, a.uuid
    FROM residents_access x JOIN payers USING (payer_id) JOIN accounts_account a ON a.id = x.account_id
   WHERE x.ended_at IS NULL
),
own AS (
  SELECT l.* FROM living l JOIN changed USING (payer_id)
   WHERE l.granted_by IS NULL AND l.through <> '' AND NOT EXISTS (
     SELECT 1 FROM known k WHERE k.payer_id = l.payer_id AND k.email IN (l.through, l.email))
),
lapsing AS (
  SELECT id FROM own UNION
  SELECT l.id FROM living l JOIN own ON own.payer_id = l.payer_id AND own.uuid = l.granted_by
   WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.payer_id = l.payer_id AND k.email = l.email)
),
staying AS (
  SELECT l.account_id, l.payer_id, l.granted_by FROM living l
   WHERE NOT EXISTS (SELECT 1 FROM lapsing WHERE lapsing.id = l.id)
),
opened AS (
  SELECT DISTINCT a.id AS account_id, k.payer_id FROM changed JOIN known k USING (payer_id)
    JOIN accounts_account a ON a.email = k.email AND a.role = 'resident' AND a.activated_at IS NOT NULL
   WHERE {free_known}
  UNION
  SELECT x.account_id, x.payer_id FROM residents_access x JOIN changed USING (payer_id)
    JOIN accounts_account a ON a.id = x.account_id AND a.role = 'resident' AND a.activated_at IS NOT NULL
    JOIN known k ON k.payer_id = x.payer_id AND k.email IN (a.email, x.through)
   WHERE x.ended_at IS NOT NULL AND x.lapsed AND x.granted_by IS NULL
     AND {free}
),
holders AS (
  SELECT account_id, payer_id FROM staying UNION SELECT account_id, payer_id FROM opened UNION
  SELECT x.account_id, x.payer_id FROM residents_access x JOIN changed USING (payer_id)
    JOIN accounts_account a ON a.uuid = x.granted_by
    JOIN (SELECT account_id, payer_id FROM staying WHERE granted_by IS NULL
          UNION SELECT account_id, payer_id FROM opened) AS g
      ON g.account_id = a.id AND g.payer_id = x.payer_id
   WHERE x.ended_at IS NOT NULL AND x.lapsed
     AND {free}
),
reach AS (
  SELECT payer_id, email, NULL::text AS language, false AS is_account FROM known
   WHERE payer_id IN (SELECT payer_id FROM payers)
  UNION ALL
  SELECT h.payer_id, a.email, COALESCE(NULLIF(a.language, ''), %(language)s), true
    FROM holders h JOIN accounts_account a ON a.id = h.account_id
   WHERE a.is_active AND a.activated_at IS NOT NULL
),
refusals AS (
  SELECT e.email FROM residents_payeremail e WHERE e.refused_alerts ? %(choice)s AND NOT EXISTS (
    SELECT 1 FROM going g WHERE g.payer_id = e.payer_id AND g.email = e.email)
  UNION
  SELECT c.email FROM coming c JOIN residents_removedemail m USING (payer_id, email)
   WHERE m.refused_alerts ? %(choice)s
),
refusing AS (
  SELECT r.email FROM reach r JOIN accounts_account a ON a.email = r.email AND a.activated_at IS NOT NULL
   WHERE a.refused_alerts ? %(choice)s
  UNION
  SELECT r.email FROM reach r JOIN refusals f ON f.email = r.email WHERE NOT EXISTS (
    SELECT 1 FROM accounts_account a WHERE a.email = r.email AND a.activated_at IS NOT NULL)
)
"""
REACH = _REACH.format(
    free=_FREE.format(account="x.account_id", payer="x.payer_id"),
    free_known=_FREE.format(account="a.id", payer="k.payer_id"),
)
