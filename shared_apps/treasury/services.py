"""Find the town of an operation and deliver notifications to it (docs/payfip.md §2).

A notification proves nothing, and the caller never learns what we know.
"""

import logging
from collections.abc import Callable, Mapping

from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.treasury.models import Route, WaitingNotification
from tenants.current import current_town, in_shard, is_read_only, registry, shard_aliases
from tenants.databases.outages import GONE, Outage, is_silence, outage_of
from tenants.errors import ReadOnly
from tenants.models import Town
from tenants.states import TownState
from tenants.work import agenda
from toolkit import clock
from toolkit.secrecy.secrets import fingerprint

log = logging.getLogger(__name__)
SAMPLES = 20
AGENDA = "bells"  # the kind in the agenda's rows, which keep this former name
Receiver = Callable[[str, str, Mapping[str, str]], None]
_receivers: list[Receiver] = []


def register_receiver(receive: Receiver) -> None:
    """Add a function that gets each notification, in the town of its operation. `kind` is the provider's name."""
    _receivers.append(receive)


def _deliver(kind: str, token: str, fields: Mapping[str, str]) -> None:
    for receive in _receivers:
        receive(kind, token, fields)


def add_route(*, kind: str, token: str) -> None:
    """Record that `token`, an operation or one-use token of provider `kind`, belongs to the current town."""
    with connection.cursor() as cursor:
        # The table is named with its schema, because this runs in the town's transaction and schema.
        cursor.execute(
            "INSERT INTO public.treasury_route (fingerprint, kind, town_id, created_at) "
            "VALUES (%s, %s, %s, now()) ON CONFLICT (fingerprint) DO NOTHING",
            [fingerprint(token), kind, current_town().pk],
        )


def deliver(*, kind: str, token: str, fields: Mapping[str, str]) -> bool:
    """Deliver a notification to the town of `token`. False when no town has it: it is counted for the operator.

    While the town is being moved, the notification waits. Raises OperationalError when a shard that may have the
    town does not answer: the caller then gets a 503, and the poller asks about the attempt later.
    """
    town = _town_of(kind, token)
    # A suspended or closed town gets notifications too: its payments may end after that.
    if town is None or town.state == TownState.OPENING:
        _count_unmatched(kind, token)
        return False
    try:
        with tenant_context(town):
            if is_read_only():
                raise ReadOnly
            _deliver(kind, token, fields)
    except (ReadOnly, DatabaseError) as error:
        if _is_erased(town, error):
            _count_unmatched(kind, token)
            return False
        if outage_of(error, town) is not Outage.READ_ONLY:
            raise
        _keep_for_later(town, kind, token, fields)
    return True


def _is_erased(town: Town, error: Exception) -> bool:
    """Whether `error` means that the town is closed and its schema erased, or being erased."""
    return town.state == TownState.CLOSED and getattr(error.__cause__, "sqlstate", None) in GONE


def _keep_for_later(town: Town, kind: str, token: str, fields: Mapping[str, str]) -> None:
    with registry():
        WaitingNotification.objects.create(town=town, kind=kind, token=token, fields=dict(fields))
    with tenant_context(town):
        agenda.plan(AGENDA, timezone.now())


def deliver_waiting() -> None:
    """Deliver the notifications that waited for the current town. Delivering one twice changes nothing."""
    town = current_town()
    with registry():
        waiting = list(WaitingNotification.objects.filter(town_id=town.pk))
    for notification in waiting:
        _deliver(notification.kind, notification.token, notification.fields)
        with registry():
            WaitingNotification.objects.filter(pk=notification.pk).delete()


def plan_waiting() -> None:
    """Plan `deliver_waiting` for the current town if notifications wait for it."""
    town = current_town()
    with registry():
        waits = WaitingNotification.objects.filter(town_id=town.pk).exists()
    if waits:
        agenda.plan(AGENDA, timezone.now())


def _town_of(kind: str, token: str) -> Town | None:
    """The town of `token`. Its route is in the town's own database, so this asks each database in turn."""
    silent: OperationalError | None = None
    for shard in shard_aliases():
        try:
            with in_shard(shard):
                route = Route.objects.filter(fingerprint=fingerprint(token), kind=kind).first()
        except OperationalError as error:
            if not is_silence(error):
                raise
            log.warning("the database %s does not answer; a notification may be for one of its towns", shard)
            silent = error
            continue
        if route is not None:
            with registry():
                town: Town | None = Town.objects.filter(pk=route.town_id).first()
            return town
    if silent:
        raise silent
    return None


def _count_unmatched(kind: str, token: str) -> None:
    """Count a notification for an operation of no town, and keep its hash if it is among the first of the day.

    Somebody may be trying idOps, or the town was erased.
    """
    log.info("a %s notification for an unknown operation", kind)
    with registry(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.treasury_stray AS s (day, kind, number, samples, last_at) "
            "VALUES (%s, %s, 1, jsonb_build_array(%s::text), now()) ON CONFLICT (day, kind) DO UPDATE SET "
            "number = s.number + 1, last_at = now(), samples = CASE WHEN jsonb_array_length(s.samples) < %s "
            "THEN s.samples || EXCLUDED.samples ELSE s.samples END",
            [clock.today(), kind, fingerprint(token)[:16], SAMPLES],
        )
