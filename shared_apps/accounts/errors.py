"""Why a person could not do what they asked. Messages are French sentences for the screen."""

from django.utils.translation import gettext_lazy as _


class AccountError(Exception):
    """Base of this room's errors; `str()` is the sentence to show."""

    sentence = _("Nous n'avons pas pu faire ce que vous demandez.")

    def __str__(self) -> str:
        return str(self.args[0] if self.args else self.sentence)


class WrongCredentials(AccountError):
    sentence = _("L'adresse ou le mot de passe ne correspond pas. Vérifiez-les, puis recommencez.")


class TooManyTries(AccountError):
    sentence = _("Trop d'essais. Attendez 15 minutes, puis recommencez.")


class LinkUnknown(AccountError):
    sentence = _("Ce lien n'est pas connu. Vérifiez qu'il a été copié en entier.")


class LinkExpired(AccountError):
    sentence = _("Ce lien n'est plus valable : il a expiré. Demandez-en un nouveau.")


class LinkUsed(AccountError):
    sentence = _("Ce lien a déjà servi. Si vous avez oublié votre mot de passe, demandez-en un nouveau.")


class AddressTaken(AccountError):
    sentence = _("Cette adresse sert déjà à un autre compte.")


class WeakPassword(AccountError):
    """`args[0]` says what is missing."""


class WrongCode(AccountError):
    sentence = _("Ce code ne convient pas : prenez celui que l'application affiche en ce moment.")


class CodeUsed(WrongCode):
    sentence = _("Ce code a déjà servi. Attendez le suivant, puis recommencez.")


class AlreadyEnrolled(AccountError):
    sentence = _("Un second facteur est déjà en place sur ce compte.")


class NotWhileImpersonating(AccountError):
    sentence = _("L'exploitant ne peut pas faire ceci à la place d'un agent.")


class TicketRefused(AccountError):
    sentence = _("Ce passage n'est plus valable : demandez-en un nouveau depuis la console.")


class CannotImpersonate(AccountError):
    """`args[0]` says why."""


class AccountErased(AccountError):
    sentence = _("Ce compte vient d'être effacé.")
