"""Host → town, from a small cache in the process."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from math import inf
from threading import Lock

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http.request import split_domain_port

from tenants.hosts import changes
from tenants.models import Domain, DomainKind, Town

SECONDS = settings.TOWN_CACHE_SECONDS  # how long another process may not know of a change
LONG = 3600.0  # seconds that an entry lives at most; rows of `tenants_change` live a day
ENTRIES = 20_000


@dataclass(frozen=True)
class Place:
    """Where a host leads: the town, whatever its state, and the target when this host redirects."""

    town: Town
    moved_to: str = ""


class _Places:
    """Cache of host → place; an entry is valid until the town changes.

    Every `SECONDS` the first request asks the registry what has changed (`hosts.changes`), for all hosts at once.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_host: OrderedDict[str, tuple[float, Place | None]] = OrderedDict()  # until when
        self._looked_at = -inf  # when we last looked at the changes
        self._seen = 0  # what that look saw (changes.since)
        self._heard: set[tuple[int, int]] = (
            set()
        )  # changes already applied: seen again while an old transaction runs
        self._epoch = 0  # grows with each change applied: an entry read before a change is not kept

    def get(self, host: str) -> Place | None:
        present = time.monotonic()
        if present - self._looked_at >= SECONDS:
            self._listen(present)
        with self._lock:
            until, place = self._by_host.get(host, (present, None))
            epoch = self._epoch
        if until > present:
            return place
        place = _look_up(host)
        with self._lock:
            if epoch == self._epoch:
                # An unknown host belongs to no town, so no town's change can remove its entry.
                self._by_host[host] = (present + (LONG if place else SECONDS), place)
                self._by_host.move_to_end(host)
                while len(self._by_host) > ENTRIES:
                    self._by_host.popitem(last=False)
        return place

    def _listen(self, present: float) -> None:
        seen, everything = self._seen, present - self._looked_at > LONG
        heard: set[tuple[int, int]] = set()
        if everything:
            following = changes.horizon()
        else:
            following, heard = changes.since(seen)
        with self._lock:
            changed = {town for _transaction, town in heard - self._heard}
            # Lower than before: another server answers, with its own transaction numbers.
            if everything or following < seen:
                self._by_host.clear()
                self._epoch += 1
            elif changed:
                for host in [h for h, (_until, p) in self._by_host.items() if p and p.town.pk in changed]:
                    del self._by_host[host]
                self._epoch += 1
            self._looked_at, self._seen, self._heard = present, following, heard

    def clear(self) -> None:
        with self._lock:
            self._by_host.clear()
            self._epoch += 1


_places = _Places()


def host_name(raw_host: str) -> str:
    """`Mairie.Example.ORG.:8000` → `mairie.example.org`; an empty string when it is no host."""
    domain, _port = split_domain_port(raw_host)
    return domain.rstrip(".").lower()


def public_hosts() -> dict[str, str]:
    """The platform's own hosts → their role."""
    base = settings.BASE_DOMAIN
    return {base: "platform", f"admin.{base}": "admin", f"paiement.{base}": "callback"}


def place_of_host(host: str) -> Place | None:
    """Where `host` (already normalised) leads; None for an unknown host and for an unproven custom domain.

    Call it in the registry. The answer is at most `SECONDS` old.
    """
    return _places.get(host)


def _look_up(host: str) -> Place | None:
    primary = Domain.objects.filter(tenant=OuterRef("tenant"), is_primary=True).values("domain")[:1]
    found = Domain.objects.select_related("tenant").annotate(primary=Subquery(primary))
    domain = found.filter(domain=host).first()
    if domain is None or not domain.is_served:
        return None
    # A custom domain answers by itself before it is made the primary one, so that it can be tried.
    redirects = not domain.is_primary and domain.kind != DomainKind.CUSTOM
    return Place(domain.tenant, str(domain.primary or "") if redirects else "")


def forget() -> None:
    """Empty this process's cache, after a change to the registry."""
    _places.clear()


def address_of(town: Town) -> str:
    """`http(s)://host[:port]` of the town's primary domain, without a final slash; any schema may be current."""
    # No change of schema needed: every database has the table in its public schema (mirrors).
    return address(Domain.objects.values_list("domain", flat=True).get(tenant_id=town.pk, is_primary=True))


def address(host: str) -> str:
    """The public address of `host` on this platform."""
    default = {"http": 80, "https": 443}[settings.PUBLIC_SCHEME]
    port = "" if default == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
    return f"{settings.PUBLIC_SCHEME}://{host}{port}"
