"""The operation « restore »: a town comes back from its archive, under its own address or another one.

Everything is checked before anything changes. Then come the registry's row (state OPENING: not served), the
schema at the archive's version, its rows in one transaction, the missing migrations, its files, and at the
end the state. After a kill it starts again from its row; when it fails it leaves nothing behind.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid5

import psycopg
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django_tenants.utils import tenant_context
from psycopg import sql

from tenants import declarations, facts
from tenants.archive import addresses, copies
from tenants.archive import format as form
from tenants.archive.format import DamagedArchive, Rows
from tenants.archive.progress import Teller
from tenants.archive.reading import Archive
from tenants.current import REGISTRY, in_shard, shard_aliases
from tenants.current import registry as in_registry
from tenants.databases import direct, mirrors
from tenants.databases.direct import Server
from tenants.errors import TownError, TownExists
from tenants.hosts import registry
from tenants.life import services
from tenants.models import Domain, Operation, Town
from tenants.schema import migrating
from tenants.shards import public_rows, rows
from tenants.states import TownState
from tenants.work import operations
from tenants.work.operations import Progress
from toolkit.files import objects

KIND = "restore"


@dataclass(frozen=True)
class Place:
    """Where the town will be restored, decided before anything changes."""

    town: Town  # not saved, unless it was begun already
    domains: list[Domain]
    is_copy: bool  # the original town still exists
    state: TownState


def restore(
    *,
    path: Path,
    actor: facts.Actor,
    slug: str = "",
    shard: str = REGISTRY,
    from_elsewhere: bool = False,
    watch: Callable[[Operation], None] = lambda operation: None,
) -> Operation:
    """Restore a town from the archive at `path`, in the foreground. Raises TownError with the reason."""
    arguments = {"file": str(path.absolute()), "key": "", "shard": shard, "from_elsewhere": from_elsewhere}
    with _opened(arguments) as stream:
        slug = slug or addresses.town_of(Archive(stream, ours=not from_elsewhere).manifest).slug
    services.check_slug(slug)
    return operations.run(kind=KIND, subject=slug, actor=actor, arguments=arguments, watch=watch)


def request_restore(*, export: Operation, slug: str, actor: facts.Actor, shard: str = REGISTRY) -> Operation:
    """Ask the worker to restore a town from an export that is still in S3. Raises TownError or Busy."""
    if "key" not in export.result:
        raise TownError("Cet export n'est plus sur la plateforme : demandez-en un autre.")
    services.check_slug(slug)
    arguments = {"file": "", "key": export.result["key"], "shard": shard, "from_elsewhere": False}
    return operations.request(kind=KIND, subject=slug, actor=actor, arguments=arguments)


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """What `operations` performs."""
    asked = operation.arguments
    tell = Teller(progress)
    with _opened(asked) as stream:
        archive = Archive(stream, ours=not asked["from_elsewhere"])
        place = _place(archive, operation.subject, asked["shard"])
        archive.check(tell)
        town = _reserve(place, operation)
        try:
            _fill(place, archive, tell)
        except TownError:
            _give_up(town)
            raise
    _finish(place, operation.requested_by)
    manifest = archive.manifest
    return {
        "town": str(town.uuid),
        "slug": town.slug,
        "copy": place.is_copy,
        "state": place.state,
        "rows": sum(table.rows for table in (*manifest.tables, *([] if place.is_copy else manifest.public))),
        "objects": manifest.objects["count"],
        "hosts": [domain.domain for domain in place.domains],
    }


@contextmanager
def _opened(asked: Mapping[str, Any]) -> Iterator[IO[bytes]]:
    """The archive as a seekable file. Raises TownError when it cannot be reached from here."""
    if asked["key"]:
        with tempfile.TemporaryFile() as copy:
            try:
                objects.fetch(asked["key"], copy)
            except FileNotFoundError:
                raise TownError("L'archive n'est plus sur la plateforme.") from None
            copy.seek(0)
            yield copy
        return
    try:
        descriptor = os.open(asked["file"], os.O_RDONLY)
    except OSError as error:
        raise TownError(
            f"{asked['file']} ne peut pas être lu ici ({error.strerror}) : relancez la commande là où il est."
        ) from None
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def _place(archive: Archive, slug: str, shard: str) -> Place:
    """Decide where it goes. Raises TownError when it cannot be restored there, or at all."""
    manifest = archive.manifest
    services.check_slug(slug)
    if shard not in shard_aliases():
        raise TownError(f"Aucune base « {shard} ».")
    rows.plan_of(manifest.migrations)
    town = addresses.town_of(manifest)
    living = Town.objects.filter(uuid=town.uuid).first()
    is_copy = living is not None and not (living.slug == slug and living.state == TownState.OPENING)
    if is_copy and living is not None and living.slug == slug:
        raise TownExists(f"La commune « {slug} » existe : effacez-la d'abord, ou donnez --slug.")
    if is_copy and living is not None:
        town.copy_of = living.uuid
        # The same archive under the same slug is the same copy: a second start goes on with the first.
        town.uuid = uuid5(town.uuid, f"{slug} {archive.sha256}")
    state = TownState.OPEN if town.state == TownState.OPEN and not is_copy else TownState.SUSPENDED
    begun = Town.objects.filter(slug=slug).first()
    if begun is not None and not (begun.state == TownState.OPENING and begun.uuid == town.uuid):
        raise TownExists(f"Une autre commune est à l'adresse « {slug} » : donnez --slug.")
    if begun is None and next(objects.listed(f"{town.uuid}/"), None):
        raise TownError(f"Des fichiers de cette commune sont encore là ({town.uuid}/) : ôtez-les d'abord.")
    domains = addresses.domains_of(manifest, slug, is_copy=is_copy, begun=begun, is_ours=archive.is_ours)
    if begun is not None:
        town, shard = begun, begun.shard
    else:
        town.slug, town.schema_name = slug, addresses.free_schema(slug, town.uuid)
        town.shard, town.state, town.closes_at = shard, TownState.OPENING, None
        if rows.has_schema(shard, town.schema_name):
            raise TownError(f"Un schéma « {town.schema_name} » est déjà dans la base « {shard} ».")
    return Place(town, domains, is_copy, state)


def _reserve(place: Place, operation: Operation) -> Town:
    """Create the registry's rows, not served yet. The operation names them, so they are not taken for an opening."""
    town = place.town
    if town.pk is not None:
        Operation.objects.filter(pk=operation.pk).update(town=town)
    else:
        created_at = town.created_at
        try:
            with transaction.atomic():
                town.save()
                Operation.objects.filter(pk=operation.pk).update(town=town)
                Town.objects.filter(pk=town.pk).update(created_at=created_at)
                for domain in place.domains:
                    domain.tenant = town
                    domain.save()
        except IntegrityError:
            raise TownExists(f"L'adresse « {town.slug} » vient d'être prise.") from None
    mirrors.mirror(town)
    return town


def _fill(place: Place, archive: Archive, tell: Teller) -> None:
    """Fill the schema. Raises TownError for what cannot be restored."""
    town, manifest = place.town, archive.manifest
    tell("Création du schéma")
    with in_shard(town.shard):
        rows.drop_schema(town.schema_name)  # left half made by a killed attempt
        rows.make_schema(town.schema_name, manifest.migrations)
    try:
        with direct.connect(town.shard, town.schema_name) as server:
            _load(server, place, archive, tell)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise DamagedArchive(f"La base de données refuse l'archive ({rows.sentence(error)}).") from None
    tell("Mise à jour du schéma")
    try:
        town.schema_version = migrating.bring_forward(town, manifest.migrations)
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, ValueError, LookupError) as error:
        raise TownError(f"Une migration échoue sur ces données ({type(error).__name__} : {error}).") from None
    if place.is_copy:
        with tenant_context(town), transaction.atomic():
            copies.announce()
    tell("Dépôt des fichiers", 0, manifest.objects["count"])
    files = (
        (f"{town.uuid}/{name}", size, archive.pieces(form.FILES + name))
        for name, size, _sha256 in archive.objects()
    )
    for done in objects.store_all(files):
        tell("Dépôt des fichiers", done, manifest.objects["count"])


def _load(server: Server, place: Place, archive: Archive, tell: Teller) -> None:
    manifest, town = archive.manifest, place.town
    with rows.loading(server) as into:
        for done, table in enumerate(manifest.tables):
            tell("Dépôt des lignes", done, len(manifest.tables))
            with into(_table(table)) as write:
                for piece in archive.pieces(f"{form.ROWS}{table.table}.copy"):
                    write(piece)
        if place.is_copy:
            _rename_keys(server, addresses.town_of(manifest).uuid, town.uuid)
        _check_keys(server, town.uuid)
        rows.set_sequences(
            server, {name: (value, called) for name, (value, called) in manifest.sequences.items()}
        )
    public_rows.clear(server, town.pk)
    known = {table.name: table for table in public_rows.tables()}
    # A copy has no planned work, and the Treasury answers the original town.
    for table in [] if place.is_copy else manifest.public:
        here = known.get(table.table)
        if here is None or set(here.columns) != set(table.columns):
            raise TownError(
                f"La table publique « {table.table} » de l'archive n'est pas celle de ce logiciel."
            )
        with public_rows.copying_in(server, _table(table), town.pk) as write:
            for piece in archive.pieces(f"{form.PUBLIC_ROWS}{table.table}.copy"):
                write(piece)


def _table(table: Rows) -> rows.Table:
    return rows.Table(table.table, tuple(table.columns), ())


def _rename_keys(server: Server, old: UUID, new: UUID) -> None:
    """A copy keeps its files under its own UUID: rewrite the keys in its rows."""
    here = {table.name: table.columns for table in rows.tables(server)}
    for name, declaration in declarations.by_table().items():
        for column in set(declaration.keys) & set(here.get(name, ())):
            key = sql.Identifier(column)
            server.execute(
                sql.SQL("UPDATE {} SET {} = {} || substr({}, 37) WHERE starts_with({}, {})").format(
                    sql.Identifier(name), key, sql.Literal(str(new)), key, key, sql.Literal(f"{old}/")
                )
            )


def _check_keys(server: Server, own: UUID) -> None:
    """Check that every key in its rows is the town's own: the portal signs links to any key that a row names."""
    here = {table.name: table.columns for table in rows.tables(server)}
    for name, declaration in declarations.by_table().items():
        for column in set(declaration.keys) & set(here.get(name, ())):
            query = sql.SQL("SELECT {0} FROM {1} WHERE {0} <> '' AND ({0} !~ {2} OR {0} ~ {3}) LIMIT 1")
            inside, dots = rf"^{own}(/[^/\\]+)+$", r"/\.{1,2}(/|$)"
            key, table = sql.Identifier(column), sql.Identifier(name)
            odd = server.execute(query.format(key, table, sql.Literal(inside), sql.Literal(dots))).fetchone()
            if odd is not None:
                raise DamagedArchive(
                    f"La table « {name} » nomme un fichier qui n'est pas de cette commune : « {odd[0][:120]} »."
                )


def _give_up(town: Town) -> None:
    """Remove what was begun; none of it was ever served."""
    with in_shard(town.shard):
        rows.drop_schema(town.schema_name)
    sum(objects.erase(f"{town.uuid}/"))
    mirrors.unmirror(town, town.shard)
    with in_registry():
        Town.objects.filter(pk=town.pk, state=TownState.OPENING).delete()
    registry.forget()


def _finish(place: Place, actor: str) -> None:
    """It is complete: set its state, so that it can be served."""
    town = place.town
    with in_registry(), transaction.atomic():
        town.state = place.state
        town.save(update_fields=["state", "schema_version"])
        facts.record(
            "town.restored", town=town, actor=actor, new={"state": place.state, "copy": place.is_copy}
        )
    mirrors.mirror(town)
    registry.forget()
