"""What the messages of the `?LIEN=` roads say (M2-M4, M12). Call under the reader's language."""

from datetime import date

from django.utils.translation import gettext as _

from shared_apps.mail.content import Content
from toolkit import clock


def activation(*, town: str, url: str) -> Content:
    """The first message a resident ever gets from us."""
    return Content(
        subject=_("Activez votre compte – %(town)s") % {"town": town},
        sentence=_("Pour voir et régler vos factures en ligne, choisissez le mot de passe de votre compte."),
        button_label=_("Choisir mon mot de passe"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : le compte ne sera pas activé."
        ),
    )


def reset(*, town: str, url: str) -> Content:
    """For a forgotten password."""
    return Content(
        subject=_("Votre nouveau mot de passe – %(town)s") % {"town": town},
        sentence=_("Vous avez oublié votre mot de passe ? Choisissez-en un nouveau."),
        button_label=_("Choisir un nouveau mot de passe"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : votre mot de passe reste le même."
        ),
    )


def address(*, town: str, url: str) -> Content:
    """To the new address, which serves once this link is opened."""
    return Content(
        subject=_("Confirmez votre nouvelle adresse – %(town)s") % {"town": town},
        sentence=_(
            "Confirmez cette adresse : elle servira ensuite à vous connecter, à la place de l'ancienne."
        ),
        button_label=_("Confirmer ma nouvelle adresse"),
        button_url=url,
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que cette adresse a été saisie sur notre portail des factures. "
            "Si ce n'est pas vous, ne faites rien : rien ne changera."
        ),
    )


def address_taken(*, town: str) -> Content:
    """To whoever already has that address, so that the screen need not say so to a stranger."""
    return Content(
        subject=_("Votre adresse est déjà utilisée – %(town)s") % {"town": town},
        sentence=_(
            "Quelqu'un a demandé à se servir de votre adresse pour un autre compte. Elle est déjà celle du vôtre : "
            "rien n'a été changé."
        ),
        why=_("Vous recevez ce message parce que cette adresse est celle de votre compte."),
    )


def address_changed(*, town: str, url: str, until: date) -> Content:
    """To the old address, which can undo it until that day."""
    return Content(
        subject=_("Votre adresse a changé – %(town)s") % {"town": town},
        sentence=_(
            "L'adresse qui sert à vous connecter au portail des factures vient d'être remplacée. "
            "Si c'est bien vous, ne faites rien."
        ),
        button_label=_("Ce n'est pas moi : rétablir mon adresse"),
        button_url=url,
        more=(
            _(
                "Ce lien est valable jusqu'au %(day)s et ne sert qu'une fois. Il rétablit cette adresse, "
                "déconnecte tous les appareils et vous fait choisir un nouveau mot de passe."
            )
            % {"day": clock.in_words(until)},
        ),
        why=_("Vous recevez ce message à votre ancienne adresse, pour votre sécurité."),
    )


def address_put_back(*, town: str) -> Content:
    """To the address that served meanwhile."""
    return Content(
        subject=_("Votre adresse ne sert plus – %(town)s") % {"town": town},
        sentence=_(
            "Le changement d'adresse d'un compte du portail des factures a été annulé depuis son ancienne adresse : "
            "la vôtre ne sert plus à se connecter à ce compte."
        ),
        why=_(
            "Vous recevez ce message parce que votre adresse avait remplacé une autre adresse. "
            "Si vous pensez que c'est une erreur, écrivez-nous depuis la page Contact."
        ),
    )


def erasure_asked(*, town: str, address: str, until: date) -> Content:
    """To whoever asked to be erased: what happens next, and how to stop it."""
    return Content(
        subject=_("Votre demande d'effacement – %(town)s") % {"town": town},
        sentence=_(
            "Nous avons bien reçu votre demande d'effacement de vos données. Le service vous répondra au plus tard le "
            "%(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Voir ou annuler ma demande"),
        button_url=f"{address}/mes-informations/mes-donnees/effacement/",
        more=(
            _(
                "Si ce n'est pas vous, annulez cette demande et changez votre mot de passe dans « Mes informations »."
            ),
        ),
        why=_("Vous recevez ce message parce que cette demande a été faite depuis votre compte."),
    )


def erasure_to_answer(*, town: str, url: str, until: date) -> Content:
    """To the service; it names nobody, so that no mailbox keeps what is to be erased."""
    return Content(
        subject=_("Une demande d'effacement attend une réponse – %(town)s") % {"town": town},
        sentence=_(
            "Un usager demande l'effacement de ses données. La loi demande une réponse au plus tard le %(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Ouvrir la demande"),
        button_url=url,
        why=_("Vous recevez ce message parce que cette adresse est celle du service de facturation."),
    )


def erasure_refused(*, town: str, answer: str) -> Content:
    """The town's own words, and where to complain (GDPR, article 12.4)."""
    return Content(
        subject=_("Votre demande d'effacement est refusée – %(town)s") % {"town": town},
        sentence=_("Vous avez demandé l'effacement de vos données. Voici notre réponse : %(answer)s")
        % {"answer": answer},
        more=(_("Si vous n'êtes pas d'accord, vous pouvez saisir la CNIL : https://www.cnil.fr/plaintes"),),
        why=_("Vous recevez ce message parce que vous avez demandé l'effacement de vos données."),
    )


def erased(*, town: str) -> Content:
    """The last message that this address gets from us."""
    return Content(
        subject=_("Vos données sont effacées – %(town)s") % {"town": town},
        sentence=_("Votre compte du portail des factures et les données qui s'y rattachent sont effacés."),
        more=(
            _(
                "Vos factures et vos règlements sont conservés par la commune le temps que demandent les règles de la "
                "comptabilité publique."
            ),
            _("Ce message est le dernier : une fois envoyé, votre adresse n'est plus gardée par le portail."),
        ),
        why=_("Vous recevez ce message parce que vous avez demandé l'effacement de vos données."),
    )
