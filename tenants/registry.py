"""Host → town, from a small cache in the process."""

import time
from collections import OrderedDict
from threading import Lock

from django.conf import settings
from django.http.request import split_domain_port

from tenants.models import Domain, Town

SECONDS = settings.TOWN_CACHE_SECONDS  # how long another process may go on as before a change
ENTRIES = 20_000
_lock = Lock()
_known: OrderedDict[str, tuple[float, Town | None]] = OrderedDict()


def host_name(raw_host: str) -> str:
    """`Mairie.Example.ORG.:8000` → `mairie.example.org`; an empty string when it is no host."""
    domain, _port = split_domain_port(raw_host)
    return domain.rstrip(".").lower()


def public_hosts() -> dict[str, str]:
    """The platform's own hosts → what they are for."""
    base = settings.BASE_DOMAIN
    return {base: "platform", f"admin.{base}": "admin", f"paiement.{base}": "callback"}


def town_of_host(host: str) -> Town | None:
    """The town that answers on `host` (already normalised), whatever its state, or None.

    The caller must be on the public schema. Answers, also negative ones, are kept `SECONDS`.
    """
    present = time.monotonic()
    with _lock:
        found = _known.get(host)
        if found and found[0] > present:
            return found[1]
    domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    town = domain.tenant if domain else None
    with _lock:
        _known[host] = (present + SECONDS, town)
        _known.move_to_end(host)
        while len(_known) > ENTRIES:
            _known.popitem(last=False)
    return town


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
