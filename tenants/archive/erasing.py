"""The operation « erase »: only the certificate of a town remains.

First no host leads to the town and none of its tasks starts. Then everything is counted, and the count kept with
the operation. Then schema, files and cache go, and one transaction replaces the registry's row by the certificate.
An interrupted erasure goes on: each step sees what is done already. A town that is half erased is never served.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from tenants import facts
from tenants.archive import exporting
from tenants.archive.progress import Teller
from tenants.current import PUBLIC, in_shard, shard_aliases
from tenants.current import registry as in_registry
from tenants.databases import direct, mirrors
from tenants.errors import ShardSilent, TownError, WrongState
from tenants.hosts import registry
from tenants.life import services
from tenants.models import LIVE, Domain, Erasure, Operation, Town
from tenants.shards import public_rows, rows
from tenants.states import TownState
from tenants.work import operations
from tenants.work.operations import Progress
from toolkit.files import objects

KIND = "erase"
ERASABLE = (TownState.SUSPENDED, TownState.CLOSED, TownState.OPENING)
_SECONDS = 5  # for Redis to answer


def erase(
    *, slug: str, actor: facts.Actor, reason: str, watch: Callable[[Operation], None] = lambda operation: None
) -> Erasure:
    """Erase a town in the foreground, or finish an interrupted erasure. Raises TownError."""
    with in_registry():
        left = Operation.objects.filter(subject=slug, kind=KIND, state__in=LIVE).first()
    if left is not None:
        town, arguments = left.town, left.arguments
    else:
        town = _living(slug)
        arguments = _arguments(town, reason)
    done = operations.run(kind=KIND, subject=slug, town=town, actor=actor, arguments=arguments, watch=watch)
    with in_registry():
        return Erasure.objects.get(uuid=done.uuid)


def request_erasure(*, town: Town, actor: facts.Actor, reason: str) -> Operation:
    """Ask the worker to erase the town. Raises WrongState, Busy, or TownError when no reason is given."""
    return operations.request(
        kind=KIND, subject=town.slug, town=town, actor=actor, arguments=_arguments(town, reason)
    )


def _living(slug: str) -> Town:
    """The town of that slug. Raises TownError, which names the certificate when it has been erased."""
    try:
        return services.town_named(slug)
    except TownError as error:
        with in_registry():
            past = Erasure.objects.filter(slug=slug).first()
        if past is None:
            raise
        when = date_format(timezone.localtime(past.erased_at), "j F Y")
        raise TownError(
            f"{error} Celle qui était à cette adresse a été effacée le {when} : certificat {past.uuid}."
        ) from None


def _arguments(town: Town, reason: str) -> dict[str, str]:
    if not reason.strip():
        raise TownError("Donnez le motif de l'effacement : il figure sur le certificat.")
    _check_state(town)
    return {"town": str(town.uuid), "reason": reason.strip()}


def _check_state(town: Town) -> None:
    if town.read_only_since is not None:
        raise WrongState(f"Le déménagement de {town.name} n'est pas fini : menez-le à bien d'abord.")
    if town.state not in ERASABLE:
        raise WrongState(
            f"{town.name} est {town.get_state_display()} : suspendez-la d'abord ; on n'efface pas une commune "
            "que ses habitants consultent."
        )


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """The work of the operation. Operation and certificate share one uuid."""
    found = Erasure.objects.filter(uuid=operation.uuid).first()
    if found is None:
        town = Town.objects.filter(uuid=operation.arguments["town"]).first()
        if town is None:
            raise TownError("Cette commune n'existe plus.")
        found = _erase(operation, town, Teller(progress))
    return {"counts": found.counts, "certificate": str(found.uuid)}


def _erase(operation: Operation, town: Town, tell: Teller) -> Erasure:
    _check_state(town)
    _check_shards()
    try:
        objects.check_erasable(f"{town.uuid}/")
    except PermissionError as error:
        raise TownError(f"S3 ne laisse pas tout effacer ({error}) : voyez les droits à donner.") from None
    tell("Fermeture des portes")
    if town.state != TownState.CLOSED:
        town = services.set_state(
            town=town, to=TownState.CLOSED, actor=operation.requested_by, reason=operation.arguments["reason"]
        )
    _shut(operation, town)
    if "counts" not in operation.result:
        tell("Compte de ce qui est là")
        operation.result = {**operation.result, "counts": _counts(town, operation.result["hosts"])}
        operation.save(update_fields=["result"])
    tell("Effacement du schéma")
    for shard in shard_aliases():  # where it lived before a move too
        with in_shard(shard):
            rows.drop_schema(town.schema_name)
        with direct.connect(shard, PUBLIC) as server:
            public_rows.clear(server, town.pk)
    counts = operation.result["counts"]
    _erase_files(town, counts["objects"], tell)
    tell("Effacement du cache")
    _erase_cache(town)
    for shard in shard_aliases():
        mirrors.unmirror(town, shard)
    with transaction.atomic():
        certificate = Erasure.objects.create(
            uuid=operation.uuid,
            town_uuid=town.uuid,
            slug=town.slug,
            name=town.name,
            siren=town.siren,
            requested_by=operation.requested_by,
            reason=operation.arguments["reason"],
            counts=counts,
        )
        facts.record(
            "town.erased",
            town=town,
            actor=operation.requested_by,
            new={"certificate": str(certificate.uuid), "reason": certificate.reason},
        )
        Town.objects.filter(pk=town.pk).delete()
    registry.forget()
    return certificate


def _check_shards() -> None:
    """Check that every database answers: what a silent one holds cannot be erased. Raises ShardSilent."""
    for shard in shard_aliases():
        try:
            direct.open_to(shard).close()
        except psycopg.OperationalError:
            raise ShardSilent(shard) from None


def _shut(operation: Operation, town: Town) -> None:
    """Remove its hosts, then wait until the caches of other processes have expired."""
    if "shut_at" not in operation.result:
        with transaction.atomic():
            hosts = Domain.objects.filter(tenant=town).order_by("domain")
            operation.result = {
                "hosts": [domain.domain for domain in hosts],
                "shut_at": timezone.now().isoformat(),
            }
            operation.save(update_fields=["result"])
            hosts.delete()
    mirrors.mirror(town)
    registry.forget()
    known_until = datetime.fromisoformat(operation.result["shut_at"]) + timedelta(seconds=registry.SECONDS)
    time.sleep(max(0.0, (known_until - timezone.now()).total_seconds()))


def _counts(town: Town, hosts: list[str]) -> dict[str, Any]:
    """What will be destroyed: rows per table, files, hosts."""
    tables: dict[str, int] = {}
    public: Counter[str] = Counter()
    if rows.has_schema(town.shard, town.schema_name):
        with direct.snapshot(town.shard, town.schema_name) as server:
            tables = {table.name: rows.count(server, table.name) for table in rows.tables(server)}
    for shard in shard_aliases():
        with direct.snapshot(shard, PUBLIC) as server:
            public.update(public_rows.counts(server, town.pk))
    number = size = 0
    for _key, bytes_ in objects.listed(f"{town.uuid}/"):
        number, size = number + 1, size + bytes_
    return {
        "tables": tables,
        "public": dict(public),
        "objects": number,
        "bytes": size,
        "exports": len(exporting.stored(town)),
        "hosts": hosts,
    }


def _erase_files(town: Town, total: int, tell: Teller) -> None:
    """Erase its files and its archives in S3, twice: a running task may have stored one meanwhile."""
    exporting.forget_all(town)
    prefix, gone = f"{town.uuid}/", 0
    for _look in range(3):
        for number in objects.erase(prefix):
            gone += number
            tell("Effacement des fichiers", gone, max(total, gone))
        if next(objects.listed(prefix), None) is None:
            return
    raise TownError("Des fichiers de cette commune apparaissent encore : un traitement est-il en cours ?")


def _erase_cache(town: Town) -> None:
    """Keys begin with the schema's name (settings.CACHES)."""
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    ) as server:
        for key in server.scan_iter(match=f"{town.schema_name}:*", count=1000):
            server.unlink(key)
