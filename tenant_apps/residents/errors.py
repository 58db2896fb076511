"""Why an act on payers failed."""

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.errors import AccountError


class NoRequest(AccountError):
    sentence = _("Cette demande d'effacement a été annulée, ou une réponse a déjà été donnée.")


class AnswerMissing(AccountError):
    sentence = _("Écrivez à la personne pourquoi sa demande est refusée.")


class SameAddress(AccountError):
    sentence = _("C'est déjà votre adresse.")


class AddressKnown(AccountError):
    sentence = _("Cette adresse est déjà celle de ce redevable.")


class AddressGone(AccountError):
    sentence = _(
        "Le service de facturation ne donne plus cette adresse e-mail : ce lien n'ouvre plus rien. Si c'est une "
        "erreur, écrivez-lui, ou rattachez votre dossier avec une facture papier."
    )


class AccessRequestClosed(AccountError):
    sentence = _("Cette demande a déjà reçu une réponse, ou a été retirée.")


class PaperGone(AccountError):
    sentence = _(
        "La facture citée n'est plus en ligne, ou n'est plus celle de ce dossier : refusez la demande, l'usager "
        "pourra en citer une autre."
    )


class TooManyShares(AccountError):
    sentence = _(
        "Cinq autres personnes au plus peuvent être invitées : retirez d'abord une invitation ou un accès."
    )


class TooManyInvitations(AccountError):
    sentence = _("Vous avez envoyé beaucoup d'invitations aujourd'hui. Recommencez demain.")


class PasswordWanted(AccountError):
    sentence = _("Écrivez votre mot de passe.")


class NotAResident(AccountError):
    sentence = _(
        "Cette invitation ne peut pas servir au compte de cette adresse. Écrivez au service de facturation."
    )


class AccessCut(AccountError):
    sentence = _("La mairie a retiré cet accès. Écrivez au service de facturation.")


class NobodyToTell(AccountError):
    sentence = _(
        "Choisissez qui prévenir : un agent, un caissier ou un responsable dont le compte est actif."
    )


class SourceNameMissing(AccountError):
    sentence = _("Donnez un nom à cette provenance.")


class SourceNameTaken(AccountError):
    sentence = _("Une autre provenance porte déjà ce nom.")
