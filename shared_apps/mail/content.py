"""What a message says: its HTML and text versions are made from the same words (docs/look.md)."""

import re
from dataclasses import dataclass

# Control characters and lone surrogates: neither the database nor a mail server accepts them.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Sender:
    """The town that writes: its name, and the address of its portal."""

    town: str
    address: str


@dataclass(frozen=True)
class Content:
    """One sentence, one button or code, why you receive this. Strings are in the reader's language."""

    subject: str
    sentence: str
    why: str
    button_label: str = ""
    button_url: str = ""
    code: str = ""
    more: tuple[str, ...] = ()
    unsubscribe_url: str = ""  # « Ne plus recevoir ces messages », for what the reader may refuse (RFC 8058)


def sendable(text: str) -> str:
    """`text` with a replacement for each character that no message may hold."""
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The same for a header, where a line break would start another header."""
    return re.sub(r"\s+", " ", sendable(text)).strip()
