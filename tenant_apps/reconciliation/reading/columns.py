"""The columns of a journal or a statement: what may be read, and which titles are met."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenant_apps.invoices.importing.columns import key_of_header

CENTS = "_cents"  # in a mapping: amounts are whole cents
Label = str | Promise

# Field → (its name on the screen, the titles met as `key_of_header` writes them)
JOURNAL: dict[str, tuple[Label, tuple[str, ...]]] = {
    "booked_on": (
        _("Date"),
        ("datepaiement", "datetransaction", "dattrans", "dateoperation", "date", "datecomptable"),
    ),
    "amount": (_("Montant"), ("montantpaye", "montantoperation", "montant", "montanttransaction")),
    "idop": (_("Identifiant de l'opération (idOp)"), ("idop", "idoperation", "identifiantoperation")),
    "reference": (
        _("Référence de la dette (refdet)"),
        (
            *("refdet", "referencedette", "reference", "referencefacture", "referencetipi", "referencetitre"),
            "referencepayfip",
        ),
    ),
    "authorization": (
        _("Numéro d'autorisation (numauto)"),
        ("numauto", "numeroautorisation", "numautorisation", "nautorisation", "autorisation"),
    ),
    "numcli": (
        _("Identifiant collectivité (numcli)"),
        ("numcli", "identifiantcollectivite", "numeroclient", "numclient"),
    ),
    "means": (
        _("Moyen de paiement"),
        ("moyenpaiement", "modepaiement", "typepaiement", "moyen", "resultrans", "resultat"),
    ),
    "payer_name": (_("Payeur"), ("payeur", "nom", "nompayeur", "mel", "email")),
    "label": (_("Objet"), ("objet", "libelle")),
}
BANK: dict[str, tuple[Label, tuple[str, ...]]] = {
    "booked_on": (_("Date"), ("dateoperation", "datecomptable", "date", "datevaleur")),
    "amount": (
        _("Montant, ou crédit"),
        ("credit", "montantcredit", "montant", "crediteuros", "montanteuros"),
    ),
    "debit": (_("Débit"), ("debit", "montantdebit", "debiteuros")),
    "label": (_("Libellé"), ("libelle", "libelleoperation", "intitule", "detail", "operation")),
    "payer_name": (_("Donneur d'ordre"), ("donneurordre", "tiers", "nom", "emetteur")),
    "bank_reference": (_("Référence de la banque"), ("reference", "referencebancaire", "refbanque")),
}
FIELDS = {"journal": JOURNAL, "bank": BANK}
REQUIRED = ("booked_on", "amount")


def guess(kind: str, titles: Sequence[str]) -> dict[str, str]:
    """Field → title for the titles that are met in the field; the first of our list wins."""
    keys: dict[str, str] = {}
    for title in titles:
        keys.setdefault(key_of_header(title), title)
    found: dict[str, str] = {}
    for name, (_label, met) in FIELDS[kind].items():
        free = [keys[key] for key in met if key in keys and keys[key] not in found.values()]
        if free:
            found[name] = free[0]
    return found


def missing(kind: str, mapping: Mapping[str, object]) -> list[str]:
    """The names of the required columns that `mapping` does not give."""
    return [str(FIELDS[kind][name][0]) for name in REQUIRED if not mapping.get(name)]
