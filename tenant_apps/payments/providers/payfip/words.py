"""The sentences about the Treasury. PayFiP and TIPI are two protocols of the same service."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from tenant_apps.payments.providers.words import Labels, Reasons


class TreasuryLabels(Labels):
    """The labels of both protocols."""

    name = "PayFiP"
    choice = _("PayFiP (service web)")
    merchant = _("Identifiant collectivité")
    title = _("Informations pour le paiement TIPI")
    go = _("Accès à l'écran de paiement TIPI")
    leaving = _("Vous allez passer sur le site sécurisé du Trésor public, puis revenir ici.")
    too_small = _("Le paiement en ligne commence à 1 €.")
    announced = _("Un paiement de cette facture est annoncé : le Trésor public doit encore le confirmer.")
    under_way = _("Un paiement de cette facture est en cours, et le Trésor public ne répond pas encore.")
    refused_product = _(
        "Le Trésor public refuse l'identifiant %(merchant)s (code %(code)s). Le paiement en ligne de "
        "« %(label)s » est interrompu : les usagers en sont informés."
    )
    waiting_title = _("Nous attendons la réponse du Trésor public")
    slow = _(
        "Le Trésor public tarde à répondre : s'il n'y a pas eu de paiement, vous pourrez recommencer dès qu'il "
        "l'aura dit."
    )
    left = _(
        "Rien n'a été débité. Dans deux minutes, une fois que le Trésor public l'aura confirmé, vous pourrez "
        "recommencer."
    )
    receipt = _(
        "Un message de confirmation part vers votre adresse e-mail. Le Trésor public vous envoie aussi son ticket "
        "de paiement."
    )
    reported = _(
        "Le Trésor public doit encore le confirmer. La facture apparaîtra comme réglée ensuite : vous n'avez rien "
        "à faire."
    )
    review = _(
        "Le service de facturation vérifie la réponse du Trésor public. Ne payez pas une seconde fois."
    )
    still_asked = _(
        "Rien n'a été enregistré. Si votre banque montre pourtant un débit, ne payez pas de nouveau : nous "
        "continuons à interroger le Trésor public et la facture sera mise à jour."
    )
    no_more_asked = _(
        "Rien n'a été enregistré. Si votre banque montre pourtant un débit, ne payez pas de nouveau : écrivez au "
        "service de facturation, qui vérifiera auprès du Trésor public."
    )
    opens_once = _(
        "La page du Trésor public ne s'ouvre qu'une fois. Si elle est encore ouverte (un autre onglet, ou la flèche "
        "« Suivant » de votre navigateur), terminez-y le paiement. Si vous l'avez fermée ou si le paiement a été "
        "refusé, vérifiez maintenant : vous pourrez peut-être recommencer tout de suite."
    )
    silent = _(
        "Le Trésor public ne répond pas encore : vous pourrez recommencer dès qu'il aura dit ce qu'il en est."
    )
    not_shown = _("La page du Trésor public ne s'est pas affichée ?")
    fields = {
        "montant": _("montant (centimes)"),
        "refdet": _("référence"),
        "resultrans": _("résultat annoncé"),
        "numcli": _("identifiant collectivité"),
        "numauto": _("autorisation"),
        "saisie": _("mode"),
        "exer": _("exercice"),
        "objet": _("objet"),
        "dattrans": _("date"),
        "heurtrans": _("heure"),
        "mel": _("adresse e-mail"),
    }


class TipiLabels(TreasuryLabels):
    """The labels of TIPI's redirect."""

    name = "TIPI"
    choice = _("TIPI (redirection)")
    waiting_title = _("Nous attendons la fin du paiement")
    waiting = _(
        "Terminez le paiement dans la fenêtre du Trésor public. Cette page se mettra à jour d'elle-même ; vous "
        "pouvez aussi la quitter."
    )


class TreasuryReasons(Reasons):
    """The reasons of both protocols."""

    abandoned_once = gettext_noop(
        "Le Trésor public dit « abandonné » ; nous le croirons s'il le redit dans deux minutes."
    )
    unknown = gettext_noop("Le Trésor public a donné une réponse que nous ne connaissons pas.")
    differs = gettext_noop("La réponse du Trésor public ne correspond pas à la demande : %(what)s.")
    test_differs = gettext_noop("La réponse du Trésor public ne correspond pas à la demande.")
    after_paid = gettext_noop("Après le paiement, le Trésor public a répondu « %(code)s » : non appliqué.")
    dated = gettext_noop("Le Trésor public date ce paiement du %(said)s : il est enregistré au %(kept)s.")
    reported = gettext_noop("Paiement annoncé ; le Trésor public doit encore le confirmer.")
    other_amount = gettext_noop(
        "Le Trésor public annonce %(reported)s et non %(asked)s. Refusez cet essai, puis enregistrez ce qui est "
        "arrivé depuis le rapprochement."
    )


MERCHANT = gettext_noop("l'identifiant de la collectivité")  # in « … ne correspond pas à la demande : … »
