"""Refuse uploaded files, except where a view expects them."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    """Stops reading at the first file.

    The CSRF check reads the form of every POST, even a stranger's. Without this, anybody could fill the disk
    with temporary files by posting one to any page. A view that takes files sets its own handlers first.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> None:
        return None
