"""What the list of a new town's first steps remembers, in the row of the town (decision 69).

The steps tick by facts (`tenant_apps.firstday`). Only three things are remembered: which settings somebody keeps as
they came, who folded the list away, and that it is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.services import show
from tenants.current import current_town
from toolkit import clock


class Step(models.TextChoices):
    """In the order of the list. It is not a column."""

    IDENTITY = "identity", _("Logo et couleurs")
    REGIE = "regie", _("Régie")
    PAYFIP = "payfip", _("Paiement en ligne")
    TEAM = "team", _("Équipe")
    TEXTS = "texts", _("Mentions légales")
    AUDIENCE = "audience", _("Qui prévenir des nouvelles factures")
    IMPORT = "import", _("Premier import")


MAY_STAY = frozenset({Step.IDENTITY, Step.TEAM, Step.AUDIENCE})  # where what came with the town may be right


@dataclass(frozen=True)
class Word:
    """Who said so (an actor of the trail), and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class FirstDay:
    """`settled`: the steps of `MAY_STAY` that somebody keeps as they are. `folded`: by whom the list was hidden."""

    settled: dict[Step, Word]
    folded: Word | None = None
    finished: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Everything was done once: the list never comes back."""
        return self.finished is not None


def first_day_of(townhall: TownHall) -> FirstDay:
    """As the row has it. No statement."""
    row = townhall.first_day
    settled = {Step(name): _word(one) for name, one in row.get("settled", {}).items() if name in Step.values}
    finished = row.get("finished")
    return FirstDay(
        settled,
        _word(row["folded"]) if row.get("folded") else None,
        datetime.fromisoformat(finished) if finished else None,
    )


def settle(*, actor: Account, step: Step) -> None:
    """« Rien à changer »: keep what came with the town. Twice keeps the first. Raises ValueError for other steps."""
    if step not in MAY_STAY:
        raise ValueError(step)

    def change(row: dict[str, Any]) -> bool:
        settled = row.setdefault("settled", {})
        if step.value in settled:
            return False
        settled[step.value] = _said(actor)
        return True

    _change(actor, "townhall.first_step_kept", change, step=step.value)


def fold(*, actor: Account) -> None:
    """« Masquer »: the home page is the ordinary one, for everybody. Twice changes nothing."""

    def change(row: dict[str, Any]) -> bool:
        if row.get("folded"):
            return False
        row["folded"] = _said(actor)
        return True

    _change(actor, "townhall.first_day_folded", change)


def unfold(*, actor: Account) -> None:
    """The list is shown again. Twice changes nothing."""
    _change(actor, "townhall.first_day_unfolded", lambda row: row.pop("folded", None) is not None)


def finish() -> bool:
    """Everything is done: the list does not come back. True for the one call that says so."""

    def change(row: dict[str, Any]) -> bool:
        if row.get("finished"):
            return False
        row["finished"] = clock.now().isoformat()
        return True

    return _change(audit.SYSTEM, "townhall.first_day_finished", change)


@transaction.atomic
def _change(actor: audit.Actor, verb: str, change: Callable[[dict[str, Any]], bool], **words: str) -> bool:
    """Let `change` alter what the locked row remembers; record it when it did."""
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    if not change(townhall.first_day):
        return False
    townhall.save(update_fields=["first_day"])
    audit.record(verb, actor=actor, new=words)
    transaction.on_commit(partial(show, current_town()))
    return True


def _said(actor: Account) -> dict[str, str]:
    return {"by": actor.audit_name, "at": clock.now().isoformat()}


def _word(kept: dict[str, str]) -> Word:
    return Word(kept["by"], datetime.fromisoformat(kept["at"]))
