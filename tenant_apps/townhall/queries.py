"""What other rooms read about the town."""

import time
from collections import OrderedDict
from threading import Lock
from typing import TypedDict

from django.core.files.storage import storages

from shared_apps.accounts.models import Account
from shared_apps.accounts.passwords.rule import DEFAULT_MINIMUM, PasswordRule
from tenant_apps.townhall.models import TownHall
from tenants.current import current_schema, current_town
from tenants.hosts import registry
from tenants.models import Town
from toolkit.files.storage import StorageSilent, answering

SECONDS = 600  # how long a cached row lives, in case the process that changed it died before announcing that
ENTRIES = 5_000
_lock = Lock()
_known: OrderedDict[str, tuple[Town, float, TownHall]] = OrderedDict()


def current_townhall() -> TownHall:
    """The settings of the current town."""
    return TownHall.objects.get(pk=1)


def shown_townhall() -> TownHall:
    """The same for residents' pages, from a small cache in the process.

    Changes are announced (`tenants.hosts.changes`): they refresh the registry's cache and this one.
    """
    town, schema, present = current_town(), current_schema(), time.monotonic()
    with _lock:
        kept = _known.get(schema)
    if kept and kept[0] is town and kept[1] > present:
        return kept[2]
    townhall = current_townhall()
    with _lock:
        _known[schema] = (town, present + SECONDS, townhall)
        _known.move_to_end(schema)
        while len(_known) > ENTRIES:
            _known.popitem(last=False)
    return townhall


def forget() -> None:
    """Empty this process's cache."""
    with _lock:
        _known.clear()


def password_rule(account: Account | None = None) -> PasswordRule:
    """The current town's rule for the password of `account`. Staff have 12 characters at least in every town."""
    townhall = current_townhall()
    minimum = townhall.password_minimum
    if account is not None and account.is_town_staff:
        minimum = max(minimum, DEFAULT_MINIMUM)
    return PasswordRule(minimum, town=(townhall.name, current_town().slug))


class Letterhead(TypedDict):
    """What stands around every message of the town: name, colours, address."""

    townhall: TownHall
    address: str


def letterhead() -> Letterhead:
    """The letterhead of the current town, for its messages."""
    return {"townhall": current_townhall(), "address": registry.address_of(current_town())}


def logo_png(townhall: TownHall) -> bytes:
    """The bytes of the town's logo for our PDF: nothing without a logo, for an SVG, or while S3 does not answer."""
    if not townhall.logo.endswith(".png"):
        return b""
    try:
        with answering(), storages["documents"].open(townhall.logo) as file:
            return bytes(file.read())
    except (FileNotFoundError, StorageSilent):
        return b""
