"""Forms with attachments, also from strangers: they use little memory, and typed text is never lost."""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from shared_apps.accounts.throttling import throttle
from tenant_apps.contact.files.attachments import MOST_BYTES, MOST_FILES

PATIENCE = 100 * 1024 * 1024  # bytes; a larger request is not read at all
STRANGERS_POSTS = throttle.Limit("contact-posts", 60)  # per IP address: each post makes us read its files
# Posts whose files are opened: drawing a picture again takes a second and a hundred megabytes.
OPENED = throttle.Limit("contact-opened", 40)  # per account
OPENED_BY_STRANGERS = throttle.Limit("contact-opened-by-strangers", 10)  # per IP address

View = Callable[..., HttpResponseBase]


class Bounded(FileUploadHandler):
    """Keeps at most three files of 5 MB in memory, and reads the rest without keeping it.

    The text of the form comes after the files, and an error sentence can name the file.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._number = self._size = 0
        self._kept = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._number += 1
        self._size, self._kept = 0, BytesIO()
        if self._number > MOST_FILES:
            raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size <= MOST_BYTES:
            self._kept.write(raw_data)
        else:
            self._kept.truncate(0)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._kept.seek(0)
        return InMemoryUploadedFile(
            self._kept, self.field_name, self.file_name, self.content_type, self._size, self.charset
        )


def takes_files(view: View) -> View:
    """Decorate a view whose form has attachments: set the upload handler before the CSRF check reads the form."""
    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            if _size(request) > PATIENCE:
                return render(request, "errors/files_too_large.html", status=413)
            if not request.user.is_authenticated:
                throttle.take((STRANGERS_POSTS, throttle.client_address(request)))
            request.upload_handlers = [Bounded(request)]
        return protected(request, *args, **kwargs)

    return wrapped


def count_opened(request: HttpRequest) -> None:
    """Count a post with files before opening any. Raises TooManyTries."""
    if not request.FILES:
        return
    if request.user.is_authenticated:
        throttle.take((OPENED, str(request.user.pk)))
    else:
        throttle.take((OPENED_BY_STRANGERS, throttle.client_address(request)))


def _size(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
