"""The columns of a list of towns: their titles, and how one cell of each is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tenants.current import REGISTRY
from toolkit import emails
from toolkit.reading import fields
from toolkit.reading.errors import FieldError
from toolkit.reading.tables import key_of_title


@dataclass(frozen=True)
class Column:
    """A field of `opening.NewTown`, its title in our own words, other titles that are understood, how a cell is read.

    `titles` are as `key_of_title` writes them. `read(text)` raises FieldError.
    """

    field: str
    label: str
    titles: str
    read: Callable[[str], str]


def _name(raw: str) -> str:
    return fields.text(raw, longest=120, required=True)


def _slug(raw: str) -> str:
    return fields.text(raw, longest=240, required=True)


def _siren(raw: str) -> str:
    return fields.identifier(raw).replace(" ", "")


def _insee(raw: str) -> str:
    code = fields.identifier(raw).replace(" ", "").upper()
    if re.fullmatch("[0-9]{4}", code):
        raise FieldError(
            f"n'a que quatre chiffres, « {code} » : le tableur a ôté le zéro du début. Mettez cette colonne au "
            f"format « Texte », puis écrivez 0{code}."
        )
    return code


def _email(raw: str) -> str:
    typed = fields.text(raw, longest=300)
    try:
        return emails.normalise(typed) if typed else ""
    except emails.BadAddress as error:
        raise FieldError(f"contient « {typed} ». {error}") from None


COLUMNS = (
    Column("slug", "Adresse", "adresse slug adresseportail sousdomaine", _slug),
    Column("name", "Nom", "nom commune nomcommune", _name),
    Column(
        "legal_name",
        "Nom officiel",
        "nomofficiel nomlegal nomofficielcommune",
        lambda raw: fields.text(raw, longest=160),
    ),
    Column("siren", "SIREN", "siren numerosiren nsiren", _siren),
    Column("insee", "INSEE", "insee codeinsee codecommune", _insee),
    Column(
        "contact_email",
        "Adresse de contact",
        "adressecontact contact emailcontact courrielcontact adresseservice adresseservicefacturation",
        _email,
    ),
    Column(
        "manager",
        "Responsable",
        "responsable premierresponsable responsableemail emailresponsable courrielresponsable adresseresponsable",
        _email,
    ),
    Column(
        "regie", "Régie", "regie nomregie libelleregie regielibelle", lambda raw: fields.text(raw, longest=80)
    ),
    Column(
        "number",
        "Numcli",
        "numcli numeroclient identifiantcollectivite identifiantcollectivitenumcli",
        lambda raw: fields.identifier(raw).replace(" ", ""),
    ),
    Column("shard", "Base", "base basedonnees", lambda raw: fields.text(raw, longest=40) or REGISTRY),
)
BY_FIELD = {column.field: column for column in COLUMNS}
REQUIRED = ("slug", "name")
_BY_TITLE = {title: column for column in COLUMNS for title in column.titles.split()}


def column_of(title: str) -> Column | None:
    """The column that a title stands for; None for an unknown title."""
    return _BY_TITLE.get(key_of_title(title))
