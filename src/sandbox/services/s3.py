"""An S3 server (rclone's) on a folder of the home: one key pair, one bucket, no anonymous access."""

import http.client
from functools import partial

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.home import BUCKET, Home, SandboxError
from sandbox.process.part import Part
from sandbox.services import find


def part(home: Home) -> Part:
    """The server; a bucket is a folder."""
    return Part(
        name="s3",
        command=[
            *(str(find.script("rclone")), "serve", "s3", str(home.path("s3"))),
            *("--addr", f"127.0.0.1:{home.ports['s3']}", "--config", "", "--log-level", "NOTICE"),
            *("--cache-dir", str(home.path("s3-cache"))),
        ],
        # Not on the command line, where anybody could read it. rclone reads it as CSV, hence the quotes.
        environment={"RCLONE_AUTH_KEY": f'"{home.secret("s3_access")},{home.secret("s3_secret")}"'},
        prepare=partial(home.folder, "s3", BUCKET),
        probe=partial(_ask, home),
    )


def _ask(home: Home) -> None:
    """Check that the key can list the bucket, and that an anonymous reader cannot."""
    request = AWSRequest("GET", f"http://127.0.0.1:{home.ports['s3']}/{BUCKET}?list-type=2&max-keys=1")
    keys = Credentials(home.secret("s3_access"), home.secret("s3_secret"))
    SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    status, body = _get(home, dict(request.headers.items()))
    if status != 200 or b"ListBucketResult" not in body:
        raise ConnectionError(f"not S3 yet: {status} {body[:200]!r}")
    if _get(home, {})[0] == 200:
        raise SandboxError("Le serveur S3 répond à un inconnu: il ne doit pas servir.")


def _get(home: Home, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", home.ports["s3"], timeout=3)
    try:
        connection.request("GET", f"/{BUCKET}?list-type=2&max-keys=1", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
