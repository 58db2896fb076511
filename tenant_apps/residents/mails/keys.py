"""Messages about passkeys: the account's address is told when one is added or removed."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare

PAGE = "/mes-informations/cles/"


def _key_added(sender: Sender, *, name: str) -> Content:
    """To the account's address: a passkey now opens the account."""
    return Content(
        subject=_("Une clé d'accès a été ajoutée – %(town)s") % {"town": sender.town},
        sentence=_(
            "Une clé d'accès, « %(name)s », vient d'être ajoutée à votre compte du portail des factures : elle permet "
            "de s'y connecter sans mot de passe. Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        button_label=_("Voir mes clés d'accès"),
        button_url=f"{sender.address}{PAGE}",
        more=(
            _(
                "Ce n'est pas vous ? Retirez cette clé, choisissez un nouveau mot de passe, puis appuyez sur "
                "« Se déconnecter partout » dans « Mes informations »."
            ),
        ),
        why=_(
            "Vous recevez ce message parce que cette adresse est celle de votre compte, pour votre sécurité."
        ),
    )


def _key_removed(sender: Sender, *, name: str) -> Content:
    """To the account's address: that passkey no longer opens the account."""
    return Content(
        subject=_("Une clé d'accès a été retirée – %(town)s") % {"town": sender.town},
        sentence=_(
            "La clé d'accès « %(name)s » vient d'être retirée de votre compte du portail des factures : elle ne "
            "permet plus de s'y connecter. Si c'est bien vous, ne faites rien."
        )
        % {"name": name},
        button_label=_("Voir mes clés d'accès"),
        button_url=f"{sender.address}{PAGE}",
        more=(
            _(
                "Ce n'est pas vous ? Choisissez un nouveau mot de passe, puis appuyez sur « Se déconnecter partout » "
                "dans « Mes informations ». Vous pourrez ensuite ajouter de nouveau votre clé."
            ),
        ),
        why=_(
            "Vous recevez ce message parce que cette adresse est celle de votre compte, pour votre sécurité."
        ),
    )


KEY_ADDED = declare(
    Notice(
        kind="key-added",
        title=gettext_lazy("Clé d'accès ajoutée"),
        audience=Audience.PERSON,
        when="a passkey is added to the account",
        words=_key_added,
    )
)
KEY_REMOVED = declare(
    Notice(
        kind="key-removed",
        title=gettext_lazy("Clé d'accès retirée"),
        audience=Audience.PERSON,
        when="a passkey is taken away from the account",
        words=_key_removed,
    )
)
