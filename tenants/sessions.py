"""Django's sessions, which are rows of the town's schema, while the town is read-only."""

from django.contrib.sessions.backends import db

from tenants import current
from tenants.errors import ReadOnly


class SessionStore(db.SessionStore):
    """In a town that is being moved, pages are read: what they would note in the session is not kept."""

    def save(self, must_create: bool = False) -> None:
        """Raises ReadOnly for a new session, whose page would have no sense without it."""
        if not current.is_read_only():
            super().save(must_create)
        elif must_create:
            raise ReadOnly
