"""Many files in S3 at once: list, read, write as a stream, erase for good."""

import hashlib
import mimetypes
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, cast

from botocore.exceptions import ClientError
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from toolkit.files.storage import check_key

PART = 16 * 1024 * 1024  # bytes per part; ten thousand parts at most, so 160 GB
CHUNK = 256 * 1024
SMALL = 1024 * 1024  # bytes; smaller files are held in memory and transferred several at a time
AT_A_TIME = 8
# Answers of a server without versions, or without a list of unfinished uploads.
_HAS_NONE = ("NotImplemented", "NotSupported", "MethodNotAllowed", "NoSuchUpload")


def bucket() -> Any:
    """The bucket of documents, as boto3 knows it in this thread."""
    storage = cast(S3Storage, storages["documents"])
    return storage.connection.Bucket(storage.bucket_name)


class _Shared:
    """One client for several threads, which boto3 allows; a bucket belongs to one thread and is slow to create."""

    def __init__(self) -> None:
        found = bucket()
        self._client, self._bucket = found.meta.client, found.name

    def get(self, key: str) -> Any:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"]

    def whole(self, key: str) -> bytes:
        return b"".join(read(key, self))

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=_kind(key))


def listed(prefix: str) -> Iterator[tuple[str, int]]:
    """Key and size of each file under `prefix`, sorted by key."""
    for item in bucket().objects.filter(Prefix=prefix):
        yield str(item.key), int(item.size)


def dated(prefix: str) -> Iterator[tuple[str, datetime]]:
    """Key and (aware) date of each file under `prefix`."""
    for item in bucket().objects.filter(Prefix=prefix):
        yield str(item.key), item.last_modified


def read(key: str, through: _Shared | None = None) -> Iterator[bytes]:
    """The bytes of a file, in pieces. Raises FileNotFoundError."""
    try:
        body = (through or _Shared()).get(key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise FileNotFoundError(key) from None
        raise
    with body:
        yield from body.iter_chunks(CHUNK)


def fetch(key: str, into: BinaryIO) -> str:
    """Write it to a local file; return its sha256. Raises FileNotFoundError."""
    digest = hashlib.sha256()
    for piece in read(key):
        into.write(piece)
        digest.update(piece)
    return digest.hexdigest()


class Upload:
    """Write a file in S3 sequentially. It appears only if the block ends without an exception."""

    def __init__(self, key: str) -> None:
        self._object = bucket().Object(key)
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []

    def __enter__(self) -> "Upload":
        self._upload = self._object.initiate_multipart_upload(ContentType=_kind(self._object.key))
        return self

    def write(self, data: bytes) -> int:
        """Like the method of a file opened for writing."""
        self._waiting += data
        while len(self._waiting) >= PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]
        return len(data)

    def flush(self) -> None:
        """Does nothing: parts are sent when full."""

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


def read_all(files: Iterable[tuple[str, int]]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each key (given with its size) and its bytes in pieces, in that order. Raises FileNotFoundError.

    Small files are fetched ahead, several at a time; a large one is streamed when its turn comes.
    """
    waiting: deque[tuple[str, Future[bytes] | None]] = deque()
    shared = _Shared()
    with _pool() as pool:
        for key, size in files:
            waiting.append((key, pool.submit(shared.whole, key) if size <= SMALL else None))
            if len(waiting) > 2 * AT_A_TIME:
                yield _turn(*waiting.popleft())
        while waiting:
            yield _turn(*waiting.popleft())


def _turn(key: str, fetched: "Future[bytes] | None") -> tuple[str, Iterator[bytes]]:
    return key, read(key) if fetched is None else iter([fetched.result()])


def store_all(files: Iterable[tuple[str, int, Iterable[bytes]]]) -> Iterator[int]:
    """Store files, each given as key, size and pieces; yield how many are stored so far.

    Small files are sent several at a time; a large one is streamed. At the end, all are stored.
    """
    waiting: deque[Future[None]] = deque()
    shared, kept = _Shared(), 0
    with _pool() as pool:
        for key, size, pieces in files:
            check_key(key)
            if size <= SMALL:
                waiting.append(pool.submit(shared.put, key, b"".join(pieces)))
            else:
                with Upload(key) as upload:
                    for piece in pieces:
                        upload.write(piece)
                kept += 1
            if len(waiting) > 2 * AT_A_TIME:
                waiting.popleft().result()
                kept += 1
                yield kept
        while waiting:
            waiting.popleft().result()
            kept += 1
        yield kept


def _kind(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    """A thread pool that starts nothing more after an exception."""
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="objects")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def check_erasable(prefix: str) -> None:
    """Raise PermissionError when the server does not let us list everything that `erase` must destroy."""
    try:
        _keeps_versions()
        _unfinished(prefix)
    except ClientError as error:
        raise PermissionError(f"{error.operation_name}: {error.response['Error'].get('Code')}") from None


def erase(prefix: str) -> Iterator[int]:
    """Destroy every file under `prefix`, all versions, and unfinished uploads. Yields the number destroyed each time.

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
    version = getattr(item, "id", None)  # the version of an object, if it has one
    return {"Key": item.object_key, "VersionId": version} if version else {"Key": item.key}


def _keeps_versions() -> bool:
    try:
        return bucket().Versioning().status is not None
    except ClientError as error:
        if error.response["Error"].get("Code") in _HAS_NONE:
            return False
        raise


def _unfinished(prefix: str) -> list[Any]:
    try:
        found = list(bucket().multipart_uploads.filter(Prefix=prefix))
    except ClientError as error:
        if error.response["Error"].get("Code") in _HAS_NONE:
            return []
        raise
    return [upload for upload in found if upload.object_key.startswith(prefix)]
