"""Read a list of towns (CSV). Pure reading: nothing is looked up in a database, nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.text import slugify

from shared_apps.console.opening import NewTown
from shared_apps.console.townlist.columns import BY_FIELD, COLUMNS, REQUIRED, Column, column_of
from tenants.errors import InvalidSlug
from toolkit.reading.errors import FieldError, FileError
from toolkit.reading.tables import TableError, encoding_of_table, rows_of, split_line
from toolkit.reading.text import Lines

DELIMITERS = ";,\t|"
MOST_BYTES = 1024 * 1024
MOST_LINES = 1000


@dataclass(frozen=True)
class Line:
    """A town to open, and the number of its line in the file (from 1)."""

    number: int
    new: NewTown


@dataclass(frozen=True)
class Problem:
    """What is wrong on a line: a sentence that names the column and says what to do.

    `slug` and `name` are the text of these two cells, so that the report names the town.
    """

    number: int
    column: str
    words: str
    slug: str = ""
    name: str = ""


@dataclass(frozen=True)
class TownList:
    """The towns that can be opened as far as the file says, and what is wrong with the other lines."""

    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]


def read(file: BinaryIO) -> TownList:
    """The list. Raises FileError, with a sentence, for a file that is no list of towns."""
    lines = Lines(file, encoding_of_table(file))
    try:
        return _read(lines)
    except TableError as error:
        raise FileError(
            f'Le tableau ne se lit plus à la ligne {error.line} : un guillemet (") est ouvert sans être refermé, '
            "ou se trouve au milieu d'une valeur. Corrigez-le, puis recommencez."
        ) from None
    finally:
        lines.release()


def _read(lines: Lines) -> TownList:
    header = next((line for line in lines if line.strip()), None)
    if header is None:
        raise FileError("Le fichier est vide : la première ligne donne les titres des colonnes.")
    delimiter = max(DELIMITERS, key=lambda sign: len([*filter(None, map(column_of, _titles(header, sign)))]))
    titles = _titles(header, delimiter)
    columns = _columns(titles)
    good: list[Line] = []
    wrong: list[Problem] = []
    met = _Met()
    for number, row in rows_of(lines, delimiter, strict=True):
        if len(good) + len({problem.number for problem in wrong}) >= MOST_LINES:
            raise FileError(f"La liste a plus de {MOST_LINES} lignes : partagez-la en plusieurs fichiers.")
        cells = {column.field: row[at] if at < len(row) else "" for at, column in columns.items()}
        surplus = any(cell.strip() for cell in row[len(titles) :])
        found = (
            [_too_wide(number, delimiter)] if surplus else [*_problems(number, cells, titles, columns, met)]
        )
        if found:
            wrong += [_named(problem, cells) for problem in found]
        else:
            good.append(Line(number, _new_town(cells)))
    if not good and not wrong:
        raise FileError("Il n'y a aucune commune sous la ligne de titres : écrivez-en une par ligne.")
    return TownList(tuple(good), tuple(wrong))


def _titles(header: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in split_line(header, delimiter)]


def _columns(titles: list[str]) -> dict[int, Column]:
    """Place → column. Raises FileError for a title that is missing, unknown or there twice."""
    found = {at: column for at, title in enumerate(titles) if (column := column_of(title)) is not None}
    known = ", ".join(f"« {column.label} »" for column in COLUMNS)
    if missing := [BY_FIELD[field].label for field in REQUIRED if BY_FIELD[field] not in found.values()]:
        raise FileError(
            f"Il manque la colonne « {missing[0]} » : ajoutez-la. La première ligne du fichier donne les titres des "
            f"colonnes, parmi {known}. Titres lus : {', '.join(filter(None, titles))[:300] or 'aucun'}."
        )
    if not {"contact_email", "manager"} & {column.field for column in found.values()}:
        raise FileError(
            "Il manque la colonne « Adresse de contact » : ajoutez l'adresse du service de facturation de chaque "
            "commune, ou une colonne « Responsable »."
        )
    if unknown := [title for at, title in enumerate(titles) if title and at not in found]:
        raise FileError(
            f"La colonne « {unknown[0][:40]} » n'est pas connue : ôtez-la, ou donnez-lui un de ces titres : {known}."
        )
    for column in found.values():
        if len(same := [titles[at] for at, other in found.items() if other is column]) > 1:
            raise FileError(
                f"Les colonnes « {same[0]} » et « {same[1]} » disent la même chose : gardez-en une."
            )
    return found


class _Met:
    """What the lines before have said, by column and value: an address or a SIREN is of one town."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def before(self, field: str, value: str, number: int) -> int | None:
        """The line that has this value already; otherwise it is kept as that of this line."""
        if not value:
            return None
        first = self._lines.setdefault((field, value), number)
        return first if first != number else None


def _problems(
    number: int, cells: dict[str, str], titles: list[str], columns: Mapping[int, Column], met: _Met
) -> Iterator[Problem]:
    """What is wrong on a line. Replaces each cell by the value that was read."""
    title_of = {column.field: titles[at] for at, column in columns.items()}
    unread = set()
    for column in columns.values():
        try:
            cells[column.field] = column.read(cells[column.field])
        except FieldError as error:
            unread.add(column.field)
            title = title_of[column.field]
            yield Problem(number, title, f"la colonne « {title} » {error}")
    for field, wrong in _new_town(cells).problems():
        if field not in unread:
            column = BY_FIELD[field]
            title = title_of.get(field, column.label)
            advice = _suggestion(cells) if isinstance(wrong, InvalidSlug) else ""
            yield Problem(number, title, f"colonne « {title} » : {wrong}{advice}")
    for field in ("slug", "siren"):
        if field not in unread and (first := met.before(field, cells.get(field, ""), number)):
            title = title_of[field]
            yield Problem(
                number,
                title,
                f"la colonne « {title} » a la même valeur qu'à la ligne {first}, « {cells[field]} » : "
                "ôtez une des deux lignes, ou corrigez-la.",
            )


def _new_town(cells: Mapping[str, str]) -> NewTown:
    """The manager's address is the contact too where there is none, as with `create_town`."""
    contact = cells.get("contact_email") or cells.get("manager", "")
    return NewTown(**{**cells, "contact_email": contact})


def _suggestion(cells: Mapping[str, str]) -> str:
    slug = slugify(cells["slug"] if len(cells["slug"]) <= 40 else cells["name"])[:40].strip("-")
    return f" Par exemple : « {slug} »." if slug and slug != cells["slug"] else ""


def _too_wide(number: int, delimiter: str) -> Problem:
    sign = {"\t": "la tabulation"}.get(delimiter, f"« {delimiter} »")
    return Problem(
        number,
        "",
        f"il y a plus de valeurs que de titres. Une valeur contient sans doute {sign}, qui sépare les colonnes : "
        "mettez-la entre guillemets.",
    )


def _named(problem: Problem, cells: Mapping[str, str]) -> Problem:
    return Problem(
        problem.number, problem.column, problem.words, cells.get("slug", "")[:60], cells.get("name", "")[:120]
    )
