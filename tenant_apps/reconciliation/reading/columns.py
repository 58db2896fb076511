"""The columns of a journal or a statement: which fields are read, and the titles that real files give them."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenant_apps.reconciliation.reading.words import are_directions, are_states
from toolkit.reading.tables import key_of_title

CENTS = "_cents"  # key in a mapping: amounts are whole cents
Label = str | Promise

_STATES = (
    *(
        "resultrans",
        "resultat",
        "etat",
        "statut",
        "status",
        "etatpaiement",
        "statutpaiement",
        "etatoperation",
    ),
    *("statutoperation", "etattransaction", "statuttransaction", "resultatpaiement", "situation", "codeetat"),
)
_DIRECTIONS = (
    *("sens", "sensoperation", "sensecriture", "debitcredit", "creditdebit", "dc", "cd", "codesens", "signe"),
    *("typemouvement", "sensmouvement"),
)
# Field → (its name on the screen, the titles of real files as `key_of_title` writes them)
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
        ("moyenpaiement", "modepaiement", "typepaiement", "moyen", "mode"),
    ),
    "state": (_("État du paiement (payé, refusé…)"), _STATES),
    "direction": (_("Sens (crédit ou débit)"), _DIRECTIONS),
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
    "direction": (_("Sens (crédit ou débit)"), _DIRECTIONS),
    "label": (_("Libellé"), ("libelle", "libelleoperation", "intitule", "detail", "operation")),
    "payer_name": (_("Donneur d'ordre"), ("donneurordre", "tiers", "nom", "emetteur")),
    "bank_reference": (_("Référence de la banque"), ("reference", "referencebancaire", "refbanque")),
    "account": (_("Compte"), ("compte", "numerocompte", "ncompte", "iban", "rib")),
}
FIELDS: dict[str, dict[str, tuple[Label, tuple[str, ...]]]] = {"journal": JOURNAL, "bank": BANK, "pes": {}}
REQUIRED = ("booked_on", "amount")


def guess(kind: str, titles: Sequence[str], samples: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """Field → title, for the titles that we know. When two titles fit, the first of our list wins.

    Columns of directions and of states are also recognised by their first cells (`samples`, rows).
    """
    keys: dict[str, str] = {}
    for title in titles:
        keys.setdefault(key_of_title(title), title)
    found: dict[str, str] = {}
    for name, (_label, met) in FIELDS[kind].items():
        free = [keys[key] for key in met if key in keys and keys[key] not in found.values()]
        if free:
            found[name] = free[0]
    for name, recognise in (("direction", are_directions), ("state", are_states)):
        if name not in FIELDS[kind] or name in found or (name == "direction" and "debit" in found):
            continue
        for place, title in enumerate(titles):
            if title not in found.values() and recognise(row[place] for row in samples if place < len(row)):
                found[name] = title
                break
    return found


def missing(kind: str, mapping: Mapping[str, object]) -> list[str]:
    """The names of the required columns that `mapping` does not give."""
    return [str(FIELDS[kind][name][0]) for name in REQUIRED if not mapping.get(name)]
