"""Where a member of staff stands."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account


class MemberState(models.TextChoices):
    """It is not a column: `state_of` reads it from the account's dates."""

    INVITED = "invited", _("invité")
    ACTIVE = "active", _("actif")
    SUSPENDED = "suspended", _("suspendu")
    REMOVED = "removed", _("retiré")


def state_of(account: Account) -> MemberState:
    """Invited until the invitation is accepted, then active; suspended can come back, removed cannot."""
    if account.removed_at is not None:
        return MemberState.REMOVED
    if account.activated_at is None:
        return MemberState.INVITED
    return MemberState.ACTIVE if account.is_active else MemberState.SUSPENDED
