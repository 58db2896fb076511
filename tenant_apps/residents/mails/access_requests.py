"""Access requests: the messages to the person who asks, and to those whom billing knows."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.content import Content, Sender
from shared_apps.mail.notices import SECRET_LIFE, Audience, Notice, declare


def _confirm(sender: Sender, *, number: str, token: str, new: bool) -> Content:
    """The `?LIEN=` to the account of the typed address, after a right paper. `new`: it has no password yet."""
    sentence = (
        _(
            "Choisissez le mot de passe de votre compte : le dossier de la facture n° %(number)s y sera "
            "rattaché, ou votre demande sera transmise au service de facturation."
        )
        if new
        else _(
            "Confirmez votre demande : le dossier de la facture n° %(number)s sera rattaché à votre compte, ou "
            "votre demande sera transmise au service de facturation."
        )
    )
    return Content(
        subject=_("Rattachez votre dossier – %(town)s") % {"town": sender.town},
        sentence=sentence % {"number": number},
        button_label=_("Choisir mon mot de passe") if new else _("Confirmer ma demande"),
        button_url=f"{sender.address}/?LIEN={token}",
        more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
        why=_(
            "Vous recevez ce message parce que quelqu'un a saisi votre adresse et les indications d'une facture "
            "papier sur notre portail des factures. Si ce n'est pas vous, ne faites rien : rien ne changera."
        ),
    )


def _joined(sender: Sender, *, payer: str, account: str) -> Content:
    return Content(
        subject=_("Un compte a été rattaché à votre dossier – %(town)s") % {"town": sender.town},
        sentence=_(
            "Quelqu'un a rattaché à son compte le dossier de %(name)s, avec une facture papier. Le compte "
            "%(account)s voit désormais ses factures."
        )
        % {"name": payer, "account": account},
        more=(
            _("Si vous savez de qui il s'agit, ne faites rien."),
            _(
                "Si c'est une erreur, écrivez-nous depuis la page Contact ou répondez à ce message : nous "
                "couperons cet accès."
            ),
        ),
        button_label=_("Signaler une erreur"),
        button_url=f"{sender.address}/contact/",
        why=_("Vous recevez ce message parce que votre adresse est liée à ce dossier de facturation."),
    )


def _accepted(sender: Sender, *, number: str) -> Content:
    return Content(
        subject=_("Votre dossier est rattaché – %(town)s") % {"town": sender.town},
        sentence=_(
            "Le service de facturation a accepté votre demande : vous voyez maintenant les factures du dossier."
        ),
        button_label=_("Voir mes factures"),
        button_url=f"{sender.address}/factures/",
        why=_why(number),
    )


def _refused(sender: Sender, *, number: str, reason: str) -> Content:
    """The reason in the words of staff."""
    return Content(
        subject=_("Votre demande de rattachement n'est pas acceptée – %(town)s") % {"town": sender.town},
        sentence=_("Le service de facturation n'a pas rattaché ce dossier. Voici sa réponse : %(reason)s")
        % {"reason": reason},
        button_label=_("Écrire au service"),
        button_url=f"{sender.address}/contact/",
        why=_why(number),
    )


def _expired(sender: Sender, *, number: str) -> Content:
    return Content(
        subject=_("Votre demande de rattachement est restée sans réponse – %(town)s") % {"town": sender.town},
        sentence=_(
            "Votre demande est restée 60 jours sans réponse : elle est close. Vous pouvez écrire au service."
        ),
        button_label=_("Écrire au service"),
        button_url=f"{sender.address}/contact/",
        why=_why(number),
    )


def _why(number: str) -> str:
    return _(
        "Vous recevez ce message parce que vous avez demandé à rattacher le dossier de la facture n° %(number)s."
    ) % {"number": number}


CONFIRM = declare(
    Notice(
        kind="link-claim",
        title=gettext_lazy("Confirmation d'un rattachement"),
        audience=Audience.TYPED,
        when="somebody asks to see a payer's invoices, and what they copied from a paper invoice is right",
        words=_confirm,
        secret=SECRET_LIFE,
    )
)
JOINED = declare(
    Notice(
        kind="claim-joined",
        title=gettext_lazy("Un compte rattaché au dossier"),
        audience=Audience.PAYER,
        when="an account was joined to the payer: the addresses and accounts that were there are told",
        words=_joined,
    )
)
ACCEPTED = declare(
    Notice(
        kind="claim-accepted",
        title=gettext_lazy("Rattachement accepté"),
        audience=Audience.PERSON,
        when="staff accept the access request",
        words=_accepted,
    )
)
REFUSED = declare(
    Notice(
        kind="claim-refused",
        title=gettext_lazy("Rattachement refusé"),
        audience=Audience.PERSON,
        when="staff refuse the access request, with their reason",
        words=_refused,
    )
)
EXPIRED = declare(
    Notice(
        kind="claim-expired",
        title=gettext_lazy("Rattachement sans réponse"),
        audience=Audience.PERSON,
        when="nobody answered the access request for 60 days",
        words=_expired,
    )
)
