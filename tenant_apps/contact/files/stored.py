"""The files of messages in S3: stored before the row that names them, and deleted if no row does."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from tenant_apps.contact.files.attachments import Attachment, File
from tenant_apps.contact.models import Message
from tenants.current import current_town
from tenants.work import agenda
from toolkit.files import objects
from toolkit.files.storage import DocumentStorage, contact_key

KIND = "contact-files"
YOUNG = timedelta(days=1)  # a file may wait that long for its row


def key_of(file: File) -> str:
    """Its key, made with the current town's UUID, so that a row cannot name a file of another town."""
    return contact_key(town=current_town().uuid, message=file.message, file=file.id, extension=file.extension)


def store(message: UUID, attachments: Sequence[Attachment]) -> list[File]:
    """Store the files of a message that is about to be written. Twice stores them once.

    The sweep is planned first, so that a file without a row is deleted whatever happens next.
    """
    if not attachments:
        return []
    agenda.plan(KIND, timezone.now() + YOUNG + timedelta(hours=1))
    files = {file.id: file for file in (File.of(message, one) for one in attachments)}
    for one in attachments:
        storages["documents"].save(key_of(File.of(message, one)), ContentFile(one.content))
    return list(files.values())


def download_link(file: File) -> str:
    """A link, valid five minutes at most, to download a file. The caller has checked access to its thread.

    Raises StorageSilent when S3 does not answer.
    """
    storage = cast(DocumentStorage, storages["documents"])
    storage.ask(key_of(file))
    return storage.signed_link(
        key_of(file), filename=file.ascii_name, inline=False, content_type=file.content_type
    )


def sweep() -> int:
    """Delete files older than a day that no message names; return how many."""
    gone = 0
    for key, moment in objects.dated(_folder()):
        message = key.removeprefix(_folder()).partition("/")[0]
        if moment < timezone.now() - YOUNG and key not in _named_by(message):
            storages["documents"].delete(key)
            gone += 1
    return gone


def next_sweep() -> datetime | None:
    """A day after the newest file; None when all are old, so that a town without attachments costs nothing."""
    present = timezone.now()
    young = any(moment >= present - YOUNG for _key, moment in objects.dated(_folder()))
    return present + YOUNG + timedelta(hours=1) if young else None


def _folder() -> str:
    return f"{current_town().uuid}/contact/"


def _named_by(message: str) -> set[str]:
    found = Message.objects.filter(uuid=UUID(message)).only("uuid", "files").first()
    return {key_of(file) for file in found.attached} if found else set()
