"""Another address to sign in with (docs/manual.md, M12)."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import SECRET_LIFE, Audience, Notice, declare
from toolkit import clock


def _address(sender: Sender, *, token: str) -> Content:
    """To the new address: the account uses it once this link is opened."""
    return Content(
        subject=_("Confirmez votre nouvelle adresse – %(town)s") % {"town": sender.town},
        sentence=_(
            "Confirmez cette adresse : elle servira ensuite à vous connecter, à la place de l'ancienne."
        ),
        button_label=_("Confirmer ma nouvelle adresse"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que cette adresse a été saisie sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : rien ne changera."
        ),
    )


def _address_taken(sender: Sender) -> Content:
    """To the account that already has the address. The person who asked is not told that it exists."""
    return Content(
        subject=_("Votre adresse est déjà utilisée – %(town)s") % {"town": sender.town},
        sentence=_(
            "Quelqu'un a demandé à se servir de votre adresse pour un autre compte. Elle est déjà celle du vôtre : "
            "rien n'a été changé."
        ),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def _address_changed(sender: Sender, *, token: str, until: date) -> Content:
    """To the old address, which can undo the change until that day."""
    return Content(
        subject=_("Votre adresse a changé – %(town)s") % {"town": sender.town},
        sentence=_(
            "L'adresse qui sert à vous connecter au portail des factures vient d'être remplacée. "
            "Si c'est bien vous, ne faites rien."
        ),
        button_label=_("Ce n'est pas moi : rétablir mon adresse"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(
            _(
                "Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois. Il rétablit cette adresse, déconnecte "
                "tous les appareils, retire les clés d'accès et vous fait choisir un nouveau mot de passe."
            )
            % {"day": clock.in_words(until)},
        ),
        why=_("Vous recevez ce message à votre ancienne adresse, pour votre sécurité."),
    )


def _address_put_back(sender: Sender) -> Content:
    """To the address that the account used meanwhile."""
    return Content(
        subject=_("Votre adresse ne sert plus – %(town)s") % {"town": sender.town},
        sentence=_(
            "Le changement d'adresse d'un compte du portail des factures a été annulé depuis son ancienne adresse : "
            "la vôtre ne sert plus à se connecter à ce compte."
        ),
        why=_(
            "Vous recevez ce message parce que votre adresse avait remplacé une autre adresse. "
            "Si vous pensez que c'est une erreur, écrivez-nous depuis la page Contact."
        ),
    )


ADDRESS = declare(
    Notice(
        kind="link-address",
        title=gettext_lazy("Confirmation d'une nouvelle adresse"),
        audience=Audience.TYPED,
        when="a person asks to sign in with another address",
        words=_address,
        secret=SECRET_LIFE,
    )
)
ADDRESS_TAKEN = declare(
    Notice(
        kind="address-taken",
        title=gettext_lazy("Adresse déjà utilisée"),
        audience=Audience.PERSON,
        when="somebody else asks to sign in with the address of that account",
        words=_address_taken,
    )
)
ADDRESS_CHANGED = declare(
    Notice(
        kind="address-changed",
        title=gettext_lazy("Adresse changée"),
        audience=Audience.PERSON,
        when="the new address of an account serves: the old one is told, and can undo it",
        words=_address_changed,
        secret=SECRET_LIFE,
    )
)
ADDRESS_PUT_BACK = declare(
    Notice(
        kind="address-put-back",
        title=gettext_lazy("Changement d'adresse annulé"),
        audience=Audience.PERSON,
        when="the old address undid the change: the address that served meanwhile is told",
        words=_address_put_back,
    )
)
