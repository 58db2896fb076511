"""The refused rows of an import, and what a clerk has corrected in them."""

from collections.abc import Mapping

from tenant_apps.invoices.importing.run.report import MOST_KEPT, Report
from tenant_apps.invoices.models import Batch, RefusedRow


def corrections_of(batch: Batch) -> dict[int, Mapping[str, str]]:
    """Line → field → the text that a clerk wrote, for `records.rules.Reading`."""
    corrected = RefusedRow.objects.filter(batch=batch).exclude(corrected={})
    return dict(corrected.values_list("line", "corrected"))


def keep_refused(batch: Batch, report: Report) -> None:
    """Save which rows the reading refused. Corrections stay, also of rows that are taken now."""
    known = set(RefusedRow.objects.filter(batch=batch).exclude(corrected={}).values_list("line", flat=True))
    rows = RefusedRow.objects.filter(batch=batch)
    rows.exclude(line__in=known).delete()
    rows.filter(line__in=known).update(is_refused=False)
    kept = list(report.refused.items())[:MOST_KEPT]
    RefusedRow.objects.bulk_create(
        [RefusedRow(batch=batch, line=line, cells=dict(cells)) for line, cells in kept],
        update_conflicts=True,
        unique_fields=["batch", "line"],
        update_fields=["is_refused"],  # a corrected row keeps the texts of the file
    )
