"""Messages about the town's OpenID provider: the account's address is told who links or unlinks it."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare


def _identity_linked(sender: Sender, *, label: str) -> Content:
    """To the account's address: the provider now opens the account."""
    return Content(
        subject=_("%(label)s est relié à votre compte – %(town)s") % {"label": label, "town": sender.town},
        sentence=_(
            "Votre compte est maintenant relié à %(label)s : vous pouvez vous connecter avec %(label)s, sans écrire "
            "votre mot de passe."
        )
        % {"label": label},
        button_label=_("Voir mes façons de me connecter"),
        button_url=f"{sender.address}/mes-informations/connexion/",
        more=(
            _(
                "Si ce n'est pas vous, supprimez ce lien, puis changez votre mot de passe : quelqu'un d'autre le "
                "connaît."
            ),
        ),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def _identity_unlinked(sender: Sender, *, label: str) -> Content:
    """To the account's address: the provider no longer opens the account."""
    return Content(
        subject=_("%(label)s n'est plus relié à votre compte – %(town)s")
        % {"label": label, "town": sender.town},
        sentence=_(
            "Votre compte n'est plus relié à %(label)s : pour vous connecter, écrivez votre adresse et votre mot de "
            "passe."
        )
        % {"label": label},
        button_label=_("Voir mes façons de me connecter"),
        button_url=f"{sender.address}/mes-informations/connexion/",
        more=(_("Si ce n'est pas vous, changez votre mot de passe : quelqu'un d'autre le connaît."),),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


IDENTITY_LINKED = declare(
    Notice(
        kind="identity-linked",
        title=gettext_lazy("Compte relié à un fournisseur d'identité"),
        audience=Audience.PERSON,
        when="the account is linked to a person of the OpenID provider",
        words=_identity_linked,
    )
)
IDENTITY_UNLINKED = declare(
    Notice(
        kind="identity-unlinked",
        title=gettext_lazy("Fournisseur d'identité retiré"),
        audience=Audience.PERSON,
        when="that link is undone",
        words=_identity_unlinked,
    )
)
