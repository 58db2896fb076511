"""Keys of files in S3, and expiring links to them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext_lazy as _
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

LINK_SECONDS = 300
_PIECE = 64 * 1024
# Bytes of a file that is sent in one request; a larger one is never in memory whole.
_ONE_REQUEST = 2 * 1024 * 1024
PLATFORM = "platform"  # files of the platform; a town's files are under its UUID


@dataclass(frozen=True)
class Prefix:
    """What happens to the files under `<town uuid>/<prefix>/`; `why` is required for what an export leaves out."""

    exported: bool
    why: str = ""


# Declare a new kind of file here: nothing can be stored under an undeclared prefix.
PREFIXES = {
    "invoices": Prefix(exported=True),
    "imports": Prefix(exported=True),
    "statements": Prefix(exported=True),
    "identity": Prefix(exported=True),
    "contact": Prefix(exported=True),
    # Into it others write, under names that we do not choose. Erased with the town, like all its files.
    "inbox": Prefix(
        exported=False,
        why="what lies there is not imported yet, or is a copy of a file under imports/",
    ),
}
_OF_A_TOWN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/([^/]+)/.+")


# Seconds to connect to S3 and to wait for its answer: a waiting thread serves nobody else.
_PATIENT = Config(connect_timeout=3, read_timeout=12, retries={"total_max_attempts": 2, "mode": "standard"})
_BRIEF = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
# Errors about one file, not about the whole storage.
_OF_A_FILE = (
    "NoSuchKey",
    "NoSuchUpload",
    "404",
    "NotFound",
    "NotImplemented",
    "NotSupported",
    "MethodNotAllowed",
)


# For a form whose files could not be stored; its typed text is shown again.
NOT_KEPT = _(
    "Les fichiers ne peuvent pas être enregistrés pour le moment. Ce que vous avez écrit est toujours là : "
    "choisissez de nouveau vos fichiers et recommencez dans quelques minutes."
)


class StorageSilent(Exception):
    """S3 does not answer, or cannot serve us now."""


@contextmanager
def answering() -> Iterator[None]:
    """Wrap requests to S3: raises StorageSilent for a failure that is not about one file."""
    try:
        yield
    except ClientError as error:
        if _is_about_a_file(error):
            raise
        raise StorageSilent(error.operation_name) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageSilent(type(error).__name__) from error


def _is_about_a_file(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(error.response.get("Error", {}).get("Code", "")) in _OF_A_FILE or 400 <= status < 403


class UndeclaredPrefix(LookupError):
    """A file would be stored under a prefix that `PREFIXES` does not declare."""


def town_key(town: UUID, prefix: str, *rest: str) -> str:
    """`<town uuid>/<prefix>/<rest>`, for the functions below. Raises UndeclaredPrefix."""
    key = "/".join((str(town), prefix, *rest))
    check_key(key)
    return key


def check_key(key: str) -> None:
    """Raise UndeclaredPrefix unless the key is the platform's or under a declared prefix of a town."""
    found = _OF_A_TOWN.fullmatch(key)
    if not (found and found[1] in PREFIXES) and not key.startswith(f"{PLATFORM}/"):
        raise UndeclaredPrefix(
            f"nobody said whether an export of the town holds {key!r}: add its prefix to PREFIXES"
        )


def document_key(*, town: UUID, year: int, document: UUID) -> str:
    """`<town uuid>/invoices/<year>/<uuid>.pdf`."""
    return town_key(town, "invoices", str(year), f"{document}.pdf")


def upload_key(*, town: UUID, batch: UUID, name: str) -> str:
    """The key of an import's file: `<town uuid>/imports/<batch uuid>/<name>`."""
    return town_key(town, "imports", str(batch), name)


def inbox_key(*, town: UUID, source: UUID, name: str = "") -> str:
    """A file in the folder that others write into: `<town>/inbox/<source>/<name>`; without a name, the folder.

    They choose the names, so one may hold anything: it is read, never served.
    """
    return f"{town}/inbox/{source}/{name}"


def export_key(*, operation: UUID, name: str) -> str:
    """The key of an export: not under its town, which may be erased meanwhile."""
    return f"{PLATFORM}/exports/{operation}/{name}"


def statement_key(*, town: UUID, statement: UUID) -> str:
    """The key of a journal or bank statement, unchanged: `<town uuid>/statements/<uuid>`."""
    return town_key(town, "statements", str(statement))


def identity_key(*, town: UUID, digest: str, extension: str) -> str:
    """The key of a town's logo or icon: `<town uuid>/identity/<sha256>.<extension>`."""
    return town_key(town, "identity", f"{digest}.{extension}")


def contact_key(*, town: UUID, message: UUID, file: UUID, extension: str) -> str:
    """The key of a message's file: `<town uuid>/contact/<message uuid>/<uuid>.<extension>`."""
    return town_key(town, "contact", str(message), f"{file}.{extension}")


class DocumentStorage(S3Storage):
    """S3 through django-storages, with links signed for the address that browsers use.

    The server and the browser may know S3 under two addresses; a signature covers the host, so the
    link is signed by a client of its own for `public_endpoint`.
    """

    def __init__(self, *, public_endpoint: str, **settings: Any) -> None:
        self._public_endpoint = public_endpoint
        self._signer: Any = None
        self._brief: Any = None
        self._writer: Any = None
        self._lock = Lock()
        super().__init__(**settings)
        self.client_config: Any = self.client_config.merge(_PATIENT)

    def _save(self, name: str, content: Any) -> str:
        """Raises StorageSilent, like every method here that asks S3."""
        check_key(name)
        with answering():
            if content.size <= _ONE_REQUEST:
                return self._put(name, content)
            saved: str = super()._save(name, content)
        return saved

    def _put(self, name: str, content: Any) -> str:
        """Send the file in one request, by one client for all threads.

        django-storages would create a transfer manager, three times the work, and a client per thread.
        """
        cleaned: str = clean_name(name)
        key = self._normalize_name(cleaned)
        content.seek(0)
        with self._lock:
            if self._writer is None:
                self._writer = self.connection.meta.client
        self._writer.put_object(
            Bucket=self.bucket_name,
            Key=key,
            Body=content.read(),
            **self._get_write_parameters(key, content),
        )
        return cleaned

    def _open(self, name: str, mode: str = "rb") -> Any:
        """Raises FileNotFoundError too. Reading the file later raises boto3's errors (see `answering`)."""
        with answering():
            return super()._open(name, mode)

    def delete(self, name: str) -> None:
        """Deleting a missing file is no error."""
        with answering():
            super().delete(name)

    def ask(self, key: str) -> None:
        """Check quickly that S3 answers, before sending somebody there. A missing file raises nothing."""
        with self._lock:
            if self._brief is None:
                self._brief = self._create_session().client(
                    "s3",
                    endpoint_url=self.endpoint_url,
                    region_name=self.region_name,
                    config=self.client_config.merge(_BRIEF),
                )
        try:
            with answering():
                self._brief.head_object(Bucket=self.bucket_name, Key=clean_name(key))
        except ClientError:
            return

    def _signing_client(self) -> Any:
        """Made once: a client takes 50 ms, a signature nothing. Threads may share clients, but not sessions."""
        with self._lock:
            if self._signer is None:
                self._signer = self._create_session().client(
                    "s3",
                    endpoint_url=self._public_endpoint,
                    region_name=self.region_name,
                    config=self.client_config,
                )
            return self._signer

    def pieces(self, key: str) -> Iterator[bytes]:
        """The object, piece by piece. If it is absent, raises ClientError at once, not at the first piece."""
        client = self.connection.meta.client
        with answering():
            body = client.get_object(Bucket=self.bucket_name, Key=clean_name(key))["Body"]
        pieces: Iterator[bytes] = body.iter_chunks(_PIECE)
        return pieces

    def signed_link(
        self, key: str, *, filename: str, inline: bool = True, content_type: str = "application/pdf"
    ) -> str:
        """A GET link to `key`, valid `LINK_SECONDS`, which answers a file named `filename` (ASCII)."""
        client = self._signing_client()
        disposition = "inline" if inline else "attachment"
        link: str = client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket_name,
                "Key": clean_name(key),
                "ResponseContentDisposition": f'{disposition}; filename="{filename}"',
                "ResponseContentType": content_type,
            },
            ExpiresIn=LINK_SECONDS,
        )
        return link
