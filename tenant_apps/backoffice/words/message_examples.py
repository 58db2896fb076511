"""The examples of messages that « Messages et rappels » shows."""

from typing import Any, NamedTuple

from shared_apps.mail import notices, notifying
from shared_apps.mail.notices import Example
from tenant_apps.townhall.models import TownHall


class Shown(NamedTuple):
    """`name` is in the address of its HTML; `is_sent`: the town sends such messages."""

    name: str
    label: str
    is_sent: bool
    subject: str
    text: str


def examples(townhall: TownHall) -> list[Shown]:
    """Each example of each kind, with the settings of `townhall`, in the order of what a person may refuse."""
    found = sorted(_every().items(), key=lambda one: notices.choice(one[1].choice).rank)
    return [_shown(name, example, townhall) for name, example in found]


def example_of(name: str) -> Example | None:
    """The example of that name; the first one for no name; None when there is none."""
    known = _every()
    return known.get(name) if name else next(iter(known.values()), None)


def _every() -> dict[str, Example]:
    return {example.choice: example for notice in notices.every() for example in notice.examples}


def _shown(name: str, example: Example, townhall: Any) -> Shown:
    mail = notifying.example(example.make())
    is_sent = notices.choice(example.choice).box(townhall) is not None
    return Shown(name, str(example.label), is_sent, mail.subject, mail.text)
