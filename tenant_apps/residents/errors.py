"""Why something about payers could not be done."""

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.errors import AccountError


class NoRequest(AccountError):
    sentence = _("Cette demande d'effacement a été annulée, ou une réponse a déjà été donnée.")


class AnswerMissing(AccountError):
    sentence = _("Écrivez à la personne pourquoi sa demande est refusée.")


class SameAddress(AccountError):
    sentence = _("C'est déjà votre adresse.")


class ClaimClosed(AccountError):
    sentence = _("Cette demande a déjà reçu une réponse, ou a été retirée.")


class PaperGone(AccountError):
    sentence = _(
        "La facture citée n'est plus en ligne, ou n'est plus celle de ce dossier : refusez la demande, l'usager "
        "pourra en citer une autre."
    )
