"""What a person's copy of their data holds from the trail: what they did, and what was done to their account.

The trail is never erased. It names people only by the uuid of their account.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from shared_apps.audit.models import AuditEntry
from shared_apps.audit.services import SYSTEM, TREASURY
from shared_apps.privacy.personal import Section


def give(account: Any, addresses: frozenset[str]) -> Iterator[Section]:
    """The facts, oldest first. Staff appear as « le service », without names."""
    me = account.audit_name
    entries = AuditEntry.objects.filter(Q(actor=me) | Q(object=me)).order_by("id")
    yield Section(
        "journal",
        _("Journal de mes actions et de mon compte"),
        [
            ("date", _("Date")),
            ("auteur", _("Auteur")),
            ("action", _("Action")),
            ("objet", _("Objet")),
            ("avant", _("Avant")),
            ("apres", _("Après")),
        ],
        (
            (at, _who(actor, me), verb, about, old, new)
            for at, actor, verb, about, old, new in entries.values_list(
                "at", "actor", "verb", "object", "old", "new"
            ).iterator(chunk_size=500)
        ),
    )


def _who(actor: str, me: str) -> str:
    known = {me: _("moi"), SYSTEM: _("le portail"), TREASURY: _("le Trésor public")}
    return known.get(actor) or _("le service")
