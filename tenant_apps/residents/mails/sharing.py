"""Messages about sharing a payer's invoices with another person."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import SECRET_LIFE, Audience, Notice, declare
from toolkit import clock


def _invitation(sender: Sender, *, token: str, inviter: str, until: date) -> Content:
    """To the address that a resident typed. The message does not name the payer; the page of its link does."""
    return Content(
        subject=_("Accès à des factures – %(town)s") % {"town": sender.town},
        sentence=_("%(inviter)s vous propose de voir et de régler ses factures sur le portail de la commune.")
        % {"inviter": inviter},
        button_label=_("Voir l'invitation"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(
            _("Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois.")
            % {"day": clock.in_words(until)},
        ),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si vous ne connaissez pas cette personne, ne faites rien : aucun accès ne sera ouvert."
        ),
    )


def _invitation_accepted(sender: Sender, *, email: str, payer: str, path: str) -> Content:
    """To the person who invited."""
    return Content(
        subject=_("Votre invitation est acceptée – %(town)s") % {"town": sender.town},
        sentence=_(
            "%(email)s voit maintenant les factures de %(payer)s. Vous pouvez y mettre fin à tout moment."
        )
        % {"email": email, "payer": payer},
        button_label=_("Voir qui a accès"),
        button_url=f"{sender.address}{path}",
        why=_(
            "Vous recevez ce message parce que vous avez invité cette personne sur le portail des factures."
        ),
    )


INVITATION = declare(
    Notice(
        kind="link-share",
        title=gettext_lazy("Invitation à voir des factures"),
        audience=Audience.TYPED,
        when="a resident invites somebody",
        words=_invitation,
        secret=SECRET_LIFE,
    )
)
INVITATION_ACCEPTED = declare(
    Notice(
        kind="share-accepted",
        title=gettext_lazy("Invitation acceptée"),
        audience=Audience.PERSON,
        when="the invited person accepted: whoever invited is told",
        words=_invitation_accepted,
    )
)
