"""The HTTP under the SOAP: one answer, in a bounded time and of a bounded size, taken for XML and nothing else."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError
from zeep.transports import Transport

LARGEST = 256 * 1024  # bytes; a real answer has about one thousand
CONNECT = 5.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What zeep reads of a response. The announced type is left out: a proxy's « multipart » is no answer."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


class BoundedTransport(Transport):
    """Posts once: no redirect is followed, nothing is sent again, no proxy comes from the environment.

    `timeout` (seconds) bounds the silence before the headers, then the whole of the body: an answer that drips
    in byte by byte ends too.
    """

    def __init__(self, *, timeout: float) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy by surprise, no .netrc
        super().__init__(session=session, operation_timeout=(CONNECT, timeout))
        self._timeout = timeout

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Answer:
        """Raises requests.RequestException for what is no whole answer. Nothing of the exchange is logged."""
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
            # read1 returns what has arrived; read would wait for a whole block, and never look at the clock.
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
