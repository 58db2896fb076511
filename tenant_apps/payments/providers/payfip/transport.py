"""HTTP for the SOAP calls: one answer, limited in time and size, and always read as XML."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError
from zeep.transports import Transport

LARGEST = 256 * 1024  # bytes of an answer; a real one has about one thousand
CONNECT = 5.0  # seconds


@dataclass(frozen=True)
class Answer:
    """The parts of a response that zeep reads. The content type is left out: it must always read XML."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


class BoundedTransport(Transport):
    """A zeep transport that posts once: no redirect, no retry, no proxy of the environment.

    `timeout` (seconds) limits the time before the headers, then the time of the whole body, so that a very slow
    answer ends too.
    """

    def __init__(self, *, timeout: float) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc of the environment
        super().__init__(session=session, operation_timeout=(CONNECT, timeout))
        self._timeout = timeout

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Answer:
        """Post `message`. Raises requests.RequestException without a whole answer. It logs nothing."""
        response = self.session.post(
            address,
            data=message,
            headers=headers,
            timeout=self.operation_timeout,
            stream=True,
            allow_redirects=False,
        )
        with closing(response):
            return Answer(response.status_code, self._body(response))

    def _body(self, response: requests.Response) -> bytes:
        end, body = time.monotonic() + self._timeout, bytearray()
        try:
            # read1 returns what has arrived. read would wait for a whole block, and we could not check the time.
            while piece := response.raw.read1(8192, decode_content=True):
                body += piece
                if len(body) > LARGEST:
                    raise requests.exceptions.ContentDecodingError("the answer is too long")
                if time.monotonic() > end:
                    raise requests.exceptions.ReadTimeout("the answer is too slow")
        except (HTTPError, OSError) as error:
            if isinstance(error, requests.RequestException):
                raise
            raise requests.exceptions.ConnectionError(type(error).__name__) from None
        return bytes(body)
