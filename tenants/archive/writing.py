"""Write a town into an archive as a stream: no table and no file is held in memory whole."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from django.conf import settings
from django.db import models
from django.utils import timezone
from psycopg import sql

from tenants import declarations
from tenants.archive import format as form
from tenants.archive.format import Manifest, Measured, Rows
from tenants.current import registry
from tenants.databases import direct
from tenants.databases.direct import Server
from tenants.errors import TownError
from tenants.models import Domain, Town
from tenants.shards import public_rows, rows
from toolkit.files import objects, storage


class Out(Protocol):
    """What an archive is written to."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Written:
    """How much the archive holds."""

    rows: int
    objects: int
    bytes: int  # of the objects


def write_archive(town: Town, out: Out, *, by: str, tell: Tell = lambda words, done, total: None) -> Written:
    """Write the archive of a town to `out`, which need not be seekable; `tell` receives the progress.

    All rows are of one moment. Files are listed after it, so that every file that a row names is there:
    raises TownError with the first one that is not.
    """
    with registry():
        town = Town.objects.get(pk=town.pk)
        domains = list(Domain.objects.filter(tenant=town).order_by("pk"))
    with zipfile.ZipFile(cast(IO[bytes], out), "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        with direct.snapshot(town.shard, town.schema_name) as server:
            rows.lock_structure(server)
            migrations = _migrations(server)
            tables, left_out = _write_rows(archive, server, tell)
            public = [_write_public(archive, server, table, town.pk) for table in public_rows.tables()]
            sequences = {name: list(value) for name, value in rows.sequences(server).items()}
            tell("Liste des fichiers", 0, 0)
            files, left_files = _files_of(town)
            _check_files(server, town, dict(files))
        index = _write_files(archive, town, files, tell)
        manifest = Manifest(
            created_at=timezone.now().isoformat(),
            created_by=by,
            base_domain=settings.BASE_DOMAIN,
            town=_columns(town),
            domains=[_columns(domain) for domain in domains],
            schema_version=town.schema_version,
            migrations=migrations,
            tables=tables,
            public=public,
            sequences=sequences,
            objects=index,
            left_out=left_out | left_files,
        ).dump()
        for name, content in ((form.MANIFEST, manifest), (form.SEAL, form.seal(manifest))):
            with _member(archive, name) as write:
                write(content)
    return Written(sum(t.rows for t in (*tables, *public)), index["count"], index["bytes"])


def _write_rows(archive: zipfile.ZipFile, server: Server, tell: Tell) -> tuple[list[Rows], dict[str, str]]:
    """Write each table declared as held; note the reason for the others. Raises TownError for an undeclared table."""
    said = declarations.by_table()
    written, left_out = [], {}
    tables = rows.tables(server)
    for done, table in enumerate(tables):
        tell("Copie des lignes", done, len(tables))
        declaration = said.get(table.name)
        if declaration is None:
            raise TownError(
                f"La table « {table.name} » n'est déclarée nulle part : rien ne dit si un export la contient."
            )
        if not declaration.exported:
            left_out[table.name] = declaration.why
            continue
        with _member(archive, f"{form.ROWS}{table.name}.copy") as write:
            measured = Measured(write)
            number = rows.copy_out(server, table, measured.write)
        written.append(Rows(table.name, list(table.columns), number, measured.size, measured.sha256))
    return written, left_out


def _write_public(archive: zipfile.ZipFile, server: Server, table: rows.Table, town: int) -> Rows:
    with _member(archive, f"{form.PUBLIC_ROWS}{table.name}.copy") as write:
        measured = Measured(write)
        number = public_rows.copy_out(server, table, town, measured.write)
    return Rows(table.name, list(table.columns), number, measured.size, measured.sha256)


def _files_of(town: Town) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """Name (after the town's UUID) and size of each file that is exported, and the prefixes that are not."""
    found, left_out = [], {}
    for key, size in objects.listed(f"{town.uuid}/"):
        name = key.partition("/")[2]
        prefix = storage.PREFIXES.get(name.partition("/")[0])
        if prefix is not None and not prefix.exported:
            left_out[f"{name.partition('/')[0]}/"] = prefix.why
        elif prefix is None or not form.is_safe(form.FILES + name):
            raise TownError(f"Rien ne dit si un export contient le fichier « {key} » : rangez-le ou ôtez-le.")
        else:
            found.append((name, size))
    return found, left_out


def _check_files(server: Server, town: Town, files: dict[str, int]) -> None:
    """Check that each row's required file exists. Raises TownError."""
    here = {table.name: table.columns for table in rows.tables(server)}
    for name, declaration in declarations.by_table().items():
        for column, needed in declaration.keys.items():
            if not needed or column not in here.get(name, ()):
                continue
            query = sql.SQL("SELECT {} FROM {} ORDER BY 1").format(
                sql.Identifier(column), sql.Identifier(name)
            )
            with server.cursor(name="keys") as cursor:
                for (key,) in cursor.execute(query):
                    if key and key.removeprefix(f"{town.uuid}/") not in files:
                        raise TownError(f"Le fichier « {key} » manque, que la table « {name} » nomme.")


def _write_files(
    archive: zipfile.ZipFile, town: Town, files: list[tuple[str, int]], tell: Tell
) -> dict[str, Any]:
    """The files as they are (a PDF does not shrink), then their list."""
    lines, total = [], 0
    keys = [(f"{town.uuid}/{name}", size) for name, size in files]
    try:
        for done, ((name, size), (key, pieces)) in enumerate(zip(files, objects.read_all(keys), strict=True)):
            tell("Copie des fichiers", done, len(files))
            with _member(archive, form.FILES + name, zipfile.ZIP_STORED) as write:
                measured = Measured(write)
                for piece in pieces:
                    measured.write(piece)
            if measured.size != size:
                raise TownError(f"Le fichier « {key} » a changé pendant l'export : recommencez-le.")
            lines.append(form.object_line(measured.sha256, size, name))
            total += size
    except FileNotFoundError as error:
        raise TownError(f"Le fichier « {error} » a disparu pendant l'export : recommencez-le.") from None
    with _member(archive, form.OBJECTS) as write:
        listed = Measured(write)
        for line in lines:
            listed.write(line.encode())
    return {"count": len(files), "bytes": total, "size": listed.size, "sha256": listed.sha256}


@contextmanager
def _member(
    archive: zipfile.ZipFile, name: str, kind: int = zipfile.ZIP_DEFLATED
) -> Iterator[Callable[[bytes], object]]:
    info = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    info.compress_type = kind
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as stream:
        yield stream.write


def _migrations(server: Server) -> list[str]:
    found = server.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    return [f"{app}.{name}" for app, name in found]


def _columns(row: models.Model) -> dict[str, Any]:
    """Its columns as text, by their names; None stays None."""
    return {
        column.name: None if column.value_from_object(row) is None else column.value_to_string(row)
        for column in row._meta.concrete_fields
        if column.name not in form.NOT_WRITTEN
    }
