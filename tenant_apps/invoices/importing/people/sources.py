"""Which sources know the titles of a file (decision 75)."""

from typing import BinaryIO

from tenant_apps.invoices.importing.format import Format
from tenant_apps.invoices.importing.records.rules import Reading, Rules
from tenant_apps.invoices.importing.tables.money import KIND_OF_MONEY
from tenant_apps.invoices.importing.tables.view import ColumnsView
from tenant_apps.residents.models import Source
from tenant_apps.residents.sources import sources
from toolkit.reading.errors import FileError


def sources_of_file(file: BinaryIO, kind: Format) -> list[Source]:
    """The sources whose own titles these are, all of them; none for titles that everybody's software writes.

    A file with usual titles may come from anywhere: only titles that one source has named say where it comes from.
    The file is left at its beginning.
    """
    known = [(source, Rules.kept(source.rules)) for source in sources().exclude(rules={})]
    known = [(source, rules) for source, rules in known if rules.columns]
    if not known or kind.columns is None:
        return []
    together = {key: gives for _source, rules in known for key, gives in rules.columns.items()}
    try:
        view = kind.columns(file, Reading(Rules(columns=together)))
    except FileError:
        return []
    finally:
        file.seek(0)
    if not view.missing(Rules()):
        return []
    return [source for source, rules in known if _are_its_titles(view, rules)]


def _are_its_titles(view: ColumnsView, rules: Rules) -> bool:
    keys = [key for key, title in zip(view.keys, view.titles, strict=True) if title.strip()]
    named = [key for key in keys if key in rules.columns]
    return len(named) > 1 and all(
        key in rules.columns or key.partition("#")[0] in KIND_OF_MONEY for key in keys
    )
