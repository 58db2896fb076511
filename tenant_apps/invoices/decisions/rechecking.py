"""What a clerk does so that a file is read again: correct cells, set refused rows aside, change the columns."""

from collections.abc import Mapping

from django.db import transaction

from shared_apps.audit import services as audit
from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.models import Batch, RefusedRow
from tenant_apps.invoices.services import lock, move, wrong_state
from tenant_apps.invoices.states import BatchState
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda
from toolkit import clock

LONGEST = 300  # characters of a corrected cell


@atomic_again
def check_again(*, actor: audit.Actor, batch: Batch) -> Batch:
    """Read the files of a refused or ready import again, with the rules and the corrections of now.

    A batch that waits for it already stays as it is. Raises WrongState.
    """
    return _again(actor, lock(batch))


@atomic_again
def set_aside(*, actor: audit.Actor, batch: Batch, is_wanted: bool = True) -> Batch:
    """« Publier les autres, garder celles-ci »: refused rows no longer hold the sound ones up. Raises WrongState.

    The file is read again; the import is then ready, with its sound rows only. The refused rows stay, to be corrected
    before or after the publication. `is_wanted=False`: all or nothing again.
    """
    locked = lock(batch)
    if locked.sets_aside == is_wanted:
        return locked
    if locked.state not in (BatchState.REFUSED, BatchState.READY):
        raise wrong_state(locked)
    locked.sets_aside = is_wanted
    locked.save(update_fields=["sets_aside"])
    return _again(actor, locked)


@transaction.atomic
def correct_row(*, actor: audit.Actor, batch: Batch, line: int, cells: Mapping[str, str]) -> RefusedRow:
    """Keep what a clerk writes in the cells of a refused row; the file is not read again yet.

    `cells`: field (`kinds.LABELS`) → text. A text equal to the file's takes the correction back. Raises WrongState,
    and RefusedRow.DoesNotExist.
    """
    locked = lock(batch)
    row = RefusedRow.objects.select_for_update().get(batch=locked, line=line)
    if locked.state not in (BatchState.REFUSED, BatchState.READY, BatchState.PUBLISHED):
        raise wrong_state(locked)
    corrected = dict(row.corrected)
    for name, text in cells.items():
        if name not in LABELS:
            continue
        corrected.pop(name, None)
        if text.strip() != row.cells.get(name, "").strip():
            corrected[name] = text.strip()[:LONGEST]
    if corrected != row.corrected:
        # Names of columns only: the row keeps the texts, which may be about a person.
        columns = [LABELS[name] for name in LABELS if corrected.get(name) != row.corrected.get(name)]
        row.corrected, row.corrected_at = corrected, clock.now()
        row.corrected_by = actor if isinstance(actor, str) else actor.audit_name
        row.save()
        audit.record(
            "batch.row_corrected",
            actor=actor,
            obj=f"batch:{locked.uuid}",
            new={"line": line, "columns": ", ".join(columns)},
        )
    return row


def _again(actor: audit.Actor, locked: Batch) -> Batch:
    if locked.state in (BatchState.UPLOADED, BatchState.CHECKING):
        return locked
    if locked.state == BatchState.PUBLISHED and not locked.refused_count:
        raise wrong_state(locked)
    move(locked, BatchState.UPLOADED)
    locked.attempts, locked.beat_at, locked.publish_on = 0, clock.now(), None
    locked.save(update_fields=["attempts", "beat_at", "publish_on"])
    audit.record("batch.checked_again", actor=actor, obj=f"batch:{locked.uuid}")
    agenda.wake("imports")
    return locked
