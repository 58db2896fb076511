"""Which rows of this room are only kept for some months (shared_apps.privacy.personal, residents.retention)."""

from django.db.models import QuerySet

from shared_apps.accounts.models import Account, Link, Role


def links() -> QuerySet[Link]:
    """All of them: the longest serves for a week, and the shortest that a town may keep one is a month."""
    return Link.objects.all()


def unused_accounts() -> QuerySet[Account]:
    """Made because somebody typed an address that billing knows; nobody ever opened the link."""
    never = Account.objects.filter(activated_at=None, last_login=None, erased_at=None)
    return never.filter(role=Role.RESIDENT, erasure_asked_at=None)
