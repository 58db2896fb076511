"""Many files of S3 at once: listed, read, written as a stream, erased for good."""

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, BinaryIO

from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from toolkit.storage import check_key

PART = 16 * 1024 * 1024  # of an upload; ten thousand parts at most, so 160 GB
CHUNK = 256 * 1024


def bucket() -> Any:
    """The bucket of documents, as boto3 knows it."""
    return storages["documents"].bucket  # type: ignore[attr-defined]


def listed(prefix: str) -> Iterator[tuple[str, int]]:
    """Key and size of each file under it, by key."""
    for item in bucket().objects.filter(Prefix=prefix):
        yield str(item.key), int(item.size)


def read(key: str) -> Iterator[bytes]:
    """Its bytes in pieces. Raises FileNotFoundError."""
    try:
        body = bucket().Object(key).get()["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise FileNotFoundError(key) from None
        raise
    with body:
        yield from body.iter_chunks(CHUNK)


def fetch(key: str, into: BinaryIO) -> str:
    """Write it to a file; returns its sha256. Raises FileNotFoundError."""
    digest = hashlib.sha256()
    for piece in read(key):
        into.write(piece)
        digest.update(piece)
    return digest.hexdigest()


class Upload:
    """A file of S3 that is written from front to back; it is there once the block has ended well, else not at all."""

    def __init__(self, key: str) -> None:
        self._object = bucket().Object(key)
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []

    def __enter__(self) -> "Upload":
        kind = mimetypes.guess_type(self._object.key)[0] or "application/octet-stream"
        self._upload = self._object.initiate_multipart_upload(ContentType=kind)
        return self

    def write(self, data: bytes) -> int:
        """As a file opened for writing."""
        self._waiting += data
        while len(self._waiting) >= PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]
        return len(data)

    def flush(self) -> None:
        """Nothing to do before the end."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._upload.abort()
            return
        self._send(bytes(self._waiting))
        self._upload.complete(MultipartUpload={"Parts": self._parts})

    def _send(self, data: bytes) -> None:
        number = len(self._parts) + 1
        answer = self._upload.Part(number).upload(Body=data)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})


def store(key: str, pieces: Iterable[bytes], size: int) -> None:
    """Keep a file of that size. It is held whole only when it is small."""
    if size <= PART:
        storages["documents"].save(key, ContentFile(b"".join(pieces)))
        return
    check_key(key)
    with Upload(key) as upload:
        for piece in pieces:
            upload.write(piece)


def erase(prefix: str) -> Iterator[int]:
    """Destroy every file under it: all versions, and uploads that were never ended. Yields how many went each time.

    Raises ValueError for an empty prefix, and OSError when the server could not destroy one.
    """
    if not prefix.endswith("/") or len(prefix) < 3:
        raise ValueError(f"{prefix!r} is no folder")
    if _keeps_versions():
        yield from _deleted(bucket().object_versions.filter(Prefix=prefix))
    yield from _deleted(bucket().objects.filter(Prefix=prefix))
    for upload in _unfinished(prefix):
        upload.abort()


def _deleted(found: Any) -> Iterator[int]:
    for page in found.pages():
        answer = bucket().delete_objects(Delete={"Objects": [_named(item) for item in page]}) if page else {}
        if answer.get("Errors"):
            worst = answer["Errors"][0]
            raise OSError(f"{worst.get('Key')}: {worst.get('Message')}")
        yield len(answer.get("Deleted", ()))


def _named(item: Any) -> dict[str, str]:
    version = getattr(item, "id", None)  # of an object's version
    return {"Key": item.object_key, "VersionId": version} if version else {"Key": item.key}


def _keeps_versions() -> bool:
    try:
        return bucket().Versioning().status is not None
    except ClientError:  # a server that has no such thing
        return False


def _unfinished(prefix: str) -> list[Any]:
    try:
        return [upload for upload in bucket().multipart_uploads.all() if upload.object_key.startswith(prefix)]
    except ClientError:  # a server that has no such list
        return []
