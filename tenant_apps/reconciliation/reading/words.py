"""What a cell says about money: paid or not, in or out. Only words known to mean « paid » count as money."""

import re
from collections.abc import Iterable
from enum import StrEnum

from toolkit.reading.fields import fold, without_accents


class Said(StrEnum):
    """What the state of a row means for the money."""

    PAID = "paid"
    NOT_PAID = "not_paid"  # no money came, or not yet
    RETURNED = "returned"  # the money came and was taken back
    UNKNOWN = "unknown"


def _forms(*words: str) -> frozenset[str]:
    """A word, its feminine and its plurals: paye, payee, payes, payees."""
    return frozenset(word + end for word in words for end in ("", "e", "s", "es"))


_CODES = {"p": Said.PAID, "v": Said.PAID, "r": Said.NOT_PAID, "z": Said.NOT_PAID, "a": Said.NOT_PAID}
_CANCELLED = _forms("annule") | {"annulation", "cancelled", "canceled"}
_WORDS: dict[Said, frozenset[str]] = {
    Said.PAID: _forms(
        *("paye", "regle", "accepte", "valide", "encaisse", "effectue", "confirme", "execute", "acquitte"),
        *("comptabilise", "credite", "realise", "reussi", "abouti", "honore"),
    )
    | {"ok", "succes", "reussite", "paid", "success", "successful", "succeeded"},
    Said.NOT_PAID: _forms(
        "abandonne", "refuse", "echoue", "expire", "interrompu", "suspendu", "initie", "cree"
    )
    | _CANCELLED
    | {"refus", "abandon", "echec", "attente", "cours", "expiration", "erreur", "failed", "refused"}
    | {"abandoned", "pending", "declined", "timeout", "expired"},
    Said.RETURNED: _forms(
        "impaye", "rejete", "rembourse", "conteste", "retourne", "extourne", "repris", "recredite"
    )
    | {"rejet", "remboursement", "contestation", "retour", "chargeback", "opposition", "litige", "refund"}
    | {"refunded", "reversal", "reversed", "returned", "contrepassation", "contrepasse", "contrepassee"},
}
_NOT = frozenset({"non", "pas", "not", "jamais", "aucun"})
_NEUTRAL = frozenset(
    (
        *("paiement", "paiements", "par", "en", "ligne", "carte", "cartes", "bancaire", "bancaires", "cb"),
        *(
            "prelevement",
            "prelevements",
            "prlv",
            "sepa",
            "virement",
            "transaction",
            "operation",
            "le",
            "la",
            "les",
        ),
        *("l", "de", "du", "des", "d", "un", "une", "est", "a", "ete"),
        *("reglement", "tresor", "public", "internet", "payfip", "tipi", "statut", "etat"),
    )
)


def said_of(text: str) -> Said:
    """The meaning of a cell of states. UNKNOWN for an unknown word, or an empty cell."""
    if code := _CODES.get(fold(text)):
        return code
    words = [word for word in _words(text) if word not in _NEUTRAL]
    kinds = {kind for word in words for kind, known in _WORDS.items() if word in known}
    strange = [word for word in words if word not in _NOT and not any(word in w for w in _WORDS.values())]
    if _NOT & set(words):
        return Said.NOT_PAID if kinds == {Said.PAID} and not strange else Said.UNKNOWN
    if Said.RETURNED in kinds:
        return Said.RETURNED
    if kinds == {Said.NOT_PAID}:
        return Said.NOT_PAID
    return Said.PAID if kinds == {Said.PAID} and not strange else Said.UNKNOWN


def is_cancelled(text: str) -> bool:
    """Whether it says « annulé », which may be before or after the payment. The caller looks at our payments."""
    return bool(_CANCELLED & set(_words(text)))


def is_alarming(text: str) -> bool:
    """Whether it contains a whole word for « not paid » or « taken back ». Used on columns that are not read."""
    return len(text) >= 5 and said_of(text) in (Said.NOT_PAID, Said.RETURNED)


_IN = frozenset(
    (
        *("c", "cr", "crdt", "credit", "crediteur", "creditrice"),
        *("entree", "recette", "encaissement", "recu", "in"),
    )
)
_OUT = frozenset(
    (
        *("d", "db", "dr", "dbit", "debit", "debiteur"),
        *("debitrice", "sortie", "depense", "decaissement", "emis", "out"),
    )
)


def is_outgoing(text: str) -> bool | None:
    """The direction: True when the money left the account, False when it came, None for an unknown word."""
    sign, word = text.strip(), fold(text)
    if sign == "+" or word in _IN:
        return False
    return True if sign in ("-", "−", "–") or word in _OUT else None


def are_directions(cells: Iterable[str]) -> bool:
    """Whether all cells are directions, and there is at least one."""
    found = [cell for cell in cells if cell.strip()]
    return bool(found) and all(is_outgoing(cell) is not None for cell in found)


def are_states(cells: Iterable[str]) -> bool:
    """Whether all cells are states that we know, in whole words."""
    found = [cell for cell in cells if cell.strip()]
    return bool(found) and all(len(cell) > 2 and said_of(cell) != Said.UNKNOWN for cell in found)


# --- the bank's labels ----------------------------------------------------------------------------

_RETURNS = re.compile(
    r"\b(REJET|REJETEE?|IMPAYEE?S?|RETOURN?E?|CHARGEBACK|CONTESTATION|EXTOURNE|CONTRE ?PASSATION|REPRISE)\b"
)
_FEES = re.compile(r"^\W*(FRAIS|COMMISSIONS?|COTISATION|AGIOS|INTERETS)\b")


def plain(text: str) -> str:
    """Capitals without accents, as banks write."""
    return without_accents(text).upper()


def speaks_of_return(label: str) -> bool:
    """Whether the label is about money that comes back unpaid. The bank's fee for it does not count."""
    words = plain(label)
    return bool(_RETURNS.search(words)) and not _FEES.search(words)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", plain(text).lower()) if word]
