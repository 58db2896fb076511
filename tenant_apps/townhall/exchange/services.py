"""Give settings, compare them with those of the town, take some of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from shared_apps.audit import services as audit
from tenant_apps.townhall.exchange import files
from tenant_apps.townhall.exchange.names import foreign, unveiled
from tenant_apps.townhall.exchange.shared import BY_FIELD, Shared
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.notices import proposals
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from tenants.current import current_town
from tenants.hosts.registry import address_of


@dataclass(frozen=True)
class Change:
    """A setting of the file that is not the town's. `warnings`: what in a text looks like another town's."""

    shared: Shared
    old: Any
    new: Any
    warnings: list[str] = field(default_factory=list)

    @property
    def old_words(self) -> str:
        return self.shared.said(self.old)

    @property
    def new_words(self) -> str:
        return self.shared.said(self.new)


def export_settings() -> str:
    """The file of the current town."""
    townhall = current_townhall()
    return files.written(files.settings_of(townhall), townhall, address=address_of(current_town()))


def compare(content: bytes) -> list[Change]:
    """What the file would change, in the order of the settings. Raises ValidationError. Nothing is changed."""
    return _changes(current_townhall(), files.read(content))


@transaction.atomic
def take_settings(*, actor: audit.Actor, content: bytes, keys: Collection[str]) -> tuple[list[Change], str]:
    """Take those settings of the file, as one change with one fact. Taken twice, they change nothing.

    Returns what has changed, and the file that puts it back. Raises ValidationError, and NotWhileImpersonating like
    `change_townhall`; then nothing is changed.
    """
    values = files.read(content)
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    changes = [one for one in _changes(townhall, values) if one.shared.key in keys]
    before = {one.shared.field: one.old for one in changes}
    back = files.written(before, townhall, address=address_of(current_town()))
    if changes:
        change_townhall(actor=actor, **{one.shared.field: one.new for one in changes})
    return changes, back


def _changes(townhall: TownHall, values: dict[str, Any]) -> list[Change]:
    """A text that comes out as the proposed one stays empty, so that it follows the town's data."""
    address = address_of(current_town())
    proposed = proposals(townhall, address=address)
    changes = []
    for name, shared in BY_FIELD.items():
        if name not in values:
            continue
        new, warnings = values[name], []
        if shared.is_text:
            new = unveiled(new, townhall, address=address)
            if new.split() == proposed[name].split():
                new = ""
            known = f"{proposed[name]} {townhall.name} {townhall.contact_email} {townhall.phone}"
            warnings = foreign(new, known=known)
        old = getattr(townhall, name)
        if new != old:
            changes.append(Change(shared, old, new, warnings))
    return changes
