"""The password rule of a town (CNIL 2022; M3)."""

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.errors import WeakPassword

MANUAL_MINIMUM = 5  # M3: a town may go down to it
DEFAULT_MINIMUM = 12
LONGEST = 256


class PasswordRule:
    """At least `minimum` characters; from `DEFAULT_MINIMUM` on also none of the 20,000 most used passwords.

    A town that chose the manual's short rule chose it for ease: a list of common passwords would refuse
    half of what fits in it, so the list is applied from eight characters up.
    """

    def __init__(self, minimum: int = DEFAULT_MINIMUM) -> None:
        self.minimum = max(minimum, MANUAL_MINIMUM)

    @cached_property
    def _common(self) -> CommonPasswordValidator:
        return CommonPasswordValidator()

    @property
    def sentence(self) -> str:
        """The rule as it is written where the password is typed."""
        return ngettext("Au moins %(n)d caractère.", "Au moins %(n)d caractères.", self.minimum) % {
            "n": self.minimum
        }

    def check(self, password: str) -> None:
        """Raises WeakPassword with the sentence to show."""
        if len(password) < self.minimum:
            raise WeakPassword(
                ngettext(
                    "Le mot de passe doit contenir au moins %(n)d caractère.",
                    "Le mot de passe doit contenir au moins %(n)d caractères.",
                    self.minimum,
                )
                % {"n": self.minimum}
            )
        if len(password) > LONGEST:
            raise WeakPassword(_("Le mot de passe est trop long (256 caractères au plus)."))
        if self.minimum >= 8:
            try:
                self._common.validate(password)
            except ValidationError:
                raise WeakPassword(
                    _("Ce mot de passe est trop connu : choisissez-en un que personne ne devinera.")
                ) from None
