"""Where files live in S3, and links to them that expire."""

from collections.abc import Iterator
from threading import Lock
from typing import Any
from uuid import UUID

from storages.backends.s3 import S3Storage
from storages.utils import clean_name

LINK_SECONDS = 300
_PIECE = 64 * 1024


def document_key(*, town: UUID, year: int, document: UUID) -> str:
    """`<town uuid>/invoices/<year>/<uuid>.pdf` (design §4)."""
    return f"{town}/invoices/{year}/{document}.pdf"


def upload_key(*, town: UUID, batch: UUID, name: str) -> str:
    """Where the file of an import waits: `<town uuid>/imports/<batch uuid>/<name>`."""
    return f"{town}/imports/{batch}/{name}"


def identity_key(*, town: UUID, digest: str, extension: str) -> str:
    """Where a town's logo or icon is: `<town uuid>/identity/<sha256>.<extension>`."""
    return f"{town}/identity/{digest}.{extension}"


class DocumentStorage(S3Storage):
    """S3 through django-storages, with links signed for the address that browsers reach.

    The server and the browser may know S3 under two addresses; a signature covers the host, so the
    link is signed by a client of its own for `public_endpoint`.
    """

    def __init__(self, *, public_endpoint: str, **settings: Any) -> None:
        self._public_endpoint = public_endpoint
        self._signer: Any = None
        self._lock = Lock()
        super().__init__(**settings)

    def _signing_client(self) -> Any:
        """Made once: a client costs some 50 ms, a signature none. Clients may be shared by threads, sessions not."""
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
        """The object piece by piece. Raises ClientError at once, and not at the first piece, when it is absent."""
        client = self.connection.meta.client
        body = client.get_object(Bucket=self.bucket_name, Key=clean_name(key))["Body"]
        pieces: Iterator[bytes] = body.iter_chunks(_PIECE)
        return pieces

    def signed_link(self, key: str, *, filename: str, inline: bool = True) -> str:
        """A GET link to `key` valid `LINK_SECONDS`, answered as a PDF named `filename` (ASCII)."""
        client = self._signing_client()
        disposition = "inline" if inline else "attachment"
        link: str = client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket_name,
                "Key": clean_name(key),
                "ResponseContentDisposition": f'{disposition}; filename="{filename}"',
                "ResponseContentType": "application/pdf",
            },
            ExpiresIn=LINK_SECONDS,
        )
        return link
