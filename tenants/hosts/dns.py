"""Ask the DNS for TXT records, through the resolvers of `DNS_RESOLVERS` or the system's."""

import dns.exception
import dns.resolver
from django.conf import settings
from dns.nameserver import Do53Nameserver

from tenants.errors import LookupFailed

ONE_TRY = 2.0  # seconds without an answer from one server
ALL_TRIES = 6.0  # for the whole question, retries included
LATER = "Un enregistrement récent peut mettre une heure à se voir : réessayez alors."


def txt_values(name: str) -> list[str]:
    """The TXT values under `name`. Raises LookupFailed with a sentence that says what the DNS answered."""
    try:
        answer = _resolver().resolve(f"{name}.", "TXT", search=False)
    except dns.resolver.NXDOMAIN:
        raise LookupFailed(f"Le DNS ne connaît pas encore « {name} ». {LATER}") from None
    except dns.resolver.NoAnswer:
        raise LookupFailed(f"« {name} » existe dans le DNS, mais sans enregistrement TXT. {LATER}") from None
    except dns.exception.Timeout:
        raise LookupFailed("Le DNS ne répond pas : réessayez dans quelques minutes.") from None
    except dns.resolver.NoNameservers:
        raise LookupFailed(
            f"Les serveurs DNS de « {name} » répondent par une erreur : vérifiez la zone, puis réessayez."
        ) from None
    except (dns.exception.DNSException, OSError) as error:
        raise LookupFailed(f"Le DNS n'a pas pu être interrogé ({type(error).__name__}).") from None
    return [b"".join(record.strings).decode("utf-8", "replace").strip() for record in answer]


def _resolver() -> dns.resolver.Resolver:
    servers = settings.DNS_RESOLVERS
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [Do53Nameserver(host, port) for host, port in servers]
    resolver.timeout, resolver.lifetime = ONE_TRY, ALL_TRIES
    resolver.cache = None  # the zone may have changed a moment ago
    return resolver
