"""Why something about payers could not be done."""

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.errors import AccountError


class SameAddress(AccountError):
    sentence = _("C'est déjà votre adresse.")


class ClaimClosed(AccountError):
    sentence = _("Cette demande a déjà reçu une réponse, ou a été retirée.")


class PaperGone(AccountError):
    sentence = _(
        "La facture citée n'est plus en ligne, ou n'est plus celle de ce dossier : refusez la demande, l'usager "
        "pourra en citer une autre."
    )
