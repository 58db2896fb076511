"""Links to choose a first or a new password, and the code to sign in (docs/manual.md, M2-M4)."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import SECRET_LIFE, Audience, Notice, declare


def _activation(sender: Sender, *, token: str) -> Content:
    """The first message that a resident gets."""
    return Content(
        subject=_("Activez votre compte – %(town)s") % {"town": sender.town},
        sentence=_("Pour voir et régler vos factures en ligne, choisissez le mot de passe de votre compte."),
        button_label=_("Choisir mon mot de passe"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : le compte ne sera pas activé."
        ),
    )


def _reset(sender: Sender, *, token: str) -> Content:
    """A link to choose a new password."""
    return Content(
        subject=_("Votre nouveau mot de passe – %(town)s") % {"town": sender.town},
        sentence=_("Vous avez oublié votre mot de passe ? Choisissez-en un nouveau."),
        button_label=_("Choisir un nouveau mot de passe"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : votre mot de passe reste le même."
        ),
    )


def _code(sender: Sender, *, code: str) -> Content:
    """Six digits to sign in with; not in the subject, which phones show on a locked screen."""
    return Content(
        subject=_("Votre code de connexion – %(town)s") % {"town": sender.town},
        sentence=_(
            "Pour vous connecter au portail des factures, écrivez ce code sur la page où vous l'avez demandé."
        ),
        code=code,
        more=(
            _("Ce code est valable 10 minutes et ne sert qu'une fois."),
            _("Ne le donnez à personne : aucun agent de la mairie ne vous le demandera."),
        ),
        why=_(
            "Vous recevez ce message parce que quelqu'un a demandé un code pour votre adresse sur notre portail des "
            "factures. Si ce n'est pas vous, ne faites rien : sans ce code, personne ne peut se connecter."
        ),
    )


def _no_code_for_staff(sender: Sender) -> Content:
    """To a member of staff who asked for a code: codes are for residents only."""
    return Content(
        subject=_("Votre compte d'agent – %(town)s") % {"town": sender.town},
        sentence=_(
            "Un code a été demandé pour vous connecter. Les comptes d'agent s'ouvrent avec leur mot de passe, jamais "
            "avec un code reçu par e-mail."
        ),
        button_label=_("Aller à la connexion"),
        button_url=f"{sender.address}/",
        why=_(
            "Vous recevez ce message parce que quelqu'un a demandé un code pour votre adresse sur notre portail des "
            "factures. Si ce n'est pas vous, ne faites rien."
        ),
    )


ACTIVATION = declare(
    Notice(
        kind="link-activation",
        title=gettext_lazy("Lien d'activation"),
        audience=Audience.TYPED,
        when="somebody asks for a first password at an address that billing knows, or staff get an account",
        words=_activation,
        secret=SECRET_LIFE,
    )
)
RESET = declare(
    Notice(
        kind="link-reset",
        title=gettext_lazy("Lien pour un nouveau mot de passe"),
        audience=Audience.PERSON,
        when="somebody forgot the password of that account",
        words=_reset,
        secret=SECRET_LIFE,
    )
)
CODE = declare(
    Notice(
        kind="code",
        title=gettext_lazy("Code de connexion"),
        audience=Audience.PERSON,
        when="somebody asks for a code instead of the password",
        words=_code,
        secret=timedelta(minutes=10),  # accounts.codes.LIFE
    )
)
NO_CODE = declare(
    Notice(
        kind="no-code",
        title=gettext_lazy("Pas de code pour un agent"),
        audience=Audience.PERSON,
        when="a code is asked for the account of a member of staff",
        words=_no_code_for_staff,
        key="no-code:{account}:{day}",
    )
)
