"""Which addresses are a payer's, and what becomes of the accesses that they gave (decision 47): the only writer.

Set by set, for one payer or for a whole file. Whoever gives something because of an address calls `hold_still` before
anything else in its transaction; whoever changes addresses waits for those, and they wait for it (`_hold_alone`): so
an access is never given by an address that goes at that moment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.residents.emails import stopping
from tenant_apps.residents.errors import AddressKnown
from tenant_apps.residents.models import Access, EmailSource, Payer, PayerEmail, RemovedEmail
from toolkit import clock, emails

_LOCK = "hashtextextended(current_schema() || ':addresses', 0)"
_FORGET = "400 days"  # what billing took away and nobody refused anything at

# What a file says of its payers; staff's word is stronger than the file's.
_FILE = """
said AS (SELECT unnest(%(payers)s::bigint[]) AS payer_id),
raw AS (SELECT DISTINCT payer_id, email FROM unnest(%(of)s::bigint[], %(emails)s::text[]) AS r(payer_id, email)),
given AS (SELECT * FROM raw WHERE NOT EXISTS (SELECT 1 FROM residents_removedemail m
  WHERE m.payer_id = raw.payer_id AND m.email = raw.email AND m.removed_by <> ''))
"""
_GOING = """WITH {file} SELECT e.payer_id, e.email FROM residents_payeremail e JOIN said USING (payer_id)
WHERE e.source = 'import' AND NOT EXISTS (
  SELECT 1 FROM given g WHERE g.payer_id = e.payer_id AND g.email = e.email) ORDER BY e.payer_id, e.email"""
_COMING = """WITH {file} SELECT g.payer_id, g.email FROM given g WHERE NOT EXISTS (
  SELECT 1 FROM residents_payeremail e WHERE e.payer_id = g.payer_id AND e.email = g.email) ORDER BY 1, 2"""
_KEPT_OUT = """WITH {file} SELECT m.payer_id, m.email, m.removed_at, m.removed_by FROM residents_removedemail m
JOIN raw USING (payer_id, email) WHERE m.removed_by <> '' ORDER BY 1, 2"""
_AFTER = """{file}, known AS (SELECT payer_id, email FROM given UNION
  SELECT e.payer_id, e.email FROM residents_payeremail e JOIN said USING (payer_id) WHERE e.source <> 'import')"""
_NOW = """known AS (SELECT payer_id, email FROM residents_payeremail WHERE payer_id = ANY(%(payers)s))"""

# What billing gave and no address holds any more; and what the holders gave to people whom no address names.
_LAPSING = """WITH {known}, own AS (
  SELECT x.id, x.payer_id, a.uuid FROM residents_access x JOIN accounts_account a ON a.id = x.account_id
   WHERE x.payer_id = ANY(%(payers)s) AND x.ended_at IS NULL AND x.granted_by IS NULL AND x.through <> ''
     AND NOT EXISTS (SELECT 1 FROM known k WHERE k.payer_id = x.payer_id AND k.email IN (x.through, a.email)))
SELECT id FROM own UNION
SELECT x.id FROM residents_access x JOIN own ON own.payer_id = x.payer_id AND own.uuid = x.granted_by
  JOIN accounts_account a ON a.id = x.account_id
 WHERE x.ended_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM known k WHERE k.payer_id = x.payer_id AND k.email = a.email)"""
_FOLLOW = """UPDATE residents_access x SET through = a.email FROM accounts_account a
 WHERE a.id = x.account_id AND x.payer_id = ANY(%(payers)s) AND x.ended_at IS NULL AND x.through NOT IN ('', a.email)
   AND NOT EXISTS (SELECT 1 FROM residents_payeremail e WHERE e.payer_id = x.payer_id AND e.email = x.through)
   AND EXISTS (SELECT 1 FROM residents_payeremail e WHERE e.payer_id = x.payer_id AND e.email = a.email)"""

_FORGOTTEN = """DELETE FROM residents_removedemail
 WHERE removed_by = '' AND refused_alerts = '[]' AND removed_at < now() - %(forget)s::interval"""
_TAKE = """WITH out AS (DELETE FROM residents_payeremail e
  USING unnest(%(of)s::bigint[], %(emails)s::text[]) AS g(payer_id, email)
  WHERE e.payer_id = g.payer_id AND e.email = g.email RETURNING e.*)
INSERT INTO residents_removedemail (payer_id, email, source, refused_alerts, removed_at, removed_by)
SELECT payer_id, email, source, refused_alerts, now(), %(by)s FROM out
ON CONFLICT (payer_id, email) DO UPDATE SET source = EXCLUDED.source, refused_alerts = EXCLUDED.refused_alerts,
  removed_at = EXCLUDED.removed_at, removed_by = EXCLUDED.removed_by"""
_PUT = """WITH back AS (DELETE FROM residents_removedemail m
  USING unnest(%(of)s::bigint[], %(emails)s::text[]) AS g(payer_id, email)
  WHERE m.payer_id = g.payer_id AND m.email = g.email RETURNING m.*)
INSERT INTO residents_payeremail (payer_id, email, source, added_at, added_by, refused_alerts)
SELECT g.payer_id, g.email, %(source)s, now(), %(by)s, COALESCE(back.refused_alerts, '[]')
  FROM unnest(%(of)s::bigint[], %(emails)s::text[]) AS g(payer_id, email)
  LEFT JOIN back ON back.payer_id = g.payer_id AND back.email = g.email
ON CONFLICT (payer_id, email) DO NOTHING"""

# An access that staff ended, or that stands, leaves no room for another of the same account and payer.
_FREE = """NOT EXISTS (SELECT 1 FROM residents_access y WHERE y.account_id = x.account_id AND y.payer_id = x.payer_id
   AND (y.ended_at IS NULL OR NOT y.lapsed))"""
_BACK = """UPDATE residents_access SET ended_at = NULL, lapsed = false, through = back.email FROM (
  SELECT DISTINCT ON (x.account_id, x.payer_id) x.id, e.email FROM residents_access x
    JOIN accounts_account a ON a.id = x.account_id AND a.role = 'resident' AND a.activated_at IS NOT NULL
    JOIN residents_payeremail e ON e.payer_id = x.payer_id AND e.email IN (a.email, x.through)
   WHERE {which} AND x.lapsed AND x.granted_by IS NULL AND {free}
   ORDER BY x.account_id, x.payer_id, e.email <> a.email, x.id DESC) AS back
 WHERE residents_access.id = back.id RETURNING residents_access.account_id, residents_access.payer_id"""
_NEW = """INSERT INTO residents_access (account_id, payer_id, granted_at, through)
SELECT x.account_id, x.payer_id, now(), x.email FROM (
  SELECT a.id AS account_id, e.payer_id, e.email FROM residents_payeremail e
    JOIN accounts_account a ON a.email = e.email AND a.role = 'resident' AND a.activated_at IS NOT NULL) AS x
 WHERE {which} AND {free}
ON CONFLICT DO NOTHING RETURNING account_id, payer_id"""
_SHARES_BACK = """UPDATE residents_access SET ended_at = NULL, lapsed = false FROM (
  SELECT DISTINCT ON (x.account_id, x.payer_id) x.id FROM residents_access x
    JOIN accounts_account a ON a.uuid = x.granted_by
    JOIN residents_access g ON g.account_id = a.id AND g.payer_id = x.payer_id AND g.ended_at IS NULL
   WHERE x.payer_id = ANY(%(payers)s) AND x.lapsed AND g.granted_by IS NULL AND {free}
   ORDER BY x.account_id, x.payer_id, x.id DESC) AS back
 WHERE residents_access.id = back.id"""

Pair = tuple[int, str]  # id of a payer, address


@dataclass(frozen=True)
class KeptOut:
    """An address that a file gives and staff had taken away: it stays away."""

    payer_id: int
    email: str
    removed_at: datetime
    removed_by: str  # audit name


@dataclass(frozen=True)
class Replacement:
    """What a file's addresses change, or would change. `losing`: ids of the accesses that lapse."""

    going: list[Pair]
    coming: list[Pair]
    kept_out: list[KeptOut]
    losing: list[int]

    @property
    def accesses(self) -> list[Access]:
        """Those of `losing`, with their accounts and payers."""
        found = Access.objects.filter(pk__in=self.losing).select_related("account", "payer")
        return list(found.order_by("payer__reference", "id"))


def hold_still() -> None:
    """Addresses do not change until this transaction ends. Lock nothing else before it."""
    _execute("SELECT pg_advisory_xact_lock_shared({lock})")


def _hold_alone() -> None:
    _execute("SELECT pg_advisory_xact_lock({lock})")


def preview_emails(said: Mapping[int, Sequence[str]]) -> Replacement:
    """What `replace_emails` would do with the same words now. Writes nothing."""
    file = _file(said)
    losing = _rows(_LAPSING, file, known=_AFTER.format(file=_FILE))
    return Replacement(
        going=_rows(_GOING, file),
        coming=_rows(_COMING, file),
        kept_out=[KeptOut(*row) for row in _rows(_KEPT_OUT, file)],
        losing=sorted(pk for (pk,) in losing),
    )


@transaction.atomic
def replace_emails(said: Mapping[int, Sequence[str]], *, actor: audit.Actor, about: str = "") -> Replacement:
    """Billing's addresses of these payers are those that its file gives: payer's id → addresses, maybe none.

    Leave out a payer of whom the file says nothing (it has no such column). Addresses that staff or a resident added
    stay; what staff took away stays away. Accesses follow at once. Twice changes nothing. `about`: of the fact.
    """
    _hold_alone()
    file = _file(said)
    going, coming = _rows(_GOING, file), _rows(_COMING, file)
    kept_out = [KeptOut(*row) for row in _rows(_KEPT_OUT, file)]
    _execute(_FORGOTTEN, {"forget": _FORGET})
    _take(going, by="")
    _put(coming, source=EmailSource.BILLING, by="")
    losing = _follow(sorted({payer for payer, _email in (*going, *coming)}))
    if going or coming:
        audit.record(
            "payer_emails.replaced",
            actor=actor,
            obj=about,
            new={
                **{"came": len(coming), "gone": len(going), "lapsed": len(losing)},
                "payers": sorted({payer for payer, _email in going}),
            },
        )
    return Replacement(going, coming, kept_out, losing)


@transaction.atomic
def add_email(*, actor: audit.Actor, payer: Payer, email: str) -> None:
    """Staff say that this address is the payer's: no file takes it away. Raises AddressKnown when it is already."""
    _hold_alone()
    email = emails.normalise(email)
    if PayerEmail.objects.filter(payer=payer, email=email).exists():
        raise AddressKnown
    _put([(payer.pk, email)], source=EmailSource.STAFF, by=_name(actor))
    _follow([payer.pk])
    _record("added", actor, payer, email)


@transaction.atomic
def remove_email(*, actor: audit.Actor, payer: Payer, email: str) -> None:
    """Staff take an address away: it is told nothing, opens nothing, and no file brings it back.

    The accesses that only it held lapse. Twice changes nothing.
    """
    _hold_alone()
    if not PayerEmail.objects.filter(payer=payer, email=email).exists():
        return
    _take([(payer.pk, email)], by=_name(actor))
    _follow([payer.pk])
    _record("removed", actor, payer, email)


@transaction.atomic
def let_back(*, actor: audit.Actor, payer: Payer, email: str) -> None:
    """Staff undo a removal, theirs or billing's, with what the address had refused. Twice changes nothing.

    What staff had taken from billing is billing's again; what billing took away is staff's from now on.
    """
    _hold_alone()
    gone = RemovedEmail.objects.filter(payer=payer, email=email).first()
    if gone is None:
        return
    source = gone.source if gone.removed_by else EmailSource.STAFF
    _put([(payer.pk, email)], source=source, by="" if source == EmailSource.BILLING else _name(actor))
    _follow([payer.pk])
    _record("let_back", actor, payer, email)


def give_to(account: Account) -> list[int]:
    """Give `account` what its address opens; returns the ids of the payers. The caller holds addresses still."""
    return sorted(_give("x.account_id = %(account)s", {"account": account.pk}))


def give_shares_back(payers: Collection[int]) -> None:
    """What holders had given, and that lapsed with their own access, stands again with it."""
    _execute(_SHARES_BACK, {"payers": list(payers)})


def _follow(payers: list[int]) -> list[int]:
    """Accesses follow the addresses of these payers, as they are now. Returns the ids of those that lapsed."""
    if not payers:
        return []
    values = {"payers": payers}
    _execute(_FOLLOW, values)
    losing = sorted(pk for (pk,) in _rows(_LAPSING, values, known=_NOW))
    Access.objects.filter(pk__in=losing).update(ended_at=clock.now(), lapsed=True)
    _give("x.payer_id = ANY(%(payers)s)", values)
    give_shares_back(payers)
    return losing


def _give(which: str, values: dict[str, Any]) -> set[int]:
    given = _rows(_BACK, values, which=which) + _rows(_NEW, values, which=which)
    return {payer for _account, payer in given}


def _take(pairs: list[Pair], *, by: str) -> None:
    if pairs:
        _execute(_TAKE, {**_pairs(pairs), "by": by})
        stopping.stop_links(pairs)


def _put(pairs: list[Pair], *, source: str, by: str) -> None:
    if pairs:
        _execute(_PUT, {**_pairs(pairs), "source": str(source), "by": by})


def _file(said: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    pairs = ((payer, emails.normalise(email)) for payer, given in said.items() for email in given)
    return {"payers": list(said), **_pairs(pairs)}


def _pairs(pairs: Iterable[Pair]) -> dict[str, list[Any]]:
    all_of = list(pairs)
    return {"of": [payer for payer, _email in all_of], "emails": [email for _payer, email in all_of]}


def _record(what: str, actor: audit.Actor, payer: Payer, email: str) -> None:
    """The trail is never erased: it names no address in full."""
    new = {"address": emails.masked(email)}
    audit.record(f"payer_email.{what}", actor=actor, obj=f"payer:{payer.uuid}", new=new)


def _name(actor: audit.Actor) -> str:
    return actor if isinstance(actor, str) else actor.audit_name


def _rows(statement: str, values: Mapping[str, Any], **parts: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_filled(statement, parts), values)
        return cursor.fetchall()


def _execute(statement: str, values: Mapping[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_filled(statement, {}), values)


def _filled(statement: str, parts: Mapping[str, str]) -> str:
    return statement.format(file=_FILE, free=_FREE, lock=_LOCK, **parts)
