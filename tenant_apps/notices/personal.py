"""What a person's copy holds from this room, what is erased, and what is kept for some months.

See shared_apps.privacy.personal.
"""

from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.mail import notices
from shared_apps.privacy.personal import Section
from tenant_apps.notices.models import PlannedNotice


def told() -> QuerySet[PlannedNotice]:
    """Planned notices that have become messages. Waiting ones are kept."""
    return PlannedNotice.objects.exclude(queued_at=None)


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """Their planned notices; the texts are in « courriels »."""
    yield Section(
        "alertes",
        _("Alertes prévues pour moi"),
        [
            ("objet", _("Objet")),
            ("adresse", _("Adresse e-mail")),
            ("prevue_le", _("Prévue le")),
            ("ecrite_le", _("Écrite le")),
        ],
        (
            (notices.label(kind), *row)
            for kind, *row in PlannedNotice.objects.filter(email__in=addresses)
            .order_by("id")
            .values_list("kind", "email", "created_at", "queued_at")
            .iterator()
        ),
    )


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """Delete their planned notices. Waits for one that the worker is writing; its mail goes with the outbox."""
    return {"alerts": PlannedNotice.objects.filter(email__in=addresses).delete()[0]}
