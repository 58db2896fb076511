"""CSV, as billing software and spreadsheets write it: a line of titles, then one invoice per line."""

import codecs
import io
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenant_apps.invoices.importing.format import Confidence, Format, Sample, lines_of
from tenant_apps.invoices.importing.records.kinds import REQUIRED, Record, RowProblem
from tenant_apps.invoices.importing.records.rules import Reading
from tenant_apps.invoices.importing.tables.heading import (
    MOST_ABOVE,
    Heading,
    find_heading,
    first_lines,
    likely_heading,
)
from tenant_apps.invoices.importing.tables.reading import read_table
from tenant_apps.invoices.importing.tables.titles import known_in
from tenant_apps.invoices.importing.tables.view import ColumnsView, first_rows, mark_of, of_file
from toolkit.reading.encodings import EncodingChoice
from toolkit.reading.errors import FileError, UnsureEncoding
from toolkit.reading.tables import TableError, encoding_choice, rows_of
from toolkit.reading.text import Lines


def recognise(head: bytes, name: str) -> Confidence:
    """By its titles. A file that no other format takes is read here, to say in words what is wrong with it."""
    is_wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encodings = ("utf-16",) if is_wide else ("utf-8", "cp1252")
    text = head.removeprefix(codecs.BOM_UTF8)
    known = max((_known(text.decode(encoding, "ignore")) for encoding in encodings), key=len)
    if set(REQUIRED) <= set(known):
        return Confidence.CERTAIN
    return Confidence.POSSIBLE if len(known) > 1 else Confidence.LAST_RESORT


def _known(text: str) -> list[str]:
    """The fields that the titles name."""
    found = find_heading(first_lines(io.StringIO(text, newline=None)))
    return known_in(found.titles) if found else []


def read(file: BinaryIO, reading: Reading) -> Iterator[Record]:
    """Read row by row. Memory grows only with the numbers and references already met. Raises FileError."""
    reading = of_file(reading, file)
    choice = encoding_choice(file, reading.rules.encoding)
    heading = heading_of(file, choice.encoding, reading)
    for sentence in _left_out(choice, heading):
        yield RowProblem(None, "", "", sentence, is_error=False)
    lines = Lines(file, choice.encoding)
    try:
        for _n in range(heading.lines):
            next(lines)
        rows = _rows(lines, heading)
        yield from read_table(heading.titles, rows, reading, too_wide=partial(_too_wide, heading.delimiter))
    except TableError as error:
        sentence = _(
            'Le tableau ne se lit plus à la ligne %(line)d : un guillemet (") est ouvert sans être refermé, ou '
            "se trouve au milieu d'une valeur. Corrigez-le, puis déposez à nouveau le fichier."
        )
        raise FileError(sentence % {"line": error.line}) from None
    finally:
        lines.release()


def columns(file: BinaryIO, reading: Reading) -> ColumnsView:
    """The titles, known or not, and the first rows. Raises FileError."""
    try:
        choice = encoding_choice(file, reading.rules.encoding)
    except UnsureEncoding as doubt:
        choice = doubt.choice
    lines = Lines(file, choice.encoding)
    try:
        head = first_lines(lines)
    finally:
        lines.release()
    heading = likely_heading(head, reading.rules.columns) or heading_of(file, choice.encoding, reading)
    lines = Lines(file, choice.encoding)
    try:
        for _n in range(heading.lines):
            next(lines)
        rows = first_rows(_rows(lines, heading))
    finally:
        lines.release()
    read = partial(read_table, too_wide=partial(_too_wide, heading.delimiter))
    return ColumnsView(tuple(heading.titles), rows, read, choice, mark_of(file))


def heading_of(file: BinaryIO, encoding: str, reading: Reading) -> Heading:
    """The titles of a file in this encoding. Raises FileError when it has none."""
    lines = Lines(file, encoding)
    try:
        head = first_lines(lines)
    finally:
        lines.release()
    first = next((line.strip() for line in head if line.strip()), None)
    if first is None:
        raise FileError(_("Le fichier des factures est vide."))
    if (found := find_heading(head, reading.rules.columns)) is None:
        raise FileError(
            _(
                "Aucune des %(n)d premières lignes ne donne les titres des colonnes séparés par « ; », une virgule ou "
                "une tabulation. Première ligne lue : « %(line)s »."
            )
            % {"n": MOST_ABOVE, "line": first[:120]}
        )
    return found


def _left_out(choice: EncodingChoice, heading: Heading) -> Iterator[str]:
    """Sentences about what is not read as the rest is."""
    if choice.lines:
        shown = ", ".join(str(line) for line in choice.lines[:20])
        yield ngettext(
            "La ligne %(lines)s n'est pas en UTF-8 comme le reste du fichier : ses accents sont lus comme ceux de "
            "Windows (%(words)s). Vérifiez-les.",
            "Les lignes %(lines)s ne sont pas en UTF-8 comme le reste du fichier : leurs accents sont lus comme ceux "
            "de Windows (%(words)s). Vérifiez-les.",
            len(choice.lines),
        ) % {"lines": shown, "words": ", ".join(f"« {word} »" for word, _line in choice.samples)}
    if heading.above:
        yield ngettext(
            "Les titres sont à la ligne %(line)d : la ligne au-dessus n'est pas lue.",
            "Les titres sont à la ligne %(line)d : les %(n)d lignes au-dessus ne sont pas lues.",
            heading.above,
        ) % {"line": heading.lines, "n": heading.above}


def _rows(lines: Lines, heading: Heading) -> Iterator[tuple[int, list[str]]]:
    """The rows under the titles. Strict: a quote that is never closed would silently swallow the next invoices.

    Raises TableError also for a quote that another one, rows below, seems to close: its cell holds whole rows.
    """
    most = max(len(heading.titles) // 2, 3)
    for line, row in rows_of(lines, heading.delimiter, strict=True):
        if lines.number > line and any(
            "\n" in cell and cell.count(heading.delimiter) >= most for cell in row
        ):
            raise TableError(line)
        yield line, row


def _too_wide(delimiter: str, surplus: list[str]) -> str:
    """A decimal comma without quotes, in a file separated by commas, shifts the row and may leave its end empty."""
    if not any(cell.strip() for cell in surplus):
        if delimiter != ",":
            return ""
        return _(
            "La ligne a plus de valeurs que de titres : une virgule de trop à la fin, qu'il faut ôter, ou une valeur "
            "qui contient une virgule, à mettre entre guillemets."
        )
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
