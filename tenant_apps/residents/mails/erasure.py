"""« Effacer mes données »: the messages to the person and to the town's service."""

from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import Audience, Notice, declare
from toolkit import clock


def _erasure_asked(sender: Sender, *, until: date) -> Content:
    """To the person who asked: what happens next, and how to withdraw."""
    return Content(
        subject=_("Votre demande d'effacement – %(town)s") % {"town": sender.town},
        sentence=_(
            "Nous avons bien reçu votre demande d'effacement de vos données. Le service vous répondra au plus tard le "
            "%(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Voir ou annuler ma demande"),
        button_url=f"{sender.address}/mes-informations/mes-donnees/effacement/",
        more=(
            _(
                "Si ce n'est pas vous, annulez cette demande et changez votre mot de passe dans « Mes informations »."
            ),
        ),
        why=_("Vous recevez ce message parce que cette demande a été faite depuis votre compte."),
    )


def _erasure_to_answer(sender: Sender, *, account: UUID, until: date) -> Content:
    """To the service. It names nobody, so that no mailbox keeps what is to be erased."""
    return Content(
        subject=_("Une demande d'effacement attend une réponse – %(town)s") % {"town": sender.town},
        sentence=_(
            "Un usager demande l'effacement de ses données. La loi demande une réponse au plus tard le %(day)s."
        )
        % {"day": clock.in_words(until)},
        button_label=_("Ouvrir la demande"),
        button_url=f"{sender.address}/gestion/effacements/{account}/",
        why=_("Vous recevez ce message parce que cette adresse est celle du service de facturation."),
    )


def _erasure_refused(sender: Sender, *, answer: str) -> Content:
    """The town's reason, and where to complain (GDPR, article 12.4)."""
    return Content(
        subject=_("Votre demande d'effacement est refusée – %(town)s") % {"town": sender.town},
        sentence=_("Vous avez demandé l'effacement de vos données. Voici notre réponse : %(answer)s")
        % {"answer": answer},
        more=(_("Si vous n'êtes pas d'accord, vous pouvez saisir la CNIL : https://www.cnil.fr/plaintes"),),
        why=_("Vous recevez ce message parce que vous avez demandé l'effacement de vos données."),
    )


def _erased(sender: Sender) -> Content:
    """The last message to this address."""
    return Content(
        subject=_("Vos données sont effacées – %(town)s") % {"town": sender.town},
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


ERASURE_ASKED = declare(
    Notice(
        kind="erasure-asked",
        title=gettext_lazy("Demande d'effacement reçue"),
        audience=Audience.PERSON,
        when="a person asks for their erasure",
        words=_erasure_asked,
    )
)
ERASURE_TO_ANSWER = declare(
    Notice(
        kind="erasure-to-answer",
        title=gettext_lazy("Demande d'effacement à traiter"),
        audience=Audience.SERVICE,
        when="a person asks for their erasure",
        words=_erasure_to_answer,
    )
)
ERASURE_REFUSED = declare(
    Notice(
        kind="erasure-refused",
        title=gettext_lazy("Effacement refusé"),
        audience=Audience.PERSON,
        when="the service refuses the erasure, with its reason",
        words=_erasure_refused,
    )
)
ERASED = declare(
    Notice(
        kind="account-erased",
        title=gettext_lazy("Effacement terminé"),
        audience=Audience.PERSON,
        when="the person was erased: the last message to that address",
        words=_erased,
        key="account-erased:{account}",
        forgets_address=True,
    )
)
