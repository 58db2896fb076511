"""What this room gives to a person, erases, and keeps for some months (tenants.personal)."""

from collections.abc import Iterator, Mapping

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from tenant_apps.contact.models import Message
from tenants.personal import Section


def messages() -> QuerySet[Message]:
    """Dealt with or not: after years, nobody answers any more."""
    return Message.objects.all()


def _of(account: Account, addresses: frozenset[str]) -> QuerySet[Message]:
    """What they wrote signed in, or as a visitor with their address."""
    return messages().filter(Q(account=account) | Q(account=None, email__in=addresses))


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """What they wrote, word for word."""
    yield Section(
        "messages",
        _("Messages que j'ai écrits au service"),
        [
            ("ecrit_le", _("Écrit le")),
            ("adresse", _("Adresse e-mail")),
            ("sujet", _("Sujet")),
            ("texte", _("Texte")),
            ("facture", _("Facture")),
            ("envoye_a", _("Envoyé à")),
            ("traite_le", _("Traité le")),
        ],
        _of(account, addresses)
        .order_by("id")
        .values_list("created_at", "email", "subject", "body", "invoice__number", "sent_to", "handled_at")
        .iterator(chunk_size=200),
    )


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """The whole messages: their words are the person's."""
    return {"messages": _of(account, addresses).delete()[0]}
