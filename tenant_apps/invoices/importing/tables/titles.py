"""For formats that are tables: the titles in billing exports → our fields."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records.kinds import LABELS, OF_PAYER, REQUIRED
from toolkit.reading import fields
from toolkit.reading.errors import FileError
from toolkit.reading.tables import key_of_title

# Field → the titles in exports, as `key_of_title` writes them. When a file has several, the first of this list is
# read.
TITLES = {
    "number": "numero numerofacture numfacture nfacture nofacture facturen facture numerotitre ntitre n",
    "issued_on": "date datefacture datefact dateemission datefacturation",
    "due_on": "echeance dateecheance datech datelimite datelimitepaiement dateecheancefacture",
    "amount": (
        "netapayer nap montantapayer montantttc ttc montanttotal montant montanteuros montantfacture total"
    ),
    "subject": "objet libelle designation intitule",
    "fiscal_year": "exercice exer annee",
    "reference": "referencetipi reftipi refdet referencepayfip referencepaiement",
    "payer": (
        "coderedevable numeroredevable nredevable referenceredevable redevable codefamille numerofamille "
        "nfamille codeclient numeroclient famille client"
    ),
    "title": "civilite titre",
    "last_name": "nom nomredevable nomfamille raisonsociale",
    "first_name": "prenom prenomredevable",
    "address1": "adresse adresse1 rue",
    "address2": "adresse2 complement complementadresse",
    "postcode": "cp codepostal",
    "city": "ville commune",
    "email": "email emails mail courriel adressemail adresseemail",
    "product": "regie coderegie budget codebudget regiebudget produit",
    "debit_on": "dateprelevement",
    "document": "fichierpdf pdf nomfichier nompdf fichier document",
}
_RANK = {title: (name, rank) for name, titles in TITLES.items() for rank, title in enumerate(titles.split())}


@dataclass(frozen=True)
class Columns:
    """The place of each field, the titles in order, and what was doubtful, in sentences."""

    places: dict[str, int]
    titles: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of columns that have a title."""
        return len(self.titles)

    def title_of(self, name: str) -> str:
        """The title of the column that is read for a field."""
        return self.titles[self.places[name]]

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Field → the text of its cell, for `Rows.make`. A row cut short says nothing about its later fields."""
        found = {name: fields.meant(row[at]) for name, at in self.places.items() if at < len(row)}
        if len(found) < len(self.places):
            return dict.fromkeys(self.places.keys() - OF_PAYER, "") | found
        return found


def known_in(titles: Iterable[str]) -> list[str]:
    """The fields that these titles name, one per known title."""
    return [_RANK[key][0] for title in titles if (key := key_of_title(title)) in _RANK]


def find_columns(header: list[str]) -> Columns:
    """Find the columns. Raises FileError, which names what is missing and what was found."""
    met: dict[str, list[tuple[int, int]]] = {}
    for index, cell in enumerate(header):
        if (found := _RANK.get(key_of_title(cell))) is not None:
            name, rank = found
            met.setdefault(name, []).append((rank, index))
    missing = [LABELS[name] for name in REQUIRED if name not in met]
    if missing:
        titles = ", ".join(cell for cell in header if cell)[:300] or _("aucune")
        labels = ", ".join(f"« {label} »" for label in missing)
        sentence = ngettext(
            "Il manque la colonne %(missing)s. Colonnes trouvées : %(found)s.",
            "Il manque les colonnes %(missing)s. Colonnes trouvées : %(found)s.",
            len(missing),
        )
        raise FileError(sentence % {"missing": labels, "found": titles})
    places = {name: min(candidates)[1] for name, candidates in met.items()}
    return Columns(places, tuple(header), (*_doubts(header, met), *_unread(header)))


def _doubts(header: list[str], met: dict[str, list[tuple[int, int]]]) -> Iterator[str]:
    for name, candidates in met.items():
        if len(candidates) > 1:
            sentence = _(
                "Plusieurs colonnes donnent « %(label)s » : %(titles)s. C'est « %(used)s » qui est lue."
            )
            yield sentence % {
                "label": LABELS[name],
                "titles": ", ".join(f"« {header[index]} »" for _rank, index in sorted(candidates)),
                "used": header[min(candidates)[1]],
            }


# Each may change what is owed or who pays: whoever sends it expects that it is read.
_OF_MONEY = (
    "solde soldeactuel reste resteapayer restedu regle dejaregle montantregle acompte preleve prelevement "
    "prelevementautomatique annulee annule avoir"
)
_MONEY = frozenset(_OF_MONEY.split())


def _unread(header: list[str]) -> Iterator[str]:
    """A sentence about the columns that are not read; those about money first."""
    others = [cell for cell in header if cell and key_of_title(cell) not in _RANK]
    money = [cell for cell in others if key_of_title(cell) in _MONEY]
    if money:
        yield ngettext(
            "La colonne %(titles)s n'est pas lue : le montant entier de chaque facture serait demandé. Vérifiez que "
            "c'est bien ce qui reste dû.",
            "Les colonnes %(titles)s ne sont pas lues : le montant entier de chaque facture serait demandé. Vérifiez "
            "que c'est bien ce qui reste dû.",
            len(money),
        ) % {"titles": ", ".join(f"« {cell[:40]} »" for cell in money[:12])}
    if rest := [cell for cell in others if cell not in money]:
        yield ngettext(
            "La colonne %(titles)s n'est pas lue.", "Les colonnes %(titles)s ne sont pas lues.", len(rest)
        ) % {"titles": ", ".join(f"« {cell[:40]} »" for cell in rest[:12])}
