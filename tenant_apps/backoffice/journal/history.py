"""« Historique », beside an object: what was done to it lately, and the names for the sentences of its page."""

from collections.abc import Iterable
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from shared_apps.accounts.team.names import authors_of
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.queries import entries
from tenant_apps.backoffice.journal.lines import Line, put_into_words

SHOWN = 20


class History:
    """The last facts about `objects` (« invoice:<uuid> »), newest first; the view has checked that they are seen.

    Two statements, and one or two more when an operator acted, once the page asks. `also`: other actors that the page
    names.
    """

    def __init__(self, *objects: str, also: Iterable[str] = ()) -> None:
        self._objects = objects
        self._also = also

    @cached_property
    def _entries(self) -> list[AuditEntry]:
        return list(entries(objects=self._objects)[: SHOWN + 1])

    @cached_property
    def names(self) -> dict[str, str]:
        """Actor of the trail → words."""
        return authors_of({*(entry.actor for entry in self._entries), *self._also})

    @property
    def lines(self) -> list[Line]:
        """At most `SHOWN`."""
        return put_into_words(self._entries[:SHOWN], self.names, {})

    def last_of(self, verb: str) -> Line | None:
        """The last fact of that verb, if it is among the last facts."""
        found = [entry for entry in self._entries if entry.verb == verb][:1]
        return put_into_words(found, self.names, {})[0] if found else None

    @property
    def has_more(self) -> bool:
        """Whether there are older ones."""
        return len(self._entries) > SHOWN

    @property
    def address(self) -> str:
        """The journal with these objects only, for a manager."""
        return f"{reverse('backoffice:journal')}?{urlencode([('objet', name) for name in self._objects])}"
