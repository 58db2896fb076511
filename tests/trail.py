"""The platform's trail, for tests that really commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Max

from shared_apps.audit.models import AuditEntry
from tenants.current import REGISTRY, in_shard, leave


@contextmanager
def trail_swept() -> Iterator[None]:
    """Delete the facts of the platform that were recorded inside: the next test of this worker counts its own."""
    leave()
    with in_shard(REGISTRY):
        last = AuditEntry.objects.aggregate(last=Max("id"))["last"] or 0
    yield
    leave()
    with in_shard(REGISTRY):
        AuditEntry.objects.filter(id__gt=last).delete()
