"""The sentences that depend on the provider. These are neutral; a provider's subclass replaces them.

`Labels` are translated when they are shown. `Reasons` are stored in rows in French and translated when they are
read (toolkit.words).
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

Words = str | Promise


class Labels:
    """Words on screens that depend on the provider."""

    name: Words = ""  # « PayFiP », for staff
    choice: Words = ""  # « PayFiP (service web) », among the protocols of a product
    merchant: Words = _("Identifiant du service")  # the name of a product's number
    title: Words = _("Informations pour le paiement en ligne")
    go: Words = _("Accès à l'écran de paiement")
    leaving: Words = _("Vous allez passer sur le site sécurisé du service de paiement, puis revenir ici.")
    blocked: Words = _("Si rien ne s'ouvre, autorisez les fenêtres « popup » pour ce site.")
    too_small: Words = ""  # replaces the usual sentence, to give the smallest amount
    announced: Words = _(
        "Un paiement de cette facture est annoncé : le service de paiement doit encore le confirmer."
    )
    under_way: Words = _(
        "Un paiement de cette facture est en cours, et le service de paiement ne répond pas encore."
    )
    refused_product: Words = _(
        "Le service de paiement refuse l'identifiant %(merchant)s (code %(code)s). Le paiement en ligne de "
        "« %(label)s » est interrompu : les usagers en sont informés."
    )  # asks the person to contact the service
    # While we wait for the result
    waiting_title: Words = _("Nous attendons la réponse du service de paiement")
    waiting: Words = _(
        "Cela prend en général moins d'une minute. Vous pouvez quitter cette page : le résultat sera enregistré "
        "de toute façon."
    )
    slow: Words = _(
        "Le service de paiement tarde à répondre : s'il n'y a pas eu de paiement, vous pourrez recommencer dès "
        "qu'il l'aura dit."
    )
    left: Words = _(
        "Rien n'a été débité. Dans deux minutes, une fois que le service de paiement l'aura confirmé, vous pourrez "
        "recommencer."
    )
    # The result
    receipt: Words = _("Un message de confirmation part vers votre adresse e-mail.")
    reported: Words = _(
        "Le service de paiement doit encore le confirmer. La facture apparaîtra comme réglée ensuite : vous n'avez "
        "rien à faire."
    )
    review: Words = _(
        "Le service de facturation vérifie la réponse du service de paiement. Ne payez pas une seconde fois."
    )
    still_asked: Words = _(
        "Rien n'a été enregistré. Si votre banque montre pourtant un débit, ne payez pas de nouveau : nous "
        "continuons à interroger le service de paiement et la facture sera mise à jour."
    )
    no_more_asked: Words = _(
        "Rien n'a été enregistré. Si votre banque montre pourtant un débit, ne payez pas de nouveau : écrivez au "
        "service de facturation, qui vérifiera auprès du service de paiement."
    )
    # When the payer's own payment is started and has no result
    opens_once: Words = _(
        "La page de paiement ne s'ouvre qu'une fois. Si elle est encore ouverte (un autre onglet, ou la flèche "
        "« Suivant » de votre navigateur), terminez-y le paiement. Si vous l'avez fermée ou si le paiement a été "
        "refusé, vérifiez maintenant : vous pourrez peut-être recommencer tout de suite."
    )
    silent: Words = _(
        "Le service de paiement ne répond pas encore : vous pourrez recommencer dès qu'il aura dit ce qu'il en est."
    )
    not_shown: Words = _("La page de paiement ne s'est pas affichée ?")
    # Names of the fields of its answers, for staff who read the evidence
    fields: Mapping[str, Words] = MappingProxyType({})


class Reasons:
    """Why an attempt has its state: sentences to store in rows, once `%(name)s` is filled in."""

    refused_card: str = gettext_noop("La carte a été refusée. Rien n'a été débité.")
    refused_debit: str = gettext_noop("Le prélèvement a été refusé. Rien n'a été débité.")
    refused: str = gettext_noop("Le paiement a été refusé. Rien n'a été débité.")
    abandoned: str = gettext_noop("Vous avez quitté la page de paiement. Rien n'a été débité.")
    abandoned_once: str = gettext_noop(
        "Le service de paiement dit « abandonné » ; nous le croirons s'il le redit dans deux minutes."
    )
    too_old: str = gettext_noop("La page de paiement n'a pas été ouverte à temps.")
    used: str = gettext_noop("Le paiement n'a pas été mené à son terme.")
    out_of_time: str = gettext_noop("Le paiement n'a pas été mené à son terme dans les deux heures.")
    lost: str = gettext_noop("La demande n'a pas abouti.")
    no_return: str = gettext_noop("Aucun retour du paiement dans les deux heures.")
    too_slow: str = gettext_noop("Le paiement a mis trop de temps à s'ouvrir. Recommencez.")
    unknown: str = gettext_noop("Le service de paiement a donné une réponse que nous ne connaissons pas.")
    differs: str = gettext_noop(
        "La réponse du service de paiement ne correspond pas à la demande : %(what)s."
    )
    test_differs: str = gettext_noop("La réponse du service de paiement ne correspond pas à la demande.")
    test_money: str = gettext_noop("C'est un paiement d'essai : aucun argent n'a été versé.")
    test_of_open: str = gettext_noop("Un paiement d'essai ne règle pas une facture d'un service ouvert.")
    after_paid: str = gettext_noop(
        "Après le paiement, le service de paiement a répondu « %(code)s » : non appliqué."
    )
    dated: str = gettext_noop(
        "Le service de paiement date ce paiement du %(said)s : il est enregistré au %(kept)s."
    )
    reported: str = gettext_noop("Paiement annoncé ; le service de paiement doit encore le confirmer.")
    other_amount: str = gettext_noop(
        "Le service de paiement annonce %(reported)s et non %(asked)s. Refusez cet essai, puis enregistrez ce qui "
        "est arrivé depuis le rapprochement."
    )
