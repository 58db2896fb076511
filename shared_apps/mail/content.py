"""What a message says: its HTML and text versions are made from the same words (docs/look.md)."""

import re
from dataclasses import dataclass

# Control characters and lone surrogates: neither the database nor a mail server accepts them.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Sender:
    """The town that sends the message: its name, and the address of its portal."""

    town: str
    address: str


@dataclass(frozen=True)
class Content:
    """The words of a message, in the reader's language: one sentence, one button or code, and why they get it."""

    subject: str
    sentence: str
    why: str
    button_label: str = ""
    button_url: str = ""
    code: str = ""
    more: tuple[str, ...] = ()
    unsubscribe_url: str = (
        ""  # link of « Ne plus recevoir ces messages », for kinds that can be refused (RFC 8058)
    )


def sendable(text: str) -> str:
    """`text`, with a replacement for each character that messages cannot contain."""
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The same for a header, without line breaks: a line break would start another header."""
    return re.sub(r"\s+", " ", sendable(text)).strip()
