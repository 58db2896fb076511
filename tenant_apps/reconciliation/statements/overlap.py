"""Two extracts of one account: which equal rows are surely the same operation, and which ones a person must look at.

Only rows with nothing but day, amount and words (`StatementRow.weak`) are ever in doubt.
"""

from collections.abc import Iterator
from datetime import date

from django.db.models import Count, Q, QuerySet

from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.states import StatementRowState

S = StatementRowState


def equals_in_doubt(statement: Statement) -> list[int]:
    """Ids of the KNOWN rows of `statement` that may be another operation than the equal row of the other file.

    An extract has all rows of its days, except of its first and last day, which another extract may share. So an
    equal row is surely the same operation when its day is complete in one of the two files, or when the two files
    share more rows than this one: then one extract repeats the other. It is in doubt when each file has rows of that
    day that the other lacks.
    """
    mine = statement.rows.order_by()
    shared = mine.filter(state=S.KNOWN, weak=True)
    per_day = {row["booked_on"]: row["n"] for row in mine.values("booked_on").annotate(n=Count("id"))}
    found: list[int] = []
    beside = _Beside(statement)
    for group in list(shared.values("booked_on", "twin__statement").annotate(n=Count("id"))):
        day, file = group["booked_on"], group["twin__statement"]
        rows = shared.filter(booked_on=day, twin__statement=file)
        if day is not None and _each_has_more(mine, per_day[day], day, file):
            found += rows.values_list("pk", flat=True)
        elif not beside.overlaps(file, day):
            found += [
                pk for pk, twin in _ids(rows) if not any(beside.overlaps(f, day) for f in _having(twin))
            ]
    return found


def _ids(rows: QuerySet[StatementRow]) -> Iterator[tuple[int, int]]:
    return rows.order_by("pk").values_list("pk", "twin_id").iterator()


def _having(twin: int) -> list[int]:
    """The ids of the other files that have this operation too."""
    return list(
        StatementRow.objects.filter(twin=twin).order_by().values_list("statement", flat=True).distinct()
    )


def _each_has_more(mine: QuerySet[StatementRow], my_rows: int, day: date, file: int) -> bool:
    both = mine.filter(state=S.KNOWN, twin__statement=file, booked_on=day).count()
    return both < my_rows and both < StatementRow.objects.filter(statement=file, booked_on=day).count()


class _Beside:
    """Compares a file with other files. Each other file is read once."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._files: dict[int, Statement] = {}
        self._share_more: dict[int, bool] = {}

    def overlaps(self, file: int, day: date | None) -> bool:
        """Whether `file` covers that day as this one does: rows that are equal in both are the same operation."""
        if file == self._statement.pk:
            return False
        if day is not None and (_is_whole(self._statement, day) or _is_whole(self._other(file), day)):
            return True
        if file not in self._share_more:
            self._share_more[file] = self._shares_more(file)
        return self._share_more[file]

    def _other(self, file: int) -> Statement:
        if file not in self._files:
            self._files[file] = Statement.objects.only("first_day", "last_day").get(pk=file)
        return self._files[file]

    def _shares_more(self, file: int) -> bool:
        """Whether the two files share more than one row, with different words or amounts."""
        there = StatementRow.objects.filter(statement=file, twin__isnull=False).values("twin")
        both = self._statement.rows.filter(Q(twin__statement=file) | Q(twin__in=there), twin__isnull=False)
        return len(both.order_by().values("checksum").distinct()[:2]) > 1


def _is_whole(file: Statement, day: date) -> bool:
    return file.first_day is not None and file.last_day is not None and file.first_day < day < file.last_day
