"""An archive that an operator brings as a file: checked, kept in S3 like an export, restored like one."""

from collections.abc import Iterator
from typing import IO
from uuid import uuid4

from django.utils import timezone

from tenants import facts
from tenants.archive import addresses
from tenants.archive.exporting import DEPOSIT, KEPT
from tenants.archive.format import Measured
from tenants.archive.reading import CHUNK, Archive
from tenants.current import registry
from tenants.models import Operation, OperationState
from toolkit.files import objects, storage


def deposit(*, stream: IO[bytes], actor: facts.Actor) -> Operation:
    """Keep the archive in S3 for as long as an export. Returns a finished operation, which `request_restore` takes.

    The seal, the manifest and the names of the members are checked before anything is kept; every row and file when it
    is restored. Raises DamagedArchive or Unsealed, with a sentence.
    """
    town = addresses.town_of(Archive(stream).manifest)
    uuid, name = uuid4(), f"{town.slug}-depot.zip"
    key = storage.export_key(operation=uuid, name=name)
    present = timezone.now()
    with registry():
        # Before the file, so that the sweep finds what a kill leaves.
        operation = Operation.objects.create(
            uuid=uuid,
            kind=DEPOSIT,
            subject=town.slug,
            arguments={"town": str(town.uuid), "file": ""},
            requested_by=actor if isinstance(actor, str) else actor.audit_name,
            state=OperationState.DONE,
            due_at=present + KEPT,
            finished_at=present,
            result={"key": key, "name": name, "expires_at": (present + KEPT).isoformat()},
        )
    try:
        with objects.Upload(key) as upload:
            measured = Measured(upload.write)
            for piece in _pieces(stream):
                measured.write(piece)
    except BaseException:
        with registry():
            operation.delete()
        raise
    operation.result |= {"size": measured.size, "sha256": measured.sha256}
    with registry():
        operation.save(update_fields=["result"])
    return operation


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while piece := stream.read(CHUNK):
        yield piece
