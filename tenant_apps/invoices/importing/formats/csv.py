"""CSV, as billing software and spreadsheets write it: a line of titles, then one invoice per line."""

import codecs
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.invoices.importing.format import Confidence, Format, Sample, lines_of
from tenant_apps.invoices.importing.records.kinds import REQUIRED, Record
from tenant_apps.invoices.importing.records.rules import USUAL, Reading
from tenant_apps.invoices.importing.tables.reading import read_table
from tenant_apps.invoices.importing.tables.titles import known_in
from tenant_apps.invoices.importing.tables.view import (
    ColumnsView,
    EncodingChoice,
    first_rows,
    mark_of,
    of_file,
)
from toolkit.reading.errors import FileError
from toolkit.reading.tables import TableError, encoding_of_table, rows_of, split_line
from toolkit.reading.text import Lines

DELIMITERS = (";", "\t", ",")


def recognise(head: bytes, name: str) -> Confidence:
    """By its titles. A file that no other format takes is read here, to say in words what is wrong with it."""
    text = head.removeprefix(codecs.BOM_UTF8)
    known = max((_known(text.decode(encoding, "ignore")) for encoding in ("utf-8", "cp1252")), key=len)
    if set(REQUIRED) <= set(known):
        return Confidence.CERTAIN
    return Confidence.POSSIBLE if len(known) > 1 else Confidence.LAST_RESORT


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """Read row by row. Memory grows only with the numbers and references already met. Raises FileError."""
    reading = of_file(reading, file)
    lines = Lines(file, reading.rules.encoding or encoding_of_table(file))
    try:
        yield from _rows(lines, reading)
    except TableError:
        sentence = _(
            'Le tableau ne se lit plus à la ligne %(line)d : un guillemet (") est ouvert sans être refermé, ou '
            "se trouve au milieu d'une valeur. Corrigez-le, puis déposez à nouveau le fichier."
        )
        raise FileError(sentence % {"line": lines.number}) from None
    finally:
        lines.release()


def columns(file: BinaryIO, reading: Reading) -> ColumnsView:
    """The titles, known or not, and the first rows. Raises FileError."""
    encoding = _encoding(file, reading)
    lines = Lines(file, encoding.encoding)
    try:
        header = next((line for line in lines if line.strip()), "")
        if not header:
            raise FileError(_("Le fichier des factures est vide."))
        delimiter = _likely_delimiter(header, reading)
        titles, rows = _split(header, delimiter), first_rows(rows_of(lines, delimiter))
    finally:
        lines.release()
    read = partial(read_table, too_wide=partial(_too_wide, delimiter))
    return ColumnsView(tuple(titles), rows, read, encoding, mark_of(file))


def _likely_delimiter(header: str, reading: Reading) -> str:
    """The separator of titles that nobody may know. Raises FileError when there is none."""
    best, known = _best_split(header, reading)
    if len(known) < 2:
        best = max(DELIMITERS, key=lambda sign: len(_split(header, sign)))
    if len(_split(header, best)) < 2:
        return _delimiter_of(header, reading)
    return best


def _encoding(file: BinaryIO, reading: Reading) -> EncodingChoice:
    """To be replaced by toolkit.reading.encodings, which the helper « reading » writes."""
    used = reading.rules.encoding or encoding_of_table(file)
    others = tuple(one for one in ("utf-8-sig", "cp1252", "cp850", "mac_roman", "iso8859_15") if one != used)
    file.seek(0)
    text = file.read(512 * 1024).decode(used, "ignore")
    samples: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"[^\W\d_]{3,30}", line):
            if not word.isascii() and len(samples) < 3:
                samples.setdefault(word, number)
    return EncodingChoice(used, used == "utf-8-sig" or not samples, tuple(samples.items()), others)


def _rows(lines: Lines, reading: Reading) -> Iterator[Record]:
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise FileError(_("Le fichier des factures est vide."))
    delimiter = _delimiter_of(header, reading)
    # Strict: otherwise a quote that is never closed would silently swallow the next invoices.
    rows = rows_of(lines, delimiter, strict=True)
    yield from read_table(_split(header, delimiter), rows, reading, too_wide=partial(_too_wide, delimiter))


def _split(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in split_line(line, delimiter)]


def _known(text: str) -> list[str]:
    """The fields that the first line names."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return _best_split(header)[1]


def _delimiter_of(header: str, reading: Reading) -> str:
    """The separator that splits the header into the most known columns. Raises FileError."""
    best, known = _best_split(header, reading)
    if len(known) < 2:
        raise FileError(
            _(
                "La première ligne ne donne pas les titres des colonnes séparés par « ; », une virgule ou une "
                "tabulation. Première ligne lue : « %(line)s »."
            )
            % {"line": header.strip()[:120]}
        )
    return best


def _best_split(header: str, reading: Reading = USUAL) -> tuple[str, list[str]]:
    """The separator that gives the most known fields, and those fields."""
    found = ((sign, known_in(_split(header, sign), reading.rules.columns)) for sign in DELIMITERS)
    return max(found, key=lambda pair: len(pair[1]))


def _too_wide(delimiter: str, surplus: list[str]) -> str:
    """A decimal comma without quotes, in a file separated by commas, shifts the row and may leave its end empty."""
    if not any(cell.strip() for cell in surplus) and delimiter != ",":
        return ""
    sign = _("une tabulation") if delimiter == "\t" else f"« {delimiter} »"
    return _(
        "La ligne a plus de valeurs que de titres : si une valeur contient %(sign)s, mettez-la entre guillemets."
    ) % {"sign": sign}


# Invented people; the six required columns and the most useful others.
_SAMPLE = (
    "Numéro;Date;Échéance;Montant;Objet;Exercice;Code redevable;Civilité;Nom;Prénom;Adresse;CP;Ville;E-mail\r\n"
    "2026-001-000001;01/10/2026;31/10/2026;37,50;Cantine de septembre;2026;F0001;Mme;MARTIN;Alice;"
    "1 place de la Mairie;31320;PECHABOU;alice.martin@example.org\r\n"
    "2026-001-000002;01/10/2026;31/10/2026;12,00;Garderie de septembre;2026;F0002;M.;DURAND;Paul;"
    "3 rue des Écoles;31320;PECHABOU;paul.durand@example.org\r\n"
)

FORMAT = Format(
    name="csv",
    label="CSV",
    help=(
        gettext_lazy(
            "Un fichier <strong>CSV</strong> tiré de votre logiciel de facturation : une ligne par facture, les "
            "titres des colonnes sur la première ligne."
        ),
        gettext_lazy(
            "Colonnes nécessaires : <strong>Numéro, Date, Échéance, Montant, Objet, Code redevable</strong>."
        ),
        gettext_lazy(
            "Colonnes utiles : Nom, Prénom, E-mail (pour prévenir l'usager et lui ouvrir son compte), Adresse, CP, "
            "Ville, Régie, Exercice, Référence TIPI, Fichier PDF."
        ),
        gettext_lazy(
            "Dates comme 30/10/2026, montants comme 37,50. Les colonnes peuvent être séparées par des "
            "points-virgules, des virgules ou des tabulations."
        ),
    ),
    extensions=(".csv", ".txt"),
    media_types=("text/csv",),
    recognise=recognise,
    read=read,
    columns=columns,
    rough_rows=lambda file: max(lines_of(file) - 1, 1),
    sample=Sample(("\ufeff" + _SAMPLE).encode(), "text/csv; charset=utf-8"),
)
