"""The headers met in billing exports → our fields."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from toolkit.reading.errors import FileError
from toolkit.reading.tables import key_of_title, split_line

# Field → its name on the screen, and the headers met in the exports as `key_of_title` writes them;
# when a file has several, the first of this list is the one that is read.
COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "number": (
        "Numéro",
        (
            *("numero", "numerofacture", "numfacture", "nfacture", "nofacture", "facturen", "facture"),
            *("numerotitre", "ntitre", "n"),
        ),
    ),
    "issued_on": ("Date", ("date", "datefacture", "datefact", "dateemission", "datefacturation")),
    "due_on": (
        "Échéance",
        ("echeance", "dateecheance", "datech", "datelimite", "datelimitepaiement", "dateecheancefacture"),
    ),
    "amount": (
        "Montant",
        (
            *("netapayer", "nap", "montantapayer", "montantttc", "ttc", "montanttotal", "montant"),
            *("montanteuros", "montantfacture", "total"),
        ),
    ),
    "subject": ("Objet", ("objet", "libelle", "designation", "intitule")),
    "fiscal_year": ("Exercice", ("exercice", "exer", "annee")),
    "reference": (
        "Référence TIPI",
        ("referencetipi", "reftipi", "refdet", "referencepayfip", "referencepaiement"),
    ),
    "payer": (
        "Code redevable",
        (
            *("coderedevable", "numeroredevable", "nredevable", "referenceredevable", "redevable"),
            *("codefamille", "numerofamille", "nfamille", "codeclient", "numeroclient", "famille", "client"),
        ),
    ),
    "title": ("Civilité", ("civilite", "titre")),
    "last_name": ("Nom", ("nom", "nomredevable", "nomfamille", "raisonsociale")),
    "first_name": ("Prénom", ("prenom", "prenomredevable")),
    "address1": ("Adresse", ("adresse", "adresse1", "rue")),
    "address2": ("Adresse (suite)", ("adresse2", "complement", "complementadresse")),
    "postcode": ("CP", ("cp", "codepostal")),
    "city": ("Ville", ("ville", "commune")),
    "email": ("E-mail", ("email", "emails", "mail", "courriel", "adressemail", "adresseemail")),
    "product": ("Régie", ("regie", "coderegie", "budget", "codebudget", "regiebudget", "produit")),
    "document": ("Fichier PDF", ("fichierpdf", "pdf", "nomfichier", "nompdf", "fichier", "document")),
}
REQUIRED = ("number", "issued_on", "due_on", "amount", "subject", "payer")
DELIMITERS = (";", "\t", ",")
_RANK = {
    header: (name, rank) for name, (_label, names) in COLUMNS.items() for rank, header in enumerate(names)
}


@dataclass(frozen=True)
class Columns:
    """Where each field stands, the titles in their order, and what was doubtful, in sentences."""

    places: dict[str, int]
    titles: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many columns have a title."""
        return len(self.titles)

    def title_of(self, name: str) -> str:
        """The title of the column that is read for a field."""
        return self.titles[self.places[name]]


def split(line: str, delimiter: str) -> list[str]:
    """The titles of a header line."""
    return [cell.strip().strip('"').strip() for cell in split_line(line, delimiter)]


def delimiter_of(header: str) -> str:
    """The sign that splits the header into the most known columns. Raises FileError."""
    known = {sign: sum(key_of_title(cell) in _RANK for cell in split(header, sign)) for sign in DELIMITERS}
    best = max(known, key=lambda sign: known[sign])
    if known[best] < 2:
        raise FileError(
            _(
                "La première ligne ne donne pas les titres des colonnes séparés par « ; », une virgule ou une "
                "tabulation. Première ligne lue : « %(line)s »."
            )
            % {"line": header.strip()[:120]}
        )
    return best


def find_columns(header: list[str]) -> Columns:
    """Raises FileError naming what is missing and what was found."""
    met: dict[str, list[tuple[int, int]]] = {}
    for index, cell in enumerate(header):
        if (found := _RANK.get(key_of_title(cell))) is not None:
            name, rank = found
            met.setdefault(name, []).append((rank, index))
    missing = [COLUMNS[name][0] for name in REQUIRED if name not in met]
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
                "label": COLUMNS[name][0],
                "titles": ", ".join(f"« {header[index]} »" for _rank, index in sorted(candidates)),
                "used": header[min(candidates)[1]],
            }


# Each may change what is owed or who pays; a file that has one expects that it is read.
_MONEY = (
    *(
        "solde",
        "soldeactuel",
        "reste",
        "resteapayer",
        "restedu",
        "regle",
        "dejaregle",
        "montantregle",
        "acompte",
    ),
    *("preleve", "prelevement", "prelevementautomatique", "annulee", "annule", "avoir"),
)


def _unread(header: list[str]) -> Iterator[str]:
    """The columns that nothing reads, by name, and first those of them that say something of the money."""
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
