"""What this room gives to a person, and what it erases of them: money stays (shared_apps.privacy.personal)."""

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
    """The money that the portal shows them, their own tries to pay (no token, no operation), their « J'ai réglé »."""
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
    """The address of their tries, and of what the provider answered; amounts, references and states are the town's
    accounts and stay. What is answered later about such a try no longer holds an address either (moves.evidence)."""
    fields = sorted({field for one in every_provider() for field in one.personal_fields})
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, {"account": account.pk})  # nobody settles them meanwhile
        cursor.execute(_TRIES, {"account": account.pk, "fields": fields})
        tries = cursor.rowcount
        for statement in _ADDRESSES:
            cursor.execute(statement, {"account": account.pk, "fields": fields})
    said = Declaration.objects.filter(account=account).update(account=None)
    return {"attempts": tries, "declarations": said}


_OF = "IN (SELECT id FROM payments_attempt WHERE account_id = %(account)s)"
# As everybody locks them: by their ids, one after the other (payments.locking).
_LOCKED = "SELECT id FROM payments_attempt WHERE account_id = %(account)s ORDER BY id FOR NO KEY UPDATE"
# In one statement: a row written twice by a transaction has its foreign keys checked again when that ends, and the
# check would wait for whoever settles it, holds its invoice, and waits for us.
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
