"""The operation « export »: a town's archive, in a file (command) or in S3 (console)."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.storage import storages
from django.utils import timezone

from tenants import facts
from tenants.archive.format import Measured
from tenants.archive.progress import Teller
from tenants.archive.writing import Out, write_archive
from tenants.current import registry
from tenants.errors import TownError, WrongState
from tenants.models import Operation, OperationState, Town
from tenants.states import TownState
from tenants.work import operations
from tenants.work.operations import Progress
from toolkit.files import objects, storage

KIND = "export"
DEPOSIT = "deposit"  # an archive brought as a file (`deposits`), kept and removed as an export is
HOLDERS = (KIND, DEPOSIT)
KEPT = timedelta(days=7)  # in S3
# Files that this process's commands write. Another process cannot go on with such an operation.
_files: dict[str, IO[bytes]] = {}
Watch = Callable[[Operation], None]


def request_export(*, town: Town, actor: facts.Actor) -> Operation:
    """Ask for an archive in S3: the result says key, sha256, size and until when. Raises Busy or WrongState."""
    _check(town)
    return operations.request(
        kind=KIND, subject=town.slug, town=town, actor=actor, arguments={"town": str(town.uuid), "file": ""}
    )


def export_to_file(*, town: Town, path: Path, actor: facts.Actor, watch: Watch) -> Operation:
    """Write the archive to `path` in the foreground. The file appears only when complete. Raises TownError."""
    _check(town)
    with _appearing(path) as file:
        _files[str(path)] = file
        try:
            return operations.run(
                kind=KIND,
                subject=town.slug,
                town=town,
                actor=actor,
                arguments={"town": str(town.uuid), "file": str(path)},
                watch=watch,
            )
        finally:
            del _files[str(path)]


def work(operation: Operation, progress: Progress) -> Mapping[str, Any]:
    """What `operations` performs."""
    town = Town.objects.filter(uuid=operation.arguments["town"]).first()
    if town is None:
        raise TownError("Cette commune n'existe plus.")
    _check(town)
    name = f"{town.slug}-{timezone.localdate():%Y%m%d}.zip"
    path = operation.arguments["file"]
    if path:
        if path not in _files:
            raise TownError("L'export vers un fichier a été interrompu : relancez la commande.")
        return _export(operation, town, _files[path], progress)
    key = storage.export_key(operation=operation.uuid, name=name)
    sum(objects.erase(key.rpartition("/")[0] + "/"))  # parts sent by an attempt that was killed
    with objects.Upload(key) as upload:
        result = _export(operation, town, upload, progress)
    expires_at = timezone.now() + KEPT
    # On a finished operation, `due_at` says when the sweep removes the archive.
    operation.due_at = expires_at
    operation.save(update_fields=["due_at"])
    return {**result, "key": key, "name": name, "expires_at": expires_at.isoformat()}


def link_to(operation: Operation) -> str:
    """A link, valid five minutes, to the archive of a finished export. Raises TownError when it was removed."""
    if "key" not in operation.result:
        raise TownError("Cet export n'est plus sur la plateforme : demandez-en un autre.")
    documents = cast(storage.DocumentStorage, storages["documents"])
    return documents.signed_link(
        operation.result["key"],
        filename=operation.result["name"],
        inline=False,
        content_type="application/zip",
    )


def sweep(now: datetime | None = None) -> int:
    """Remove expired archives from S3, and return how many. Beat calls it every hour."""
    with registry():
        due = list(
            Operation.objects.filter(
                kind__in=HOLDERS,
                state=OperationState.DONE,
                due_at__lte=now or timezone.now(),
                result__has_key="key",
            )
        )
        for operation in due:
            forget(operation)
    return len(due)


def forget(operation: Operation) -> None:
    """Remove its archive from S3, and parts that a killed attempt left."""
    sum(objects.erase(storage.export_key(operation=operation.uuid, name="")))
    if operation.result.pop("key", None):
        operation.save(update_fields=["result"])


def forget_all(town: Town) -> None:
    """Remove everything that the town's exports may have left in S3."""
    with registry():
        for operation in Operation.objects.filter(
            kind__in=HOLDERS, arguments__town=str(town.uuid), arguments__file=""
        ):
            forget(operation)


def stored(town: Town) -> list[Operation]:
    """The town's exports whose archive is still in S3."""
    with registry():
        return list(
            Operation.objects.filter(kind__in=HOLDERS, arguments__town=str(town.uuid), result__has_key="key")
        )


def _check(town: Town) -> None:
    if town.state == TownState.OPENING:
        raise WrongState(f"{town.name} est {town.get_state_display()} : il n'y a encore rien à exporter.")


def _export(operation: Operation, town: Town, out: Out, progress: Progress) -> dict[str, Any]:
    measured = Measured(out.write)
    written = write_archive(town, measured, by=operation.requested_by, tell=Teller(progress))
    return {
        "sha256": measured.sha256,
        "size": measured.size,
        "rows": written.rows,
        "objects": written.objects,
    }


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name once it is complete. Only its owner may read it: it holds personal data."""
    part = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise TownError(f"{path} ne peut pas être écrit : {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
