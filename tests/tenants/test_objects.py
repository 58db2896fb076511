"""Files of S3 as streams, on the real server."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from toolkit.files import objects, storage


@pytest.fixture
def folder() -> Iterator[str]:
    name = f"platform/test-{uuid.uuid4().hex}/"
    yield name
    sum(objects.erase(name))


def test_written_in_parts_and_read_back(folder: str) -> None:
    data = os.urandom(objects.PART + 1000)
    with objects.Upload(folder + "big") as upload:
        for start in range(0, len(data), 700_000):
            upload.write(data[start : start + 700_000])
    assert list(objects.listed(folder)) == [(folder + "big", len(data))]
    kept = BytesIO()
    assert objects.fetch(folder + "big", kept) == hashlib.sha256(data).hexdigest()
    assert kept.getvalue() == data


def test_nothing_is_there_after_a_failure(folder: str) -> None:
    def fails() -> None:
        with objects.Upload(folder + "never") as upload:
            upload.write(b"half")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert list(objects.listed(folder)) == []
    with pytest.raises(FileNotFoundError):
        list(objects.read(folder + "never"))


def test_many_at_a_time_in_their_order(folder: str) -> None:
    sizes = [10, objects.SMALL + 5, 0, *range(40), objects.PART + 3]
    files = {f"{folder}{n:03}.pdf": os.urandom(size) for n, size in enumerate(sizes)}
    steps = list(objects.store_all((key, len(data), iter([data])) for key, data in files.items()))
    assert (steps == sorted(steps), steps[-1]) == (True, len(files))
    listed = list(objects.listed(folder))
    assert listed == [(key, len(data)) for key, data in files.items()]
    assert {key: b"".join(pieces) for key, pieces in objects.read_all(listed)} == files
    assert objects.bucket().Object(f"{folder}000.pdf").content_type == "application/pdf"
    with pytest.raises(FileNotFoundError, match="none"):
        list(objects.read_all([*listed, (folder + "none", 1)]))
    with pytest.raises(storage.UndeclaredPrefix):
        list(objects.store_all([("loose.pdf", 1, [b"x"])]))


def test_uploads_that_never_ended_are_erased_too(folder: str) -> None:
    upload = objects.bucket().Object(folder + "half").initiate_multipart_upload()
    upload.Part(1).upload(Body=b"half")
    objects.check_erasable(folder)
    assert len(objects._unfinished(folder)) == 1
    sum(objects.erase(folder))
    assert objects._unfinished(folder) == []


def test_erased_and_nothing_beside_it(folder: str) -> None:
    for name in ("a/1", "a/2", "ab/3"):
        storages["documents"].save(folder + name, ContentFile(b"x"))
    assert sum(objects.erase(folder + "a/")) == 2
    assert sum(objects.erase(folder + "a/")) == 0
    assert [key for key, _size in objects.listed(folder)] == [folder + "ab/3"]
    for careless in ("", "/", "a"):
        with pytest.raises(ValueError, match="folder"):
            next(objects.erase(careless))


def test_nothing_is_stored_where_nobody_said_what_becomes_of_it() -> None:
    with pytest.raises(storage.UndeclaredPrefix, match="PREFIXES"):
        storages["documents"].save(f"{uuid.uuid4()}/receipts/1.pdf", ContentFile(b"x"))
    with pytest.raises(storage.UndeclaredPrefix):
        storages["documents"].save("loose.pdf", ContentFile(b"x"))
