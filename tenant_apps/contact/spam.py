"""A quiet guard on the public form: a signed stamp of when it was opened, and a look at the links. Nobody is asked."""

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
    """The form that was shown: `public_id` is its message's, so a form sent twice is one message."""

    public_id: UUID
    age: timedelta

    @property
    def is_too_fast(self) -> bool:
        return self.age < TOO_FAST

    @property
    def is_too_old(self) -> bool:
        return self.age > TOO_OLD


def new_stamp() -> str:
    """For a form that is shown now, in the current town."""
    return _signer().sign_object({"id": str(uuid4()), "at": timezone.now().timestamp()})


def read_stamp(text: str) -> Stamp | None:
    """What a form brings back; None when it is not ours."""
    try:
        found = _signer().unsign_object(text)
    except signing.BadSignature:
        return None
    return Stamp(UUID(found["id"]), timedelta(seconds=timezone.now().timestamp() - found["at"]))


def _signer() -> signing.Signer:
    return signing.Signer(salt=f"contact.form:{current_schema()}")


def has_too_many_links(*texts: str) -> bool:
    """More than a person who speaks of an invoice has a use for."""
    return sum(len(_LINK.findall(text)) for text in texts) > MOST_LINKS
