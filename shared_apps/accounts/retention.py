"""Which rows of this room are kept for some months only (shared_apps.privacy.personal)."""

from django.db.models import QuerySet

from shared_apps.accounts.models import Account, Link, Role


def links() -> QuerySet[Link]:
    """All links: the longest is valid for a week, and a town keeps links for at least a month."""
    return Link.objects.all()


def unused_accounts() -> QuerySet[Account]:
    """Accounts made when somebody typed an address known to billing, whose link nobody opened."""
    never = Account.objects.filter(activated_at=None, last_login=None, erased_at=None)
    return never.filter(role=Role.RESIDENT, erasure_asked_at=None)
