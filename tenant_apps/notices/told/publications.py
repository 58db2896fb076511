"""The publications of an import. A second one happens when rows were kept aside, or when it was taken back."""

from datetime import datetime
from uuid import UUID, uuid5

from shared_apps.audit.models import AuditEntry
from shared_apps.audit.queries import entries


def publications(batch: UUID) -> list[UUID]:
    """The subjects of the planned notices of `batch`, one for each publication. One SQL statement."""
    times = max(1, entries(verbs=["batch.published"], objects=[f"batch:{batch}"]).count())
    return [_named(batch, n) for n in range(1, times + 1)]


def one_before(entry: AuditEntry) -> datetime | None:
    """When the import of the fact `batch.published` was published the time before."""
    earlier = entries(verbs=["batch.published"], objects=[entry.object]).filter(pk__lt=entry.pk).first()
    return earlier.at if earlier else None


def _named(batch: UUID, n: int) -> UUID:
    """The first one has the id of the import."""
    return batch if n == 1 else uuid5(batch, str(n))
