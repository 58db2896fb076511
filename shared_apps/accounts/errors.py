"""Why a person could not do what they asked. Messages are French sentences for the screen."""

from django.utils.translation import gettext_lazy as _


class AccountError(Exception):
    """Base of this room's errors. `str()` is the sentence to show; `status` is the HTTP status of the page."""

    sentence = _("Nous n'avons pas pu faire ce que vous demandez.")
    status = 422
    wait = 0  # seconds until another try makes sense; 0: unknown

    def __str__(self) -> str:
        return str(self.args[0] if self.args else self.sentence)


class WrongCredentials(AccountError):
    sentence = _("L'adresse ou le mot de passe ne correspond pas. Vérifiez-les, puis recommencez.")


class WrongPassword(WrongCredentials):
    """The current password is wrong, typed by somebody who is signed in."""

    sentence = _("Ce n'est pas votre mot de passe actuel. Vérifiez-le, puis recommencez.")


class TooManyTries(AccountError):
    sentence = _("Trop d'essais. Attendez 15 minutes, puis recommencez.")
    status = 429

    def __init__(self, *args: object, wait: int = 15 * 60) -> None:
        super().__init__(*args)
        self.wait = wait


class ShutOut(TooManyTries):
    """Too many tries on this account from browsers that never opened it (accounts.throttling.known_browsers)."""

    sentence = _(
        "Trop d'essais. Attendez 15 minutes, ou appuyez sur « Mot de passe oublié » : le lien que vous recevrez par "
        "e-mail vous laissera entrer tout de suite."
    )


class TooManyOwnTries(TooManyTries):
    """Too many wrong current passwords, by somebody who is signed in."""

    sentence = _(
        "Trop d'essais de mot de passe. Attendez 15 minutes, ou déconnectez-vous puis appuyez sur « Mot de passe "
        "oublié » pour en choisir un autre."
    )


class TooBusy(AccountError):
    """Hashing was busy for too long (accounts.passwords.hashing). Nothing was checked or changed."""

    sentence = _(
        "Beaucoup de personnes se connectent en ce moment. Attendez quelques secondes, puis recommencez : "
        "votre mot de passe n'a pas été vérifié."
    )
    status = 503
    wait = 10


class LinkUnknown(AccountError):
    sentence = _("Ce lien n'est pas connu. Vérifiez qu'il a été copié en entier.")


class LinkExpired(AccountError):
    sentence = _("Ce lien n'est plus valable : il a expiré. Demandez-en un nouveau.")


class LinkUsed(AccountError):
    sentence = _("Ce lien a déjà servi. Si vous avez oublié votre mot de passe, demandez-en un nouveau.")


class InvitationUsed(LinkUsed):
    sentence = _("Cette invitation a déjà servi, ou elle a été annulée.")


class InvitationOver(LinkExpired):
    sentence = _(
        "Cette invitation n'est plus valable. La personne qui vous a invité peut en envoyer une autre."
    )


class TeamInvitationDead(LinkExpired):
    """`args[0]` says why, and what the invited person can do. A link of the residents' pages would not help."""


class AddressTaken(AccountError):
    sentence = _("Cette adresse sert déjà à un autre compte.")


class WeakPassword(AccountError):
    """`args[0]` says what is missing."""


class WrongCode(AccountError):
    sentence = _("Ce code ne convient pas : prenez celui que l'application affiche en ce moment.")


class CodeUsed(WrongCode):
    sentence = _("Ce code a déjà servi. Attendez le suivant, puis recommencez.")


class MailedCodeError(AccountError):
    """Base of the errors of a mailed code. `is_over`: the code cannot be tried again."""

    is_over = True


class MailedCodeWrong(MailedCodeError):
    """`args[0]` says how many tries are left."""

    is_over = False


class MailedCodeVoid(MailedCodeError):
    sentence = _("Trop d'essais : ce code ne sert plus. Demandez-en un autre.")


class MailedCodeExpired(MailedCodeError):
    sentence = _("Ce code n'est plus valable : il a plus de 10 minutes. Demandez-en un autre.")


class MailedCodeUsed(MailedCodeError):
    sentence = _("Ce code a déjà servi. Demandez-en un autre.")


class TooManyCodes(TooManyTries):
    sentence = _(
        "Plusieurs codes viennent d'être demandés pour cette adresse. Prenez celui du dernier message, "
        "ou attendez 15 minutes pour en demander un autre."
    )


class CodesSuspended(MailedCodeError):
    sentence = _(
        "Trop de codes faux ont été essayés pour cette adresse : on ne peut plus en demander avant demain. "
        "Connectez-vous avec votre mot de passe."
    )


class AlreadyEnrolled(AccountError):
    sentence = _("Un second facteur est déjà en place sur ce compte.")


class LastFactor(AccountError):
    sentence = _(
        "C'est votre seul second facteur, et votre compte doit en avoir un. Ajoutez-en d'abord un autre, puis "
        "retirez celui-ci."
    )


class MayNotForget(AccountError):
    sentence = _(
        "Seul un autre responsable, dont le compte est protégé, peut faire oublier le second facteur d'un agent."
    )


class KeyRefused(AccountError):
    """One sentence for all reasons: unknown key, closed account, forged or repeated answer."""

    sentence = _(
        "Cette clé d'accès n'a pas été reconnue. Connectez-vous avec votre adresse et votre mot de passe."
    )


class ChallengeGone(KeyRefused):
    sentence = _("Cette demande n'est plus valable : elle a expiré ou elle a déjà servi. Recommencez.")


class NewKeyRefused(AccountError):
    sentence = _("Cette clé d'accès n'a pas pu être ajoutée. Recommencez, ou essayez avec un autre appareil.")


class TooManyKeys(AccountError):
    """`args[0]` says how many there may be."""


class SignInTooOld(AccountError):
    sentence = _(
        "Vous êtes connecté depuis plus de dix minutes. Rechargez cette page : elle vous fera vous reconnecter, "
        "pour votre sécurité."
    )


class NotWhileImpersonating(AccountError):
    sentence = _("L'exploitant ne peut pas faire ceci à la place d'un agent.")


class TicketRefused(AccountError):
    sentence = _("Ce passage n'est plus valable : demandez-en un nouveau depuis la console.")


class CannotImpersonate(AccountError):
    """`args[0]` says why."""


class IdentityTaken(AccountError):
    sentence = _("Cette identité est déjà reliée à un autre compte de ce portail.")


class OtherIdentity(AccountError):
    sentence = _(
        "Ce compte est déjà relié à une autre identité. Supprimez d'abord ce lien dans la page de votre compte."
    )


class NotForStaff(AccountError):
    sentence = _("Cette façon de se connecter est réservée aux usagers. Les agents ont la leur.")


class NotForResidents(AccountError):
    sentence = _("Cette façon de se connecter est réservée aux agents de la commune.")


class ProviderNotProven(AccountError):
    """`args[0]` says who would be locked out."""

    sentence = _(
        "Enregistrez d'abord ces réglages sans cette case : elle se coche quand toute l'équipe s'est reliée à ce "
        "fournisseur."
    )


class PasswordNotTaken(AccountError):
    """A member of staff, of a town whose staff sign in with its provider. `args[0]` says where to go."""


class NoOtherWayIn(AccountError):
    sentence = _(
        "Sans ce lien, vous n'auriez plus aucun moyen de vous connecter. Choisissez d'abord un mot de passe avec "
        "« Mot de passe oublié »."
    )


class AccountErased(AccountError):
    sentence = _("Ce compte vient d'être effacé.")


class NotAManager(AccountError):
    sentence = _("Vous n'êtes plus responsable de cette commune : cette action n'est pas faite.")


class ResidentsAddress(AccountError):
    sentence = _(
        "Cette adresse est celle d'un usager du portail. Un agent voit les factures de tous : invitez cette "
        "personne avec son adresse professionnelle."
    )


class AlreadyMember(AccountError):
    sentence = _("Cette personne fait déjà partie de l'équipe.")


class NotInvited(AccountError):
    sentence = _("Cette personne n'a pas d'invitation en attente.")


class NotActive(AccountError):
    sentence = _("Cette personne n'a pas de compte actif : il n'y a rien à suspendre.")


class HasLeft(AccountError):
    sentence = _(
        "Cette personne ne fait plus partie de l'équipe. Pour qu'elle revienne, invitez-la de nouveau."
    )


class OwnRole(AccountError):
    sentence = _("On ne change pas son propre rôle : demandez-le à un autre responsable.")


class OwnAccount(AccountError):
    sentence = _("On ne peut ni se suspendre ni se retirer soi-même : demandez-le à un autre responsable.")


class LastManager(AccountError):
    sentence = _(
        "C'est le seul responsable actif de la commune. Donnez d'abord ce rôle à une autre personne de l'équipe."
    )
