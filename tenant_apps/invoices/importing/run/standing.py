"""A record beside the invoice that the town already has: the same, a change to show, or a reason to refuse it."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from tenant_apps.invoices.importing.people.matching import Finding
from tenant_apps.invoices.importing.records.kinds import CreditRow, InvoiceRow
from tenant_apps.invoices.importing.run.chunks import KnownRow
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.states import InvoiceState, OnlineHold
from toolkit.money import format_euros
from toolkit.scope import Scope


class Refused(Exception):
    """The record cannot be applied. `str()` is one French sentence; `field` is the field of kinds.LABELS."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def compare(
    found: Invoice, row: InvoiceRow, finding: Finding, *, source_id: int, being_paid: bool, scope: Scope
) -> KnownRow:
    """What `row` says about the invoice `found`, which has its number. Raises Refused."""
    if found.state == InvoiceState.DRAFT:
        raise Refused("number", _in_another_import(found, scope))
    known = KnownRow(row.line, found)
    if not finding.may_be(found.payer_id):
        known.moves_to = row.payer
    said = _said(found, row)
    for name, (was, becomes) in said.items():
        if was != becomes:
            known.was[name], known.becomes[name] = was, becomes
    if known.becomes or known.moves_to:
        _may_change(known, row, source_id, being_paid=being_paid)
    return known


def credit(found: Invoice, row: CreditRow, *, applied: bool, being_paid: bool, scope: Scope) -> KnownRow:
    """What a cancellation or a reduction does to `found`. `applied`: an earlier file said it. Raises Refused."""
    if found.state == InvoiceState.DRAFT:
        raise Refused("number", _in_another_import(found, scope))
    known = KnownRow(row.line, found, reason=row.reason or _("Annulation reçue du service de facturation"))
    if applied or found.state == InvoiceState.CANCELLED:
        return known
    taken = found.amount if row.amount is None or row.amount >= found.amount else row.amount
    if being_paid:
        raise Refused("number", _being_paid())
    if found.paid > found.amount - taken:
        raise Refused("amount", _paid_too_much(found))
    known.credit, known.cancels, known.credit_name = taken, taken == found.amount, row.identity
    return known


def _said(found: Invoice, row: InvoiceRow) -> dict[str, tuple[Any, Any]]:
    """Name of a value → (what the town has, what the file says), as an Amendment keeps them."""
    # An avoir of the town is no difference from billing's file.
    said: dict[str, tuple[Any, Any]] = {
        "amount": (str(found.original_amount), str(row.amount)),
        "issued_on": (_iso(found.issued_on), _iso(row.issued_on)),
        "due_on": (_iso(found.due_on), _iso(row.due_on)),
        "subject": (found.subject, row.subject),
    }
    if row.by_debit:
        is_debit = found.online_hold == OnlineHold.DEBIT
        said["debit_on"] = (_iso(found.debit_on) if is_debit else None, _iso(row.debit_on))
    return said


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _may_change(known: KnownRow, row: InvoiceRow, source_id: int, *, being_paid: bool) -> None:
    found = known.invoice
    if found.state == InvoiceState.CANCELLED:
        sentence = _(
            "« Numéro » est celui d'une facture annulée, que le fichier donne avec d'autres valeurs : donnez un autre "
            "numéro à la nouvelle facture."
        )
        raise Refused("number", sentence)
    if being_paid:
        raise Refused("number", _being_paid())
    if known.moves_to and found.paid:
        sentence = _(
            "« Numéro » est déjà publié pour un autre redevable (code %(code)s, provenance « %(source)s »), qui a "
            "réglé %(paid)s : une facture réglée ne change pas de redevable."
        )
        words = {"code": found.payer.reference, "source": found.payer.source.name}
        raise Refused("payer", sentence % {**words, "paid": format_euros(found.paid)})
    if known.moves_to and found.payer.source_id != source_id:
        sentence = _(
            "« Numéro » est déjà publié pour un autre redevable (code %(code)s, provenance « %(source)s ») : une "
            "facture ne change pas de provenance. Choisissez la bonne provenance, ou un autre numéro."
        )
        raise Refused("number", sentence % {"code": found.payer.reference, "source": found.payer.source.name})
    if row.amount <= found.credited:
        sentence = _(
            "« Montant » est plus petit que les avoirs déjà accordés sur cette facture (%(credited)s)."
        )
        raise Refused("amount", sentence % {"credited": format_euros(found.credited)})
    if found.paid > row.amount - found.credited:
        raise Refused("amount", _paid_too_much(found))


def _paid_too_much(found: Invoice) -> str:
    sentence = _(
        "« Montant » deviendrait plus petit que ce qui est déjà réglé (%(paid)s). Faites un avoir depuis la page de "
        "la facture : ce qui a été payé en trop y est remboursé ou gardé en avance."
    )
    return sentence % {"paid": format_euros(found.paid)}


def _being_paid() -> str:
    return _("Cette facture est en cours de règlement : envoyez ce changement une fois le paiement terminé.")


def _in_another_import(found: Invoice, scope: Scope) -> str:
    if found.batch is not None and not scope.covers(found.batch.product_ids):
        return _("« Numéro » est déjà dans un import de la commune, pas encore publié.")
    sentence = _(
        "« Numéro » est déjà dans l'import « %(name)s », pas encore publié : publiez cet import, ou abandonnez-le."
    )
    return sentence % {"name": found.batch.rows_name if found.batch else ""}
