"""Find the town of an operation and ring its bell; nothing is believed, nothing is said (docs/payfip.md §2)."""

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
AGENDA = "bells"  # the kind of these rows of the agenda: rows of older code have it
Receiver = Callable[[str, str, Mapping[str, str]], None]
_receivers: list[Receiver] = []


def register_receiver(receive: Receiver) -> None:
    """`receive(kind, token, fields)` is called in the town of the operation; `kind` is the name of a provider."""
    _receivers.append(receive)


def _deliver(kind: str, token: str, fields: Mapping[str, str]) -> None:
    for receive in _receivers:
        receive(kind, token, fields)


def add_route(*, kind: str, token: str) -> None:
    """The operation `token` (its identity there, or our one-use token) belongs to the current town."""
    with connection.cursor() as cursor:
        # Written with its schema: this is the town's own transaction, which a change of schema would leave.
        cursor.execute(
            "INSERT INTO public.treasury_route (fingerprint, kind, town_id, created_at) "
            "VALUES (%s, %s, %s, now()) ON CONFLICT (fingerprint) DO NOTHING",
            [fingerprint(token), kind, current_town().pk],
        )


def deliver(*, kind: str, token: str, fields: Mapping[str, str]) -> bool:
    """Ring the bell of the town that `token` belongs to. False when nobody knows it: kept for the operator.

    While that town is moved the bell waits for it. Raises OperationalError when its shard, or the shard that would
    know, is silent: the Treasury is answered 503, and the poller looks later.
    """
    town = _town_of(kind, token)
    # Money in flight is heard of while the town is suspended, and after it has closed.
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
    """A closed town whose schema is gone, or going: nobody is left to hear."""
    return town.state == TownState.CLOSED and getattr(error.__cause__, "sqlstate", None) in GONE


def _keep_for_later(town: Town, kind: str, token: str, fields: Mapping[str, str]) -> None:
    with registry():
        WaitingNotification.objects.create(town=town, kind=kind, token=token, fields=dict(fields))
    with tenant_context(town):
        agenda.plan(AGENDA, timezone.now())


def deliver_waiting() -> None:
    """Ring what the current town could not hear. Twice changes nothing: a bell proves nothing."""
    town = current_town()
    with registry():
        waiting = list(WaitingNotification.objects.filter(town_id=town.pk))
    for notification in waiting:
        _deliver(notification.kind, notification.token, notification.fields)
        with registry():
            WaitingNotification.objects.filter(pk=notification.pk).delete()


def plan_waiting() -> None:
    """The current town has bells to hear, if it has."""
    town = current_town()
    with registry():
        waits = WaitingNotification.objects.filter(town_id=town.pk).exists()
    if waits:
        agenda.plan(AGENDA, timezone.now())


def _town_of(kind: str, token: str) -> Town | None:
    """A route is written in the town's own transaction, so it is in the town's own database: ask each."""
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
    """Somebody tries idOps, or a bell outlived its town: counted by day, the first few named by fingerprint."""
    log.info("a %s notification for an unknown operation", kind)
    with registry(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.treasury_stray AS s (day, kind, number, samples, last_at) "
            "VALUES (%s, %s, 1, jsonb_build_array(%s::text), now()) ON CONFLICT (day, kind) DO UPDATE SET "
            "number = s.number + 1, last_at = now(), samples = CASE WHEN jsonb_array_length(s.samples) < %s "
            "THEN s.samples || EXCLUDED.samples ELSE s.samples END",
            [clock.today(), kind, fingerprint(token)[:16], SAMPLES],
        )
