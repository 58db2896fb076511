"""What this room gives to a person in their copy of data, and what it erases (shared_apps.privacy.personal)."""

from collections.abc import Iterator, Mapping

from django.db import connection
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.privacy.personal import Section
from tenant_apps.payments.models import AttemptEvent, AttemptInvoice, Declaration, Means, Refund
from tenant_apps.payments.providers.registry import every_provider
from tenant_apps.payments.queries import payments_of_resident
from tenant_apps.payments.states import AttemptState


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """The payments that the portal shows, the person's own attempts (no token, no operation) and declarations."""
    paid = payments_of_resident(account).order_by("payment__paid_on", "id")
    yield Section(
        "reglements",
        _("Règlements de mes factures"),
        [
            ("reference", _("Référence")),
            ("date", _("Date")),
            ("moyen", _("Moyen")),
            ("montant", _("Montant affecté à la facture")),
            ("facture", _("Facture")),
        ],
        (
            (reference, day, Means(means).label, amount, number)
            for reference, day, means, amount, number in paid.values_list(
                "payment__uuid", "payment__paid_on", "payment__means", "amount", "invoice__number"
            ).iterator(chunk_size=500)
        ),
    )
    yield from _tries(account)
    refunds = Refund.objects.filter(payment__attempt__account=account).order_by("id")
    yield Section(
        "remboursements",
        _("Remboursements de mes paiements en ligne"),
        [
            ("reglement", _("Règlement")),
            ("montant", _("Montant")),
            ("date", _("Date")),
            ("moyen", _("Moyen")),
            ("motif", _("Motif")),
        ],
        (
            (payment, amount, day, Refund.By(means).label, reason)
            for payment, amount, day, means, reason in refunds.values_list(
                "payment__uuid", "amount", "refunded_on", "means", "reason"
            ).iterator()
        ),
    )
    said = Declaration.objects.filter(account=account).order_by("id")
    yield Section(
        "declarations",
        _("Mes « J'ai réglé »"),
        [
            ("facture", _("Facture")),
            ("declare_le", _("Déclaré le")),
            ("refuse_le", _("Refusé le")),
            ("reponse", _("Réponse du service")),
        ],
        said.values_list("invoice__number", "declared_at", "refused_at", "answer").iterator(),
    )


def _tries(account: Account) -> Iterator[Section]:
    parts = AttemptInvoice.objects.filter(attempt__account=account).order_by("attempt_id", "id")
    yield Section(
        "tentatives",
        _("Mes paiements en ligne, aboutis ou non"),
        [
            ("tentative", _("Tentative")),
            ("debut", _("Début")),
            ("etat", _("État")),
            ("explication", _("Explication")),
            ("reference", _("Référence de paiement")),
            ("libelle", _("Libellé")),
            ("montant_total", _("Montant total")),
            ("adresse", _("Adresse e-mail donnée pour le paiement")),
            ("fin", _("Fin")),
            ("facture", _("Facture")),
            ("montant", _("Montant pour cette facture")),
        ],
        (
            (public_id, began, AttemptState(state).label, *rest)
            for public_id, began, state, *rest in parts.values_list(
                *("attempt__uuid", "attempt__created_at", "attempt__state", "attempt__reason"),
                *("attempt__reference", "attempt__label", "attempt__amount", "attempt__email"),
                *("attempt__settled_at", "invoice__number", "amount"),
            ).iterator(chunk_size=500)
        ),
    )
    events = AttemptEvent.objects.filter(attempt__account=account).order_by("attempt_id", "id")
    yield Section(
        "suivi-des-tentatives",
        _("Ce qui est arrivé à mes paiements en ligne"),
        [
            ("tentative", _("Tentative")),
            ("date", _("Date")),
            ("avant", _("Avant")),
            ("apres", _("Après")),
            ("note", _("Note")),
        ],
        (
            (public_id, at, AttemptState(old).label, AttemptState(new).label, note)
            for public_id, at, old, new, note in events.values_list(
                "attempt__uuid", "at", "old", "new", "note"
            ).iterator(chunk_size=500)
        ),
    )


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """Erase the e-mail address from the person's attempts and from the answers of the provider.

    Amounts, references and states belong to the town's accounts and stay. Later answers about these attempts are
    kept without an address too (moves.evidence). Returns the number of rows erased per table.
    """
    fields = sorted({field for one in every_provider() for field in one.personal_fields})
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, {"account": account.pk})  # so that no answer is applied meanwhile
        cursor.execute(_TRIES, {"account": account.pk, "fields": fields})
        tries = cursor.rowcount
        for statement in _ADDRESSES:
            cursor.execute(statement, {"account": account.pk, "fields": fields})
    said = Declaration.objects.filter(account=account).update(account=None)
    return {"attempts": tries, "declarations": said}


_OF = "IN (SELECT id FROM payments_attempt WHERE account_id = %(account)s)"
# In the order of their ids, as everywhere else (books.locking).
_LOCKED = "SELECT id FROM payments_attempt WHERE account_id = %(account)s ORDER BY id FOR NO KEY UPDATE"
# One statement for all columns. PostgreSQL checks the foreign keys of a row again if a transaction writes it twice.
# That check would wait for a transaction that has locked the invoice and waits for our row.
_TRIES = (
    "UPDATE payments_attempt SET email = '', answer = "
    "CASE WHEN answer ?| %(fields)s::text[] THEN answer - %(fields)s::text[] ELSE answer END "
    "WHERE account_id = %(account)s"
)
_ADDRESSES = tuple(
    f"UPDATE {table} SET {column} = {column} - %(fields)s::text[] "  # noqa: S608
    f"WHERE attempt_id {_OF} AND {column} ?| %(fields)s::text[]"
    for table, column in (("payments_attemptevent", "raw"), ("payments_finding", "details"))
)
