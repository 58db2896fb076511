"""Protect the public form against spam without a question: a signed opening time, and a limit on links."""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.core import signing
from django.utils import timezone

from tenants.current import current_schema

TOO_FAST = timedelta(seconds=3)
TOO_OLD = timedelta(hours=24)
MOST_LINKS = 2
_LINK = re.compile(r"https?://|\bwww\.|\[url|<a\s", re.I)


@dataclass(frozen=True)
class Stamp:
    """A shown form. `public_id` will be its message's, so that a form sent twice makes one message."""

    public_id: UUID
    age: timedelta

    @property
    def is_too_fast(self) -> bool:
        return self.age < TOO_FAST

    @property
    def is_too_old(self) -> bool:
        return self.age > TOO_OLD


def new_stamp() -> str:
    """A stamp for a form shown now in the current town."""
    return _signer().sign_object({"id": str(uuid4()), "at": timezone.now().timestamp()})


def read_stamp(text: str) -> Stamp | None:
    """The stamp that a form sends back; None when it is not ours."""
    try:
        found = _signer().unsign_object(text)
    except signing.BadSignature:
        return None
    return Stamp(UUID(found["id"]), timedelta(seconds=timezone.now().timestamp() - found["at"]))


def _signer() -> signing.Signer:
    return signing.Signer(salt=f"contact.form:{current_schema()}")


def has_too_many_links(*texts: str) -> bool:
    """Whether the text has more links than a message about an invoice needs."""
    return sum(len(_LINK.findall(text)) for text in texts) > MOST_LINKS
