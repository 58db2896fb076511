"""Why an invoice cannot be paid online now: a code for programs, sentences, and what to do instead."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class WhyNot(StrEnum):
    """The reasons, in the order in which they are checked (docs/payfip.md §1)."""

    DRAFT = "draft"
    CANCELLED = "cancelled"
    PAID = "paid"
    BUSY = "busy"  # somebody is paying
    ANNOUNCED = "announced"  # an unsigned report says that it is paid
    EXAMINED = "examined"  # staff must decide
    DEBIT = "debit"
    DISPUTE = "dispute"
    COLLECTION = "collection"
    OFFLINE = "offline"  # the product is not paid online
    ENDED = "ended"  # the town closed the product
    CLOSED = "closed"  # the provider refuses the product
    NOT_OPEN = "not_open"  # the product is still in mode T or X
    PARTLY_PAID = "partly_paid"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    PORTAL_CLOSES = "portal_closes"  # the town closes soon, and a new payment would not end in time
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    BAD_REFERENCE = "bad_reference"


@dataclass(frozen=True)
class Words:
    """The words of a reason. `sentence` and `short` may contain %(names)s. `ask`: offer to write to the service."""

    title: str | Promise
    sentence: str | Promise
    next_step: str | Promise
    ask: bool = False
    short: str | Promise = ""  # beside « À régler » in a list


WORDS: dict[WhyNot, Words] = {
    WhyNot.DRAFT: Words(
        _("Cette facture est en préparation"),
        _("Pas avant la publication."),
        _("Publiez l'import pour la mettre en ligne."),
    ),
    WhyNot.CANCELLED: Words(
        _("Cette facture est annulée"),
        _("Cette facture a été annulée."),
        _("Vous n'avez rien à payer."),
    ),
    WhyNot.PAID: Words(
        _("Cette facture est déjà réglée"),
        _("Cette facture est réglée."),
        _("Vous n'avez plus rien à payer pour cette facture."),
    ),
    WhyNot.DEBIT: Words(
        _("Cette facture est prélevée"),
        _("Cette facture sera prélevée automatiquement sur votre compte bancaire."),
        _("Vous n'avez rien à faire : la payer ici la ferait payer deux fois."),
    ),
    WhyNot.DISPUTE: Words(
        _("Cette facture est en cours d'examen"),
        _("Le paiement en ligne est suspendu : cette facture fait l'objet d'une contestation."),
        _("Le service de facturation vous répondra. Vous pouvez aussi lui écrire."),
        ask=True,
    ),
    WhyNot.COLLECTION: Words(
        _("Cette facture ne se règle plus en ligne"),
        _("Cette facture a été transmise au comptable public pour recouvrement."),
        _("Réglez-la auprès du comptable, dont l'adresse figure sur la lettre que vous avez reçue."),
    ),
    WhyNot.OFFLINE: Words(
        _("Cette facture ne se règle pas en ligne"),
        _("Cette facture ne se règle pas en ligne. Les autres moyens de paiement figurent sur la facture."),
        _("Ouvrez la facture pour voir comment la régler."),
        short=_("pas de paiement en ligne"),
    ),
    WhyNot.ENDED: Words(
        _("Cette facture ne se règle plus en ligne"),
        _("Le service de cette facture n'accepte plus de paiement en ligne."),
        _("Réglez-la à la mairie, ou par un autre moyen indiqué sur la facture."),
        ask=True,
        short=_("plus de paiement en ligne"),
    ),
    WhyNot.CLOSED: Words(
        _("Le paiement en ligne est interrompu"),
        _("Le paiement en ligne de ce service est interrompu pour le moment. La mairie est prévenue."),
        _("Revenez plus tard, ou réglez par un autre moyen indiqué sur la facture."),
        ask=True,
        short=_("paiement en ligne interrompu"),
    ),
    WhyNot.NOT_OPEN: Words(
        _("Le paiement en ligne va ouvrir"),
        _("Le paiement en ligne n'est pas encore ouvert pour ce service."),
        _("D'ici là, réglez par un autre moyen indiqué sur la facture."),
        short=_("paiement en ligne pas encore ouvert"),
    ),
    WhyNot.PARTLY_PAID: Words(
        _("Le solde ne se règle pas en ligne"),
        _("Une partie de cette facture est réglée : le solde se règle auprès du Trésor public."),
        _("Adressez-vous au comptable public dont l'adresse figure sur la facture."),
        short=_("solde à régler au Trésor public"),
    ),
    WhyNot.TOO_SMALL: Words(
        _("Ce montant est trop petit pour être réglé en ligne"),
        _("Ce montant est inférieur au minimum du paiement en ligne."),
        _("Réglez par un autre moyen indiqué sur la facture."),
        short=_("trop petit pour le paiement en ligne"),
    ),
    WhyNot.TOO_LARGE: Words(
        _("Ce montant est trop grand pour être réglé en ligne"),
        _("Ce montant dépasse la limite du paiement en ligne."),
        _("Réglez par un autre moyen indiqué sur la facture."),
        short=_("trop grand pour le paiement en ligne"),
    ),
    WhyNot.PORTAL_CLOSES: Words(
        _("Ce portail ferme"),
        _("Ce portail ferme : le paiement en ligne est arrêté."),
        _("Suivez ce que dit la facture elle-même."),
        short=_("paiement en ligne arrêté"),
    ),
    WhyNot.TOO_EARLY: Words(
        _("Encore un peu de patience"),
        _("Cette facture pourra être réglée en ligne à partir du %(day)s."),
        _("Revenez ce jour-là : la facture restera ici."),
        short=_("en ligne à partir du %(day)s"),
    ),
    WhyNot.TOO_LATE: Words(
        _("Le délai du paiement en ligne est passé"),
        _("La date limite du paiement en ligne est passée depuis le %(day)s."),
        _("Écrivez au service de facturation : il vous dira comment la régler maintenant."),
        ask=True,
        short=_("délai du paiement en ligne passé"),
    ),
    WhyNot.BAD_REFERENCE: Words(
        _("Cette facture ne peut pas être réglée en ligne"),
        _("La référence de cette facture n'est pas celle que le Trésor public attend."),
        _("Écrivez au service de facturation : il pourra la corriger."),
        ask=True,
        short=_("paiement en ligne impossible"),
    ),
    WhyNot.BUSY: Words(
        _("Un paiement est en cours"),
        _("Un paiement de cette facture est en cours. Vous pourrez recommencer à partir de %(time)s."),
        _("Une autre personne le paie peut-être en ce moment. Revenez plus tard, ou vérifiez maintenant."),
    ),
    WhyNot.ANNOUNCED: Words(
        _("Un paiement est annoncé"),
        _("Un paiement de cette facture est annoncé : le service de paiement doit encore le confirmer."),
        _("Vous n'avez rien à faire. Ne payez pas une seconde fois."),
    ),
    WhyNot.EXAMINED: Words(
        _("Un paiement est en cours d'examen"),
        _("Un paiement de cette facture est en cours d'examen par le service de facturation."),
        _("Ne payez pas une seconde fois : le service vous dira ce qu'il en est."),
        ask=True,
    ),
}


@dataclass(frozen=True)
class Reason:
    """A reason for one invoice. `names` fill in its sentence when it is read."""

    code: WhyNot
    names: tuple[tuple[str, str], ...] = ()
    said: str | Promise = ""  # replaces the usual sentence

    @property
    def sentence(self) -> str:
        """The sentence for the resident."""
        return str(self.said or self.words.sentence) % dict(self.names)

    @property
    def short(self) -> str:
        """The few words beside the state in a list; empty when the state says it already."""
        return str(self.words.short) % dict(self.names)

    @property
    def words(self) -> Words:
        return WORDS[self.code]


def because(code: WhyNot, **names: str) -> Reason:
    """The reason `code`, with the values of its sentence."""
    return Reason(code, tuple(names.items()))
