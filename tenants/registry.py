"""Host → town, from a small cache in the process."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http.request import split_domain_port

from tenants.models import Domain, DomainKind, Town

SECONDS = settings.TOWN_CACHE_SECONDS  # how long another process may go on as before a change
ENTRIES = 20_000
_lock = Lock()


@dataclass(frozen=True)
class Place:
    """What a host name leads to: a town, whatever its state, and the host to go to when this one redirects."""

    town: Town
    moved_to: str = ""


_known: OrderedDict[str, tuple[float, Place | None]] = OrderedDict()


def host_name(raw_host: str) -> str:
    """`Mairie.Example.ORG.:8000` → `mairie.example.org`; an empty string when it is no host."""
    domain, _port = split_domain_port(raw_host)
    return domain.rstrip(".").lower()


def public_hosts() -> dict[str, str]:
    """The platform's own hosts → what they are for."""
    base = settings.BASE_DOMAIN
    return {base: "platform", f"admin.{base}": "admin", f"paiement.{base}": "callback"}


def place_of_host(host: str) -> Place | None:
    """What `host` (already normalised) leads to, or None: a custom domain not yet proven leads nowhere.

    The caller must be on the public schema. Answers, also negative ones, are kept `SECONDS`.
    """
    present = time.monotonic()
    with _lock:
        found = _known.get(host)
        if found and found[0] > present:
            return found[1]
    place = _look_up(host)
    with _lock:
        _known[host] = (present + SECONDS, place)
        _known.move_to_end(host)
        while len(_known) > ENTRIES:
            _known.popitem(last=False)
    return place


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
    with _lock:
        _known.clear()


def address_of(town: Town) -> str:
    """`http(s)://host[:port]` of the town's primary domain, without a final slash; any schema may be current."""
    # No change of schema: the table is found in the public schema of whatever database we are on (mirrors).
    return address(Domain.objects.values_list("domain", flat=True).get(tenant_id=town.pk, is_primary=True))


def address(host: str) -> str:
    """The public address of `host` on this platform."""
    default = {"http": 80, "https": 443}[settings.PUBLIC_SCHEME]
    port = "" if default == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
    return f"{settings.PUBLIC_SCHEME}://{host}{port}"
