"""A town's own domains: claim, prove by a DNS record, make primary, give up. All instant.

A proof is asked for once. When the owner changes the DNS, the domain stops leading here, and the operator removes
it (docs/decisions/0016).
"""

import ipaddress
import re
import secrets
from dataclasses import dataclass

import idna
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tenants import facts
from tenants.current import registry as in_registry
from tenants.databases import mirrors
from tenants.errors import InvalidHost, NotProven, TownError, TownExists
from tenants.hosts import dns, registry
from tenants.models import Domain, DomainKind, Town

LABEL = "_mes-factures"
LONGEST = 253 - len(LABEL) - 1
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True)
class Record:
    """The TXT record that the town has its DNS publish."""

    name: str
    value: str


def normalise(host: str) -> str:
    """The host as a browser sends it: lower case, punycode. Raises InvalidHost with a sentence."""
    typed = host.strip().rstrip(".")
    _refuse_address(typed)
    try:
        name = idna.encode(typed, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise InvalidHost(
            f"« {host} » n'est pas un nom de domaine : écrivez-le sans « https:// » ni chemin, "
            "par exemple factures.pechabou.fr."
        ) from None
    labels = name.split(".")
    if len(labels) < 2 or len(name) > LONGEST or _NUMBER.fullmatch(labels[-1]):
        raise InvalidHost(f"« {host} » n'est pas un nom de domaine complet, comme factures.pechabou.fr.")
    if name == settings.BASE_DOMAIN or name.endswith(f".{settings.BASE_DOMAIN}"):
        raise InvalidHost(f"« {name} » est une adresse de la plateforme, pas un domaine de la commune.")
    return name


def _refuse_address(typed: str) -> None:
    try:
        ipaddress.ip_address(typed.strip("[]"))
    except ValueError:
        return
    raise InvalidHost("Une adresse IP n'est pas un nom de domaine.")


def add_domain(*, town: Town, host: str, actor: facts.Actor = facts.SYSTEM) -> Record:
    """Claim a domain; it leads nowhere until it is proven. Asking again gives the same record.

    Raises InvalidHost, or TownExists when it is another town's.
    """
    name = normalise(host)
    claim = {
        "tenant": town,
        "kind": DomainKind.CUSTOM,
        "proof": new_proof(),
        "is_primary": False,
    }
    with in_registry(), transaction.atomic():
        domain, created = Domain.objects.get_or_create(domain=name, defaults=claim)
        if created:
            facts.record("domain.added", town=town, actor=actor, new={"host": name})
    if domain.tenant_id != town.pk:
        raise TownExists(f"« {name} » est déjà le domaine d'une autre commune.")
    _spread(town)
    return record_of(domain)


def new_proof() -> str:
    """A random value that only somebody who read it here can publish."""
    return secrets.token_hex(16)


def record_of(domain: Domain) -> Record:
    """What proves that domain."""
    return Record(f"{LABEL}.{domain.domain}", domain.proof)


def check_domain(*, town: Town, host: str, actor: facts.Actor = facts.SYSTEM) -> Domain:
    """Look for the DNS record, for a few seconds at most. A proven domain is served and not checked again.

    Raises NotProven or LookupFailed with a sentence, TownError when the domain is not the town's.
    """
    domain = _own(town, host)
    if domain.is_served:
        _spread(town)
        return domain
    wanted = record_of(domain)
    found = dns.txt_values(wanted.name)
    if wanted.value not in found:
        raise NotProven(
            f"L'enregistrement TXT de « {wanted.name} » vaut « {', '.join(found)[:200]} », "
            f"et non « {wanted.value} ». {dns.LATER}"
        )
    with in_registry(), transaction.atomic():
        locked = _locked(domain, town)
        if locked.proven_at is None:
            locked.proven_at = timezone.now()
            locked.save(update_fields=["proven_at"])
            facts.record("domain.proven", town=town, actor=actor, new={"host": locked.domain})
    _spread(town)
    return locked


def make_primary(*, town: Town, host: str, actor: facts.Actor = facts.SYSTEM) -> Domain:
    """Links lead to that host from now on, and the platform's redirects to it. Raises NotProven, TownError."""
    own = _own(town, host)
    with in_registry(), transaction.atomic():
        domain = _locked(own, town)
        if domain.kind == DomainKind.FORMER:
            raise TownError(f"« {domain.domain} » est une ancienne adresse : elle ne fait que rediriger.")
        if not domain.is_served:
            raise NotProven(f"« {domain.domain} » n'est pas encore vérifié : lancez d'abord la vérification.")
        if not domain.is_primary:
            old = Domain.objects.get(tenant=town, is_primary=True).domain
            _lead_to(domain)
            facts.record(
                "domain.made_primary",
                town=town,
                actor=actor,
                old={"host": old},
                new={"host": domain.domain},
            )
    _spread(town)
    return domain


def remove_domain(*, town: Town, host: str, actor: facts.Actor = facts.SYSTEM) -> bool:
    """Give a custom domain up; links lead to the platform's host again. False when it was not the town's.

    Raises TownError for the platform's own addresses, which stay.
    """
    name = host.strip().rstrip(".").lower()
    with in_registry(), transaction.atomic():
        known = {domain.domain: domain for domain in Domain.objects.select_for_update().filter(tenant=town)}
        domain = known.get(name) or known.get(normalise(host))
        if domain is not None:
            _remove(town, domain, actor)
    _spread(town)
    return domain is not None


def _remove(town: Town, domain: Domain, actor: facts.Actor) -> None:
    if domain.kind != DomainKind.CUSTOM:
        raise TownError(f"« {domain.domain} » est une adresse de la plateforme : elle ne se retire pas.")
    if domain.is_primary:
        _lead_to(Domain.objects.get(tenant=town, kind=DomainKind.PLATFORM))
    domain.delete()
    facts.record("domain.removed", town=town, actor=actor, old={"host": domain.domain})


def _lead_to(domain: Domain) -> None:
    domain.is_primary = True
    domain.save()  # django-tenants takes it from the others


def _own(town: Town, host: str) -> Domain:
    name = host.strip().rstrip(".").lower()
    with in_registry():
        domain: Domain | None = Domain.objects.filter(tenant=town, domain=name).first()
        if domain is None:
            domain = Domain.objects.filter(tenant=town, domain=normalise(host)).first()
    if domain is None:
        raise _not_of(town, host)
    return domain


def _locked(domain: Domain, town: Town) -> Domain:
    """Lock the domain and read it again: it may have been given up meanwhile."""
    locked: Domain | None = Domain.objects.select_for_update().filter(pk=domain.pk).first()
    if locked is None:
        raise _not_of(town, domain.domain)
    return locked


def _not_of(town: Town, host: str) -> TownError:
    return TownError(f"« {host} » n'est pas un domaine de {town.name} : ajoutez-le d'abord.")


def _spread(town: Town) -> None:
    """Update caches and mirrors. Repeating an act does this again, so a kill after the commit does no harm."""
    mirrors.mirror(town)
    registry.forget()
