"""For formats that are tables: the titles in billing exports → our fields."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records.kinds import LABELS, OF_PAYER, REQUIRED, REQUIRED_OF_PDF
from tenant_apps.invoices.importing.records.rules import USUAL, Reading, Rules
from tenant_apps.invoices.importing.tables.money import KIND_OF_MONEY
from toolkit.reading import fields
from toolkit.reading.errors import FileError
from toolkit.reading.tables import key_of_title

INVOICES, PEOPLE, PDFS = "invoices", "people", "pdfs"  # what the rows of a table give

# Field → the titles in exports, as `key_of_title` writes them. When a file has several, the first of this list is
# read.
TITLES = {
    "number": (
        "numero numerofacture numfacture nfacture nofacture facturen factureno facture numerotitre ntitre "
        "numtitre n no num numfact reffacture referencefacture factureid"
    ),
    "issued_on": "date datefacture datefact dateemission datefacturation dtemi dtemission dtfact emission",
    "due_on": (
        "echeance dateecheance datech dtech dtecheance datelimite datelimitepaiement dateecheancefacture "
        "datelimitereglement apayeravant"
    ),
    "amount": (
        "netapayer nap montantapayer montantttc mtttc mtttl ttc totalttc montanttotal montant mt montanteuros "
        "montantfacture total"
    ),
    "subject": "objet libelle lib designation intitule",
    "fiscal_year": "exercice exer annee",
    "reference": "referencetipi reftipi refdet referencepayfip referencepaiement",
    "payer": (
        "coderedevable numeroredevable nredevable referenceredevable redevable codefamille numerofamille "
        "nfamille codeclient numeroclient codered codetiers numtiers numpers nopers numcontrat famille client"
    ),
    "title": "civilite titre",
    "last_name": "nom nomredevable nomfamille nompers nomtiers raisonsociale",
    "first_name": "prenom prenomredevable",
    "address1": "adresse adresse1 rue",
    "address2": "adresse2 complement complementadresse",
    "postcode": "cp codepostal",
    "city": "ville commune",
    "email": "email emails mail mails mel courriel adressemail adresseemail adressemel adressecourriel",
    "product": "regie coderegie budget codebudget regiebudget produit",
    "debit_on": "dateprelevement",
    "document": "fichierpdf pdf nomfichier nompdf fichier document",
}
_RANK = {title: (name, rank) for name, titles in TITLES.items() for rank, title in enumerate(titles.split())}


@dataclass(frozen=True)
class Columns:
    """What the rows of a table give: the place of each field, the titles in order, and doubts, in sentences.

    `gives`: INVOICES, PEOPLE (nobody is billed) or PDFS (each for an invoice that the town has).
    """

    places: dict[str, int]
    titles: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    gives: str = INVOICES

    @property
    def width(self) -> int:
        """The number of columns that have a title."""
        return len(self.titles)

    def title_of(self, name: str) -> str:
        """The title of the column that is read for a field; the label of the field when no column is."""
        return self.titles[self.places[name]] if name in self.places else LABELS[name]

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Field → the text of its cell, for `Rows.make`. A row cut short says nothing about its later fields."""
        names, last, get = self._whole
        if len(row) > last:
            cells = get(row)
            if any('="' in cell for cell in cells):
                cells = tuple(map(fields.meant, cells))
            return dict(zip(names, cells, strict=True))
        found = {name: fields.meant(row[at]) for name, at in self.places.items() if at < len(row)}
        if len(found) < len(self.places):
            return dict.fromkeys(self.places.keys() - OF_PAYER, "") | found
        return found

    @cached_property
    def _whole(self) -> tuple[tuple[str, ...], int, Callable[[Sequence[str]], tuple[str, ...]]]:
        """The fields, the last of their places, and what takes all their cells at once."""
        places = tuple(self.places.values())
        if len(places) == 1:
            return tuple(self.places), places[0], lambda row: (row[places[0]],)
        return tuple(self.places), max(places), itemgetter(*places)


def keys_of(header: Sequence[str]) -> list[str]:
    """The key of each column for `Rules.columns`: its title without accents, case or punctuation.

    A title that comes again has its rank behind a #, a column without title its place: « nom », « nom#2 », « #3 ».
    """
    keys: list[str] = []
    met: dict[str, int] = {}
    for place, title in enumerate(header, 1):
        key = key_of_title(title)
        met[key] = met.get(key, 0) + 1
        keys.append(f"{key}#{met[key] if key else place}" if not key or met[key] > 1 else key)
    return keys


def known_in(titles: Sequence[str], columns: Mapping[str, str] | None = None) -> list[str]:
    """The fields that these titles name, one per known title. `columns`: those that a source knows besides."""
    known = []
    for key in keys_of(titles):
        if columns and key in columns and not key.startswith("#"):
            known.append(columns[key])
        elif (guessed := _RANK.get(key.partition("#")[0])) is not None:
            known.append(guessed[0])
    return known


def find_columns(header: list[str], reading: Reading = USUAL) -> Columns:
    """Find the columns, by the rules of the source before the guessed titles.

    Raises FileError, which names what is missing and what was found.
    """
    met = _met(header, reading.rules)
    gives = _gives(header, met.keys(), reading.rules)
    missing = [LABELS[name] for name in missing_of(met.keys(), gives, reading)]
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
    doubts = (*_doubts(header, met), *_unread(header, met, reading.rules))
    return Columns(places, tuple(header), doubts, gives)


def guessed_columns(header: Sequence[str], rules: Rules) -> dict[int, str]:
    """Place → field of the columns that would be read, complete or not."""
    return {min(candidates)[1]: name for name, candidates in _met(header, rules).items()}


def kind_of_table(header: Sequence[str], rules: Rules) -> str:
    """INVOICES, PEOPLE or PDFS: what the rows under these titles give."""
    return _gives(header, _met(header, rules).keys(), rules)


def missing_of(found: Collection[str], gives: str, reading: Reading) -> list[str]:
    """The fields without which such a table cannot be read, and that neither its columns nor the rules give."""
    required = {INVOICES: REQUIRED, PDFS: REQUIRED_OF_PDF, PEOPLE: ("payer",)}[gives]
    missing = [name for name in required if name not in found and not reading.fills(name)]
    if reading.rules.by_name and "last_name" in found:
        return [name for name in missing if name != "payer"]
    return missing


def _met(header: Sequence[str], rules: Rules) -> dict[str, list[tuple[int, int]]]:
    """Field → (rank, place) of each column that may give it. What the source says has no rival."""
    said: dict[str, list[tuple[int, int]]] = {}
    guessed: dict[str, list[tuple[int, int]]] = {}
    for place, key in enumerate(keys_of(header)):
        if key in rules.columns:
            if name := rules.columns[key]:
                said.setdefault(name, []).append((0, place))
        elif (found := _RANK.get(key.partition("#")[0])) is not None:
            name, rank = found
            guessed.setdefault(name, []).append((rank, place))
    return {**guessed, **said}


# What only invoices have. A file that gives none of it may be about people, or about PDFs.
_OF_INVOICES = frozenset(
    {"number", "issued_on", "due_on", "amount", "subject", "fiscal_year", "reference", "debit_on"}
)
_OF_PDFS = frozenset({"number", "document", "fiscal_year", "product"})


def _gives(header: Sequence[str], found: Collection[str], rules: Rules) -> str:
    """As `kind_of_table`. A title that nobody knows may be an amount: then these are invoices, until somebody says
    that this column is not read.
    """
    for key in _titled(header):
        bare = key.partition("#")[0]
        if key not in rules.columns and bare not in _RANK and bare not in KIND_OF_MONEY:
            return INVOICES
    fields_found = set(found)
    if {"number", "document"} <= fields_found <= _OF_PDFS:
        return PDFS
    someone = "payer" in fields_found or (rules.by_name and "last_name" in fields_found)
    if someone and fields_found & OF_PAYER and not fields_found & (_OF_INVOICES | {"document"}):
        return PEOPLE
    return INVOICES


def _titled(header: Sequence[str]) -> list[str]:
    return [key for key, title in zip(keys_of(header), header, strict=True) if title.strip()]


def _doubts(header: list[str], met: dict[str, list[tuple[int, int]]]) -> Iterator[str]:
    for name, candidates in met.items():
        if len(candidates) > 1:
            sentence = _(
                "Plusieurs colonnes donnent « %(label)s » : %(titles)s. C'est « %(used)s » qui est lue."
            )
            yield sentence % {
                "label": LABELS[name],
                "titles": ", ".join(
                    f"« {_with_place(header, index)} »" for _rank, index in sorted(candidates)
                ),
                "used": _with_place(header, min(candidates)[1]),
            }


def _with_place(header: list[str], index: int) -> str:
    """The title, with its place when another column has it too: « Nom (8e colonne) »."""
    if header.count(header[index]) == 1:
        return header[index]
    first = _("%(title)s (1re colonne)") % {"title": header[index]}
    return first if index == 0 else _("%(title)s (%(n)de colonne)") % {"title": header[index], "n": index + 1}


def _unread(header: list[str], met: dict[str, list[tuple[int, int]]], rules: Rules) -> Iterator[str]:
    """A sentence about the columns that nobody has said not to read. Those about money are read (tables.money)."""
    known = {place for candidates in met.values() for _rank, place in candidates}
    rest = [
        cell
        for place, (key, cell) in enumerate(zip(keys_of(header), header, strict=True))
        if cell
        and place not in known
        and key not in rules.columns
        and key_of_title(cell) not in KIND_OF_MONEY
    ]
    if rest:
        yield ngettext(
            "La colonne %(titles)s n'est pas lue.", "Les colonnes %(titles)s ne sont pas lues.", len(rest)
        ) % {"titles": ", ".join(f"« {cell[:40]} »" for cell in rest[:12])}
