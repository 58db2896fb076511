"""A folder of S3 into which a program of others writes: look, read what was seen, put it elsewhere."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from botocore.exceptions import ClientError

from toolkit.files.objects import CHUNK, bucket
from toolkit.files.storage import answering, check_key

MOST = 1000  # files in one look; the others are seen when these have gone
_ABSENT = ("NoSuchKey", "404", "NotFound")


class Changed(Exception):
    """The file is no longer the one that was seen: gone, or written anew."""


@dataclass(frozen=True)
class Lying:
    """A file directly in the folder. Its name may hold any character but « / »."""

    name: str
    size: int
    etag: str


def look(folder: str) -> list[Lying]:
    """What lies directly in `folder` (which ends with « / »): `MOST` files at most, in one request.

    Raises StorageSilent.
    """
    place = bucket()
    with answering():
        try:
            answer = place.meta.client.list_objects_v2(
                Bucket=place.name, Prefix=folder, Delimiter="/", MaxKeys=MOST
            )
        except ClientError as error:
            if _is_absent(error):
                return []
            raise
    found = answer.get("Contents", ())
    return [
        Lying(str(one["Key"])[len(folder) :], int(one["Size"]), _bare(one["ETag"]))
        for one in found
        if one["Key"] != folder
    ]


@contextmanager
def taken(key: str, *, etag: str) -> Iterator[tuple[BinaryIO, str]]:
    """The file as it was seen, on disk, and its sha256: memory does not grow. Raises Changed and StorageSilent."""
    with tempfile.TemporaryFile() as copy:
        digest = hashlib.sha256()
        for piece in _pieces(key, etag):
            copy.write(piece)
            digest.update(piece)
        copy.seek(0)
        yield cast(BinaryIO, copy), digest.hexdigest()


def _pieces(key: str, etag: str) -> Iterator[bytes]:
    place = bucket()
    with answering():
        try:
            answer = place.meta.client.get_object(Bucket=place.name, Key=key)
        except ClientError as error:
            if _is_absent(error):
                raise Changed(key) from None
            raise
        body = answer["Body"]
        with body:
            if _bare(answer["ETag"]) != etag:
                raise Changed(key)
            yield from body.iter_chunks(CHUNK)


def put_away(key: str, to: str, *, etag: str) -> None:
    """Move the file that was seen from `key` to `to`; a second call changes nothing. Raises StorageSilent.

    One that was written anew meanwhile stays where it is: it is another file.
    """
    check_key(to)
    place = bucket()
    with answering():
        try:
            if _etag(place, key) != etag:
                return
            source = {"Bucket": place.name, "Key": key}
            place.meta.client.copy_object(
                Bucket=place.name, Key=to, CopySource=source, CopySourceIfMatch=f'"{etag}"'
            )
            if _etag(place, key) == etag:
                place.meta.client.delete_object(Bucket=place.name, Key=key)
        except ClientError as error:
            if not _is_absent(error) and error.response["Error"]["Code"] not in ("PreconditionFailed", "412"):
                raise


def _etag(place: Any, key: str) -> str:
    return _bare(place.meta.client.head_object(Bucket=place.name, Key=key)["ETag"])


def _bare(etag: object) -> str:
    """Some servers quote it in one answer and not in another."""
    return str(etag).strip('"')


def _is_absent(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code", "")) in _ABSENT
