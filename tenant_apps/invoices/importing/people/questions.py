"""What an import asks about payers, and what it changes, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.models import PayerUpdate
from tenant_apps.invoices.states import Asked

_LABELS = {
    "title": gettext_lazy("Civilité"),
    "last_name": gettext_lazy("Nom"),
    "first_name": gettext_lazy("Prénom"),
    "address": gettext_lazy("Adresse"),
    "postcode": gettext_lazy("Code postal"),
    "city": gettext_lazy("Ville"),
    "emails": gettext_lazy("Adresses e-mail"),
}


@dataclass(frozen=True)
class Change:
    """One difference: its name, the town's value and the file's value ("" for none)."""

    label: str
    old: str
    new: str


def changes_of(update: PayerUpdate) -> list[Change]:
    """Old → new, only what differs; empty for a new payer."""
    return [
        Change(str(label), _shown(update.was[name]), _shown(update.said[name]))
        for name, label in _LABELS.items()
        if name in update.was and _shown(update.was[name]) != _shown(update.said.get(name))
    ]


def name_in(said: dict[str, Any]) -> str:
    """`Mme Jeanne MARTIN`; "" when the file gives no name."""
    return " ".join(filter(None, [said.get("title"), said.get("first_name"), said.get("last_name")]))


def place_in(said: dict[str, Any]) -> str:
    """The postal address and the e-mail addresses, on one line."""
    town = " ".join(filter(None, [said.get("postcode"), said.get("city")]))
    lines = (said.get("address") or "").split("\n")
    return ", ".join(filter(None, [*lines, town, *(said.get("emails") or [])]))


def sentences(update: PayerUpdate) -> list[str]:
    """Why a person must look at it: one French sentence per reason."""
    return list(_sentences(update))


def _sentences(update: PayerUpdate) -> Iterator[str]:
    words = {"line": update.line, "code": update.payer.reference}
    for reason in update.reasons:
        if reason["why"] == "looks" and reason.get("by_name"):
            yield _(
                "Ligne %(line)d : « %(code)s » ne diffère de « %(other)s » que par les accents ou la ponctuation. "
                "Est-ce la même famille ?"
            ) % {**words, "other": reason["code"]}
        elif reason["why"] in ("twice", "again"):
            yield _of_one_name(update, reason)
        elif reason["why"] == "looks":
            yield _(
                "Ligne %(line)d : le code « %(code)s » est nouveau, mais il ressemble au code « %(other)s » : un "
                "tableur change ainsi les zéros du début ou les majuscules."
            ) % {**words, "other": reason["code"]}
        elif reason["why"] == "name":
            new = reason["new"] or _("aucun nom")
            yield _(
                "Ligne %(line)d : le code « %(code)s » est celui de %(old)s ; le fichier le donne à %(new)s."
            ) % {**words, "code": _known(update), "old": reason["old"], "new": new}
        elif reason["why"] == "person":
            yield _(
                "Ligne %(line)d : le code « %(code)s » est celui de %(old)s ; le fichier le donne à %(new)s, avec une "
                "autre adresse."
            ) % {**words, "code": _known(update), "old": reason["old"], "new": reason["new"]}
        elif reason["why"] == "lines":
            first, second = reason["lines"]
            one, other = reason["values"]
            label = LABELS[reason["field"]]
            sentence = _(
                "Lignes %(first)d et %(second)d : le même code « %(code)s », mais « %(label)s » diffère (%(one)s ; "
                "%(other)s)."
            )
            yield sentence % {
                **{"first": first, "second": second, "code": update.payer.reference, "label": label},
                **{"one": one[:120], "other": other[:120]},
            }


def _of_one_name(update: PayerUpdate, reason: dict[str, Any]) -> str:
    """Why invoices of one name may be of two families (decision 75)."""
    words = {"name": update.payer.reference, "day": reason["day"], "subject": reason["subject"]}
    if reason["why"] == "twice":
        first, second = reason["lines"]
        sentence = _(
            "Lignes %(first)d et %(second)d : deux factures du %(day)s, « %(subject)s », au nom de « %(name)s ». Si "
            "ce sont deux familles du même nom, chacune verrait les factures de l'autre."
        )
        return sentence % {**words, "first": first, "second": second}
    sentence = _(
        "Ligne %(line)d : « %(name)s » a déjà la facture n° %(number)s du %(day)s, « %(subject)s ». Si ce sont deux "
        "familles du même nom, chacune verrait les factures de l'autre."
    )
    return sentence % {**words, "line": reason["line"], "number": reason["number"]}


def _known(update: PayerUpdate) -> str:
    like = update.looks_like
    return like.reference if like is not None and update.asks == Asked.CODE else update.payer.reference


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(sorted(value))
    return ", ".join(line for line in (value or "").split("\n") if line)
