"""What a message says, once: the HTML and the text version are made from the same words (docs/look.md)."""

import re
from dataclasses import dataclass

# Control signs and halves of signs: neither the database nor a mail server takes them.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Content:
    """One sentence, one button or code, why you receive this. Strings are ready to read, in the reader's language."""

    subject: str
    sentence: str
    why: str
    button_label: str = ""
    button_url: str = ""
    code: str = ""
    more: tuple[str, ...] = ()
    unsubscribe_url: str = ""  # « Ne plus recevoir ces messages », for what the reader may refuse (RFC 8058)


def sendable(text: str) -> str:
    """`text` with a mark in the place of each sign that no message may hold."""
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """The same for a header: a new line in one would begin another."""
    return re.sub(r"\s+", " ", sendable(text)).strip()
