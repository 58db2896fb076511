"""The mail catcher: an SMTP server that keeps every message, and a page to read them."""

import http.client
import smtplib
import sys
from functools import partial

from sandbox.home import Home
from sandbox.process.part import Part


def part(home: Home) -> Part:
    """SMTP server and page, in one process: `python -m sandbox.mail`."""
    return Part(
        name="mail",
        command=[
            *(sys.executable, "-m", "sandbox.mail", "--folder", str(home.path("mail"))),
            *("--smtp", str(home.ports["smtp"]), "--page", str(home.ports["mail"])),
        ],
        probe=partial(_ask, home),
    )


def _ask(home: Home) -> None:
    with smtplib.SMTP("127.0.0.1", home.ports["smtp"], timeout=3) as client:
        client.noop()
    connection = http.client.HTTPConnection("127.0.0.1", home.ports["mail"], timeout=3)
    try:
        connection.request("GET", "/health")
        if connection.getresponse().status != 200:
            raise ConnectionError("the mail page is not ready")
    finally:
        connection.close()
