"""Why something about payers could not be done."""

from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.errors import AccountError


class SameAddress(AccountError):
    sentence = _("C'est déjà votre adresse.")
