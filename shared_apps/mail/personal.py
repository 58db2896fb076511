"""What a person's copy holds from this room, what is erased, and what is kept for some months.

See shared_apps.privacy.personal.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Replace
from django.utils.translation import gettext as _

from shared_apps.mail.models import MailState, OutgoingMail
from shared_apps.privacy.personal import Section

ERASED = "(adresse effacée)"


def give(account: Any, addresses: frozenset[str]) -> Iterator[Section]:
    """The messages to the person, with their text while it is kept, except those with a `?LIEN=`."""
    mails = OutgoingMail.objects.filter(to__in=addresses).order_by("id")
    words = Case(When(secret=True, then=Value("")), default="text", output_field=TextField())
    yield Section(
        "courriels",
        _("Courriels que j'ai reçus"),
        [
            ("adresse", _("Adresse e-mail")),
            ("sujet", _("Sujet")),
            ("etat", _("État")),
            ("ecrit_le", _("Écrit le")),
            ("envoye_le", _("Envoyé le")),
            ("texte", _("Texte")),
        ],
        (
            (to, subject, MailState(state).label, created, sent, text)
            for to, subject, state, created, sent, text in mails.values_list(
                "to", "subject", "state", "created_at", "sent_at", words
            ).iterator(chunk_size=200)
        ),
    )


def erase(account: Any, addresses: frozenset[str]) -> Mapping[str, int]:
    """Delete the messages to the person, and to the service in their name. One that is leaving may still arrive."""
    about = OutgoingMail.objects.filter(Q(to__in=addresses) | Q(reply_to__in=addresses))
    gone = about.delete()[0]
    for address in addresses:  # messages to somebody else that contain this address
        for name in ("subject", "text", "html"):
            rows = OutgoingMail.objects.filter(**{f"{name}__contains": address})
            rows.update(**{name: Replace(F(name), Value(address), Value(ERASED))})
    return {"mails": gone}


def settled() -> QuerySet[OutgoingMail]:
    """Messages that were sent or given up on; waiting ones are kept."""
    return OutgoingMail.objects.filter(state__in=[MailState.SENT, MailState.FAILED])
