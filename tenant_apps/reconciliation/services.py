"""The only writers of journals, statements and their lines. Money is booked by payments' own services, never here."""

import hashlib
import itertools
import logging
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import BinaryIO
from uuid import uuid5

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, override

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.bells import hear_payfip_bell
from tenant_apps.payments.counter import JOURNAL, Paper, book_payment
from tenant_apps.payments.counter import Line as Part
from tenant_apps.payments.errors import PaymentError
from tenant_apps.payments.models import Attempt, Means, Payment
from tenant_apps.payments.providers.base import ProviderUnavailable
from tenant_apps.payments.review import confirm_attempt
from tenant_apps.payments.services import ask
from tenant_apps.payments.states import LIVE, AttemptState
from tenant_apps.reconciliation.errors import CannotRead, NotPossible
from tenant_apps.reconciliation.files import opened
from tenant_apps.reconciliation.matching import Matcher, say
from tenant_apps.reconciliation.models import Kind, Line, Statement
from tenant_apps.reconciliation.reading import camt, table
from tenant_apps.reconciliation.reading.columns import guess, missing
from tenant_apps.reconciliation.reading.rows import BadRow, Checksums, Row
from tenant_apps.reconciliation.states import EDGES, OPEN, LineState
from tenants.current import current_town
from toolkit.storage import statement_key

log = logging.getLogger(__name__)
S = LineState
CHUNK = 1000
ASKED = 3  # attempts on an invoice about which the Treasury is asked before a line is booked
MOST_BYTES = 50 * 1024 * 1024


def receive_statement(*, actor: audit.Actor, kind: str, file: BinaryIO, name: str) -> tuple[Statement, bool]:
    """Keep a file as it came. Returns it and True, or the same file that is here already. Raises CannotRead."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(1024 * 1024):
        digest.update(chunk)
        size += len(chunk)
    if not 0 < size <= MOST_BYTES:
        raise CannotRead(_("Ce fichier est vide, ou dépasse 50 Mo."))
    earlier = Statement.objects.filter(sha256=digest.hexdigest(), kind=kind).order_by("-id").first()
    if earlier is not None:
        return earlier, False
    statement = Statement(kind=kind, name=name[:200], sha256=digest.hexdigest(), created_by=_name(actor))
    if not camt.looks_like_camt(file):
        layout = table.layout_of(file)
        statement.columns = layout.fingerprint
        same = Statement.objects.filter(kind=kind, columns=layout.fingerprint).exclude(mapping={})
        last = same.order_by("-id").first()
        statement.mapping = last.mapping if last else guess(kind, layout.titles)
    elif kind == Kind.JOURNAL:
        raise CannotRead(
            _("Un relevé XML (CAMT.053) est un relevé de compte : choisissez « relevé de compte ».")
        )
    file.seek(0)
    statement.key = statement_key(town=current_town().uuid, statement=statement.uuid)
    storages["documents"].save(statement.key, File(file))
    with transaction.atomic():
        statement.save()
        audit.record(
            "statement.received", actor=actor, obj=f"statement:{statement.uuid}", new={"file": name[:200]}
        )
    return statement, True


def import_statement(*, actor: Account, statement: Statement, mapping: Mapping[str, object]) -> Statement:
    """Read every line, keep those that no earlier file brought, and say what each one is. All or nothing.

    `mapping` (field → title) is kept for the next file of the same layout. Twice changes nothing. What the journal
    confirms of TIPI's announced payments is then booked by payments, one by one. Raises CannotRead.
    """
    with transaction.atomic():
        with (
            connection.cursor() as cursor
        ):  # one import at a time in the town: overlapping files find each other
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ':reconciliation'))")
        locked = Statement.objects.select_for_update().get(pk=statement.pk)
        if locked.imported_at is not None:
            return locked
        if locked.columns and (names := missing(locked.kind, mapping)):
            raise CannotRead(_("Dites quelle colonne donne : %(names)s.") % {"names": ", ".join(names)})
        locked.mapping = dict(mapping)
        # What is said of a line stays in its row.
        with opened(locked) as file, override(settings.LANGUAGE_CODE):
            _keep_lines(locked, _rows(locked, file))
        locked.imported_at = timezone.now()
        locked.save()
        audit.record(
            "statement.imported",
            actor=actor,
            obj=f"statement:{locked.uuid}",
            new={"new": locked.new_count, "known": locked.known_count, "mapping": locked.mapping},
        )
    confirm_announced(actor=actor, statement=locked)
    return locked


def _rows(statement: Statement, file: BinaryIO) -> Iterable[Row | BadRow]:
    if not statement.columns:
        return camt.read(file)
    return table.read(file, table.layout_of(file), statement.kind, statement.mapping)


def _keep_lines(statement: Statement, rows: Iterable[Row | BadRow]) -> None:
    checksums, matcher = Checksums(statement.kind), Matcher(statement.kind)
    days: list[date] = []
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        lines = [_line(statement, row, checksums.of(row)) for row in chunk]
        read = [line.booked_on for line in lines if line.booked_on]
        days += [min(read), max(read)] if read else []
        known = set(
            Line.objects.filter(checksum__in=[line.checksum for line in lines]).values_list(
                "checksum", flat=True
            )
        )
        fresh = [line for line in lines if line.checksum not in known]
        matcher.judge([line for line in fresh if line.state == S.UNMATCHED])
        Line.objects.bulk_create(fresh, batch_size=CHUNK)
        statement.new_count += len(fresh)
        statement.known_count += len(lines) - len(fresh)
    if not statement.new_count + statement.known_count:
        raise CannotRead(gettext_lazy("Ce fichier ne contient aucune ligne sous ses titres."))
    if days:
        statement.first_day, statement.last_day = min(days), max(days)


def _line(statement: Statement, row: Row | BadRow, checksum: str) -> Line:
    line = Line(
        statement=statement, kind=statement.kind, number=row.number, checksum=checksum, raw=[*row.raw.items()]
    )
    if isinstance(row, BadRow):
        say(line, S.UNREADABLE, row.message)
        return line
    line.booked_on, line.amount, line.idop, line.reference = (
        row.booked_on,
        row.amount,
        row.idop,
        row.reference,
    )
    line.authorization, line.numcli, line.means = row.authorization, row.numcli, row.means
    line.payer_name, line.label = row.payer_name, row.label
    if row.outgoing:
        say(line, S.IGNORED, gettext_noop("Sortie d'argent : ce n'est pas un encaissement."))
    elif row.no_money:
        say(line, S.IGNORED, gettext_noop("Paiement refusé ou abandonné : aucun argent n'est venu."))
    elif row.doubt:
        say(line, S.DOUBTFUL, row.doubt.capitalize())
    return line


def confirm_announced(*, actor: Account, statement: Statement) -> int:
    """Payments that TIPI announced and this journal lists are booked by `review.confirm_attempt`, each by itself.

    What an online payment's own look-up can settle is asked again at the Treasury. Returns how many were booked;
    called again it goes on where it stopped.
    """
    booked = 0
    waiting = statement.lines.filter(state=S.DOUBTFUL, attempt__isnull=False).select_related("attempt")
    for line in waiting.order_by("attempt__invoice_id", "id"):
        attempt = line.attempt
        assert attempt is not None
        if attempt.state != AttemptState.REPORTED:
            if attempt.idop:
                hear_payfip_bell(attempt.idop, {})
            continue
        if attempt.amount != line.amount:
            continue
        try:
            with transaction.atomic():
                locked = _lock(line)
                done = confirm_attempt(actor=actor, attempt=attempt, paid_on=line.booked_on)
                payment = Payment.objects.get(attempt=done)
                _settle(locked, actor, payment, gettext_noop("Paiement annoncé, confirmé par ce journal."))
        except (PaymentError, NotPossible):
            log.info("an announced payment was settled by somebody else meanwhile")
            continue
        booked += 1
    return booked


@transaction.atomic
def look_again(*, actor: Account, statement: Statement) -> int:
    """Judge once more the lines that wait: payments were booked since. Returns how many are matched now."""
    lines = list(
        statement.lines.select_for_update()
        .filter(state__in=[S.UNMATCHED, S.DOUBTFUL, S.DUPLICATE])
        .order_by("id")
    )
    matcher, before = Matcher(statement.kind), {line.pk: line.state for line in lines}
    for start in range(0, len(lines), CHUNK):
        matcher.judge(lines[start : start + CHUNK])
    matched = sum(line.state == S.MATCHED for line in lines)
    changed = ["state", "reason", "payment", "deposit", "attempt", "invoice"]
    Line.objects.bulk_update(lines, changed, batch_size=CHUNK)
    audit.record(
        "statement.looked_again",
        actor=actor,
        obj=f"statement:{statement.uuid}",
        old={"open": len(before)},
        new={"matched": matched},
    )
    return matched


@transaction.atomic
def match_line(*, actor: Account, line: Line, payment: Payment) -> Line:
    """Staff's word: this line is that payment. Raises NotPossible."""
    locked = _lock(line)
    chosen = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
    if chosen.cancelled_at is not None:
        raise NotPossible(_("Ce règlement est annulé."))
    if Line.objects.filter(kind=locked.kind, payment=chosen, state=S.MATCHED).exists():
        raise NotPossible(_("Ce règlement est déjà rapproché d'une autre ligne."))
    reason = gettext_noop("Rapprochée par un agent.")
    if locked.amount != chosen.amount:
        reason = gettext_noop("Rapprochée par un agent, malgré un montant différent.")
    return _settle(locked, actor, chosen, reason)


def book_line(*, actor: Account, line: Line, invoice: Invoice, means: Means) -> Line:
    """The money came without us: book it for `invoice`; what exceeds the balance stays unallocated.

    The Treasury is asked first about the online attempts that it may be. The line's own id is the payment's key,
    so twice books once. Raises NotPossible. Not in a transaction.
    """
    if line.kind == Kind.JOURNAL and line.amount is not None:
        _ask_first(invoice, line.amount)
    return _book(actor, line, invoice, means)


def _ask_first(invoice: Invoice, amount: Decimal) -> None:
    """What the journal lists may be an attempt that the poller has yet to hear of: it would be booked twice."""
    tried = Attempt.objects.filter(invoices=invoice, amount=amount)
    for attempt in tried.exclude(state=AttemptState.PAID).filter(idop__isnull=False).order_by("-id")[:ASKED]:
        try:
            ask(attempt=attempt, source="staff")
        except ProviderUnavailable:
            raise NotPossible(
                _("Un essai de paiement en ligne est à vérifier d'abord, et le Trésor public ne répond pas.")
            ) from None
        attempt.refresh_from_db()
        if attempt.state == AttemptState.PAID:
            raise NotPossible(
                _("Le Trésor public confirme un paiement en ligne de cette facture : cherchez de nouveau.")
            )
    if tried.filter(state__in=LIVE).exists():
        raise NotPossible(_("Un paiement en ligne de cette facture est en cours, ou à examiner d'abord."))


@transaction.atomic
def _book(actor: Account, line: Line, invoice: Invoice, means: Means) -> Line:
    locked = _lock(line)
    if locked.amount is None or locked.booked_on is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle n'a pas de montant ou pas de date."))
    part = min(locked.amount, max(invoice.balance, Decimal("0.01")))
    provider = JOURNAL if locked.kind == Kind.JOURNAL else "offline"
    key = locked.uuid
    while earlier := Payment.objects.filter(provider=provider, provider_reference=str(key)).first():
        if earlier.cancelled_at is None:
            raise NotPossible(_("Cette ligne est déjà enregistrée : annulez d'abord ce règlement."))
        key = uuid5(key, "again")  # booked by mistake, cancelled since
    payment, _new = book_payment(
        actor=actor,
        lines=[Part(invoice, part)],
        received=locked.amount,
        means=means,
        paid_on=locked.booked_on,
        paper=Paper(number=(locked.authorization or locked.reference)[:40], drawer=locked.payer_name[:80]),
        key=key,
        provider=provider,
    )
    return _settle(locked, actor, payment, gettext_noop("Enregistrée depuis cette ligne."))


@transaction.atomic
def ignore_line(*, actor: Account, line: Line, reason: str) -> Line:
    """Set a line aside, with a reason. Raises NotPossible."""
    if not reason.strip():
        raise NotPossible(_("Indiquez pourquoi cette ligne est écartée."))
    locked = _lock(line)
    return _write(locked, actor, S.IGNORED, reason.strip())


@transaction.atomic
def reopen_line(*, actor: Account, line: Line) -> Line:
    """Undo: the line waits again. A payment that was booked from it stays; it is cancelled on its own page."""
    locked = Line.objects.select_for_update().get(pk=line.pk)
    if locked.state not in (S.MATCHED, S.IGNORED):
        return locked
    if locked.amount is None:
        raise NotPossible(_("Cette ligne ne se lit pas : elle ne peut être qu'écartée."))
    if locked.state == S.IGNORED and not locked.decided_by:  # by the reading, not by a person
        raise NotPossible(_("Cette ligne n'est pas un encaissement : elle ne peut être qu'écartée."))
    locked.payment = locked.deposit = None
    return _write(locked, actor, S.UNMATCHED, gettext_noop("Remise en attente par un agent."))


def _lock(line: Line) -> Line:
    locked = Line.objects.select_for_update().get(pk=line.pk)
    if locked.state not in OPEN:
        sentence = _("Cette ligne est déjà « %(state)s ».")
        raise NotPossible(sentence % {"state": locked.get_state_display()})
    return locked


def _settle(line: Line, actor: audit.Actor, payment: Payment, reason: str) -> Line:
    line.payment = payment
    return _write(line, actor, S.MATCHED, reason)


def _write(line: Line, actor: audit.Actor, to: LineState, reason: str) -> Line:
    """The one setter of a line's state once it is kept."""
    old = LineState(line.state)
    if (old, to) not in EDGES:
        raise NotPossible(
            _("Une ligne « %(state)s » ne peut pas le devenir.") % {"state": line.get_state_display()}
        )
    before = line.reason
    line.state, line.reason = to, reason[:300]
    line.decided_by, line.decided_at = _name(actor), timezone.now()
    line.save(update_fields=["state", "reason", "payment", "deposit", "decided_by", "decided_at"])
    audit.record(
        f"line.{to}",
        actor=actor,
        obj=f"line:{line.uuid}",
        old={"state": str(old), "reason": before},
        new={
            "state": str(to),
            "reason": line.reason,
            "payment": str(line.payment.uuid) if line.payment else "",
        },
    )
    return line


def _name(actor: audit.Actor) -> str:
    return actor if isinstance(actor, str) else actor.audit_name
