"""The folder of a source, into which billing software or a gateway writes files (decision 78)."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from shared_apps.accounts.models import STAFF_ROLES, Account, Role
from shared_apps.accounts.team.states import MemberState, state_of
from shared_apps.audit import services as audit
from tenant_apps.residents.errors import NobodyToTell
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.states import ArrivalState
from tenants.current import current_town
from toolkit import clock
from toolkit.files.storage import inbox_key

EVERY = timedelta(minutes=5)  # between two looks; a file that is the same at both is whole
LONGEST = timedelta(hours=1)  # between two looks at a folder that cannot be listed
SEEN_FAILING = 3  # failed looks in a row before the town's page says so
DONE, REFUSED = "traites/", "refuses/"  # folders inside, which are not looked at


@transaction.atomic
def watch(
    *, actor: audit.Actor, source: Source, is_watched: bool, clerk: Account | None, publishes_alone: bool
) -> Source:
    """Switch the folder of `source` on or off, and say who is told and whether sound files are published alone.

    The same values change nothing. Raises NobodyToTell when a watched one has nobody who may import.
    """
    locked = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    if is_watched and not may_import(clerk):
        raise NobodyToTell
    old = _said(locked)
    locked.is_watched, locked.clerk, locked.publishes_alone = is_watched, clerk, publishes_alone
    new = _said(locked)
    if old == new:
        return locked
    locked.looks_failed, locked.silent_since, locked.looked_at = 0, None, None
    locked.save()
    if not is_watched:
        locked.arrivals.filter(state=ArrivalState.WAITING).delete()
    audit.record("source.watched", actor=actor, obj=f"source:{locked.uuid}", old=old, new=new)
    return locked


def _said(source: Source) -> dict[str, object]:
    return {
        "watched": source.is_watched,
        "told": source.clerk.name if source.clerk else "",
        "account": str(source.clerk.uuid) if source.clerk else "",
        "alone": source.publishes_alone,
    }


def may_import(account: Account | None) -> bool:
    """Whether files may be imported for this member of staff, who is then told."""
    if account is None or state_of(account) != MemberState.ACTIVE:
        return False
    return account.role in STAFF_ROLES and account.role != Role.READER


def who_may_import() -> list[Account]:
    """The members of staff whom a source may tell, by name."""
    found = [one for one in Account.objects.filter(role__in=STAFF_ROLES) if may_import(one)]
    return sorted(found, key=lambda one: one.called.lower())


def watched() -> QuerySet[Source]:
    """The sources whose folder is looked at."""
    return Source.objects.filter(is_watched=True).select_related("clerk").order_by("id")


def source_with_folder(public_id: UUID) -> Source:
    """One source, watched or not. Raises Source.DoesNotExist."""
    return Source.objects.select_related("clerk").get(uuid=public_id)


def stands_still(source: Source) -> bool:
    """Whether its folder is watched but cannot be listed, or has nobody to tell."""
    return source.is_watched and (source.looks_failed >= SEEN_FAILING or not may_import(source.clerk))


def standing_still() -> list[Source]:
    """The sources whose files no longer arrive. One statement."""
    return [one for one in watched() if stands_still(one)]


def folder_of(source: Source) -> str:
    """The prefix in S3; it ends with « / »."""
    return inbox_key(town=current_town().uuid, source=source.uuid)


def arrivals(source: Source) -> QuerySet[Arrival]:
    """What came into its folder, newest first."""
    return Arrival.objects.filter(source=source).order_by("-id")


def live() -> QuerySet[Arrival]:
    """What is neither an old story nor still arriving: files to follow, or to put away."""
    return Arrival.objects.filter(put_away_at=None).exclude(state=ArrivalState.WAITING)


def is_followed(batch: str) -> bool:
    """Whether the import of that uuid came from a folder and is still followed."""
    return Arrival.objects.filter(Q(batch=batch), put_away_at=None).exists()


def looked(source: Source, *, failed: bool) -> None:
    """Note a look at its folder. Failed ones come less and less often."""
    source.looked_at = clock.now()
    source.looks_failed = min(source.looks_failed + 1, 1000) if failed else 0
    source.silent_since = (source.silent_since or source.looked_at) if failed else None
    source.save(update_fields=["looked_at", "looks_failed", "silent_since"])


def wait_of(source: Source) -> timedelta:
    """How long after a look the next one comes."""
    return min(EVERY * 2 ** min(source.looks_failed, 5), LONGEST) if source.looks_failed else EVERY
