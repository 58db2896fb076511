"""Messages about a claim: to the person who asks, and to the addresses that billing knows."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from shared_apps.accounts.models import Account
from shared_apps.mail.content import Content
from shared_apps.mail.services import queue_mail
from tenant_apps.residents.models import Claim, PayerEmail
from tenant_apps.townhall.queries import letterhead
from toolkit import emails

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def confirm(claim: Claim, account: Account, *, token: str) -> None:
    """The `?LIEN=` to the account of the address given with a valid invoice."""
    head = letterhead()
    with translation.override(account.reads):
        new = account.activated_at is None
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
        content = Content(
            subject=_("Rattachez votre dossier – %(town)s") % {"town": head["townhall"].name},
            sentence=sentence % {"number": claim.number},
            button_label=_("Choisir mon mot de passe") if new else _("Confirmer ma demande"),
            button_url=f"{head['address']}/?LIEN={token}",
            more=(_("Ce lien est valable 24 heures et ne sert qu'une fois."),),
            why=_(
                "Vous recevez ce message parce que quelqu'un a saisi votre adresse et les indications d'une facture "
                "papier sur notre portail des factures. Si ce n'est pas vous, ne faites rien : rien ne changera."
            ),
        )
        queue_mail(kind="link-claim", to=account.email, content=content, surroundings=head, secret=True)


def joined(claim: Claim) -> None:
    """To the addresses that billing knows, and to the accounts that already see this payer."""
    assert claim.account is not None
    assert claim.payer is not None
    known = dict.fromkeys(PayerEmail.objects.filter(payer=claim.payer).values_list("email", flat=True), "")
    seers = Account.objects.filter(accesses__payer=claim.payer, accesses__ended_at=None, is_active=True)
    known |= dict(seers.values_list("email", "language"))
    known.pop(claim.account.email, None)
    head = letterhead()
    for email, language in sorted(known.items()):
        with translation.override(language or settings.LANGUAGE_CODE):
            content = Content(
                subject=_("Un compte a été rattaché à votre dossier – %(town)s")
                % {"town": head["townhall"].name},
                sentence=_(
                    "Quelqu'un a rattaché à son compte le dossier de %(name)s, avec une facture papier. Le compte "
                    "%(account)s voit désormais ses factures."
                )
                % {"name": claim.payer.full_name, "account": emails.masked(claim.account.email)},
                more=(
                    _("Si vous savez de qui il s'agit, ne faites rien."),
                    _(
                        "Si c'est une erreur, écrivez-nous depuis la page Contact ou répondez à ce message : nous "
                        "couperons cet accès."
                    ),
                ),
                button_label=_("Signaler une erreur"),
                button_url=f"{head['address']}/contact/",
                why=_(
                    "Vous recevez ce message parce que votre adresse est liée à ce dossier de facturation."
                ),
            )
            queue_mail(
                kind="claim-joined",
                to=email,
                content=content,
                surroundings=head,
                reply_to=head["townhall"].contact_email,
            )


def accepted(claim: Claim) -> None:
    """To the person who asked: it is done."""
    _to_asker(
        claim,
        "claim-accepted",
        lazy("Votre dossier est rattaché – %(town)s"),
        lazy(
            "Le service de facturation a accepté votre demande : vous voyez maintenant les factures du dossier."
        ),
        button=lazy("Voir mes factures"),
        path="/factures/",
    )


def refused(claim: Claim) -> None:
    """To the person who asked, in the words of staff."""
    _to_asker(
        claim,
        "claim-refused",
        lazy("Votre demande de rattachement n'est pas acceptée – %(town)s"),
        lazy("Le service de facturation n'a pas rattaché ce dossier. Voici sa réponse : %(reason)s"),
        button=lazy("Écrire au service"),
        path="/contact/",
    )


def expired(claim: Claim) -> None:
    """To the person who asked: nobody answered."""
    _to_asker(
        claim,
        "claim-expired",
        lazy("Votre demande de rattachement est restée sans réponse – %(town)s"),
        lazy(
            "Votre demande est restée 60 jours sans réponse : elle est close. Vous pouvez écrire au service."
        ),
        button=lazy("Écrire au service"),
        path="/contact/",
    )


def _to_asker(
    claim: Claim, kind: str, subject: "StrPromise", sentence: "StrPromise", *, button: "StrPromise", path: str
) -> None:
    """Send to the person who asked. The words are lazy, so they are in that person's language, not the clerk's."""
    assert claim.account is not None
    head = letterhead()
    with translation.override(claim.account.reads):
        content = Content(
            subject=str(subject) % {"town": head["townhall"].name},
            sentence=str(sentence) % {"reason": claim.reason},
            button_label=str(button),
            button_url=f"{head['address']}{path}",
            why=_(
                "Vous recevez ce message parce que vous avez demandé à rattacher le dossier de la facture "
                "n° %(number)s."
            )
            % {"number": claim.number},
        )
        queue_mail(
            kind=kind,
            to=claim.account.email,
            content=content,
            surroundings=head,
            reply_to=head["townhall"].contact_email,
        )
