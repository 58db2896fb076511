"""The operation « export »: a town's archive in a file, or in S3 for whoever asked at the console."""

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
KEPT = timedelta(days=7)  # in S3
# Files that commands of this process write. Another process that finds their operation can do nothing with it.
_files: dict[str, IO[bytes]] = {}
Watch = Callable[[Operation], None]


def request_export(*, town: Town, actor: facts.Actor) -> Operation:
    """Ask for an archive in S3: the result says key, sha256, size and until when. Raises Busy or WrongState."""
    _check(town)
    return operations.request(
        kind=KIND, subject=town.slug, town=town, actor=actor, arguments={"town": str(town.uuid), "file": ""}
    )


def export_to_file(*, town: Town, path: Path, actor: facts.Actor, watch: Watch) -> Operation:
    """Write the archive to `path`, here and now; the file is there whole or not at all. Raises TownError."""
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
    sum(objects.erase(key.rpartition("/")[0] + "/"))  # what an attempt that was killed left half sent
    with objects.Upload(key) as upload:
        result = _export(operation, town, upload, progress)
    expires_at = timezone.now() + KEPT
    # `due_at` means nothing any more for what is done: it says when the sweep has something to do again.
    operation.due_at = expires_at
    operation.save(update_fields=["due_at"])
    return {**result, "key": key, "name": name, "expires_at": expires_at.isoformat()}


def link_to(operation: Operation) -> str:
    """A link of five minutes to the archive of a finished export. Raises TownError when it has gone."""
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
    """Take expired archives out of S3; returns how many. From beat, every hour."""
    with registry():
        due = list(
            Operation.objects.filter(
                kind=KIND,
                state=OperationState.DONE,
                due_at__lte=now or timezone.now(),
                result__has_key="key",
            )
        )
        for operation in due:
            forget(operation)
    return len(due)


def forget(operation: Operation) -> None:
    """Take its archive out of S3, and what a kill left there of one that it does not name."""
    sum(objects.erase(storage.export_key(operation=operation.uuid, name="")))
    if operation.result.pop("key", None):
        operation.save(update_fields=["result"])


def forget_all(town: Town) -> None:
    """Take everything that the town's exports have, or may have, out of S3."""
    with registry():
        for operation in Operation.objects.filter(
            kind=KIND, arguments__town=str(town.uuid), arguments__file=""
        ):
            forget(operation)


def stored(town: Town) -> list[Operation]:
    """The exports of the town whose archive is in S3."""
    with registry():
        return list(
            Operation.objects.filter(kind=KIND, arguments__town=str(town.uuid), result__has_key="key")
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
    """A file that takes its name only once it is whole; readable by its owner only: it is full of people."""
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
