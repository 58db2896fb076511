"""The only writer of payers' addresses, and of the accesses that depend on them (decision 47).

It works on sets: one payer or a whole file. Code that gives something because of an address calls `hold_still` before
anything else in its transaction. Code that changes addresses takes the exclusive lock (`_hold_alone`). So
no access is given because of an address that is being removed.
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
_FORGET = "400 days"  # for addresses that billing took away and that had refused nothing

# What a file says about its payers; what staff say wins.
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

# Accesses from billing whose address is gone, and what their holders gave to people without an address of the payer.
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

# An access that is live, or that staff ended, prevents another for the same account and payer.
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
    """An address that a file gives but that staff had taken away: it stays away."""

    payer_id: int
    email: str
    removed_at: datetime
    removed_by: str  # audit name


@dataclass(frozen=True)
class Replacement:
    """The changes that a file's addresses make, or would make. `losing`: ids of the accesses that lapse."""

    going: list[Pair]
    coming: list[Pair]
    kept_out: list[KeptOut]
    losing: list[int]

    @property
    def accesses(self) -> list[Access]:
        """The accesses `losing`, with their accounts and payers."""
        found = Access.objects.filter(pk__in=self.losing).select_related("account", "payer")
        return list(found.order_by("payer__reference", "id"))


def hold_still() -> None:
    """Prevent changes of addresses until this transaction ends. Call it before taking any other lock."""
    _execute("SELECT pg_advisory_xact_lock_shared({lock})")


def _hold_alone() -> None:
    _execute("SELECT pg_advisory_xact_lock({lock})")


def preview_emails(said: Mapping[int, Sequence[str]]) -> Replacement:
    """What `replace_emails` would do now with the same arguments. Writes nothing."""
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
    """Replace billing's addresses of these payers by those of its file: payer's id → addresses, possibly none.

    Omit payers about whom the file says nothing (it has no such column). Addresses that staff or a resident added
    stay; those that staff took away stay away. Accesses follow at once. Twice changes nothing. `about`: for the trail.
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
    """Staff add an address, which no file takes away. Raises AddressKnown when the payer has it already."""
    _hold_alone()
    email = emails.normalise(email)
    if PayerEmail.objects.filter(payer=payer, email=email).exists():
        raise AddressKnown
    _put([(payer.pk, email)], source=EmailSource.STAFF, by=_name(actor))
    _follow([payer.pk])
    _record("payer_email.added", actor, payer, email)


@transaction.atomic
def remove_email(*, actor: audit.Actor, payer: Payer, email: str) -> None:
    """Staff take an address away: it gets no messages, opens nothing, and no file brings it back.

    The accesses that depend on it alone lapse. Twice changes nothing.
    """
    _hold_alone()
    if not PayerEmail.objects.filter(payer=payer, email=email).exists():
        return
    _take([(payer.pk, email)], by=_name(actor))
    _follow([payer.pk])
    _record("payer_email.removed", actor, payer, email)


@transaction.atomic
def let_back(*, actor: audit.Actor, payer: Payer, email: str) -> None:
    """Staff undo a removal, theirs or billing's, and restore what the address had refused. Twice changes nothing.

    What staff had taken from billing belongs to billing again; what billing had removed now belongs to staff.
    """
    _hold_alone()
    gone = RemovedEmail.objects.filter(payer=payer, email=email).first()
    if gone is None:
        return
    source = gone.source if gone.removed_by else EmailSource.STAFF
    _put([(payer.pk, email)], source=source, by="" if source == EmailSource.BILLING else _name(actor))
    _follow([payer.pk])
    _record("payer_email.let_back", actor, payer, email)


def give_to(account: Account) -> list[int]:
    """Give `account` what its address opens; return the ids of the payers. The caller has called `hold_still`."""
    return sorted(_give("x.account_id = %(account)s", {"account": account.pk}))


def give_shares_back(payers: Collection[int]) -> None:
    """Restore what holders had given, when it lapsed together with their own access."""
    _execute(_SHARES_BACK, {"payers": list(payers)})


def _follow(payers: list[int]) -> list[int]:
    """Update accesses to the present addresses of these payers. Returns the ids of those that lapsed."""
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


def _record(verb: str, actor: audit.Actor, payer: Payer, email: str) -> None:
    """The trail is never erased: it names no address in full."""
    new = {"address": emails.masked(email)}
    audit.record(verb, actor=actor, obj=f"payer:{payer.uuid}", new=new)


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
