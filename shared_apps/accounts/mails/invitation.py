"""What is written to the staff of a town about their account."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.accounts.models import Role
from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare
from toolkit import clock

INVITATION_LIFE = timedelta(days=7)


def _invitation(sender: Sender, *, token: str, name: str, inviter: str, role: Role, until: date) -> Content:
    """`inviter` is empty when the operator of the platform invites; `name` when it is not known yet."""
    words = {"name": name, "inviter": inviter, "town": sender.town, "role": role.label}
    if inviter:
        invited = (
            _("%(inviter)s vous invite à gérer les factures de %(town)s, avec le rôle « %(role)s ».") % words
        )
        ask = _("S'il ne fonctionne plus, demandez à %(inviter)s de vous en envoyer un autre.") % words
    else:
        invited = (
            _("Un compte vous attend pour gérer les factures de %(town)s, avec le rôle « %(role)s ».") % words
        )
        ask = _("S'il ne fonctionne plus, demandez-en un autre à l'exploitant de la plateforme.")
    return Content(
        subject=_("Vous rejoignez la gestion des factures de %(town)s") % words,
        sentence=_("Bonjour %(name)s,") % words + " " + invited if name else invited,
        button_label=_("Ouvrir mon compte"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(
            _("Ce que ce rôle permet : %(sentence)s") % {"sentence": role.explained},
            _("Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois.")
            % {"day": clock.in_words(until)},
            ask,
        ),
        why=_(
            "Vous recevez ce message parce que votre adresse a été écrite dans l'équipe qui gère le portail des "
            "factures. Si vous n'êtes pas concerné, ne faites rien : aucun compte ne sera ouvert."
        ),
    )


def _not_yet(sender: Sender) -> Content:
    """To somebody who is invited, and asks for a password on the residents' page."""
    return Content(
        subject=_("Votre invitation vous attend – %(town)s") % {"town": sender.town},
        sentence=_(
            "Votre compte d'agent s'ouvre avec le lien de l'invitation que vous avez reçue par e-mail. S'il ne "
            "fonctionne plus, demandez à la personne qui vous a invité d'en envoyer un autre."
        ),
        button_label=_("Aller à la connexion"),
        button_url=f"{sender.address}/",
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien."
        ),
    )


INVITATION = declare(
    Notice(
        kind="team-invitation",
        title=gettext_lazy("Invitation dans l'équipe"),
        audience=Audience.TYPED,
        when="a manager, or the operator, invites somebody to the staff of the town, or invites them again",
        words=_invitation,
        secret=INVITATION_LIFE,
    )
)
NOT_YET = declare(
    Notice(
        kind="team-not-yet",
        title=gettext_lazy("Invitation dans l'équipe, pas encore acceptée"),
        audience=Audience.TYPED,
        when="somebody who is invited to the staff asks for a password on the residents' page",
        words=_not_yet,
        key="team-not-yet:{account}:{day}",
    )
)
