"""What a message says, once: the HTML and the text version are made from the same words (look.md)."""

from dataclasses import dataclass


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
