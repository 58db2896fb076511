"""« Vérifier de nouveau »: the check of an import starts again, because the rules of its source have changed.

The main session writes this function in `services`; then this module goes.
"""

from django.utils import timezone

from shared_apps.audit import services as audit
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.services import lock, move
from tenant_apps.invoices.states import BatchState
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda


@atomic_again
def check_again(*, actor: audit.Actor, batch: Batch) -> Batch:
    """Check a refused or a ready import again from its files. One that waits already stays so. Raises WrongState."""
    locked = lock(batch)
    if locked.state == BatchState.UPLOADED:
        return locked
    move(locked, BatchState.UPLOADED)
    locked.beat_at, locked.attempts = timezone.now(), 0
    locked.save(update_fields=["beat_at", "attempts"])
    audit.record("batch.checked_again", actor=actor, obj=f"batch:{locked.uuid}")
    agenda.wake("imports")
    return locked
