"""A file goes to S3 in one request or in parts, and comes back the same."""

import os
from typing import cast
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from toolkit.files.storage import _ONE_REQUEST, PLATFORM, DocumentStorage


@pytest.mark.parametrize("size", [0, 1, _ONE_REQUEST, _ONE_REQUEST + 1, 9 * 1024 * 1024])
def test_what_was_sent_comes_back(size: int) -> None:
    storage = cast(DocumentStorage, storages["documents"])
    content, key = os.urandom(size), f"{PLATFORM}/exports/{uuid4()}/f.pdf"
    file = ContentFile(content)
    file.read(10)  # whoever looked at its beginning did not send it
    assert storage.save(key, file) == key
    try:
        with storage.open(key) as found:
            assert found.read() == content
        known = storage.connection.meta.client.head_object(Bucket=storage.bucket_name, Key=key)
        assert (known["ContentType"], known["ContentLength"]) == ("application/pdf", size)
    finally:
        storage.delete(key)
