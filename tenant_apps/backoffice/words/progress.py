"""The progress of an import, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.states import BatchState

WORKING = (BatchState.UPLOADED, BatchState.CHECKING, BatchState.PUBLISHING)
_STEPS = {
    "reading": gettext_lazy("Lecture du fichier"),
    "checking": gettext_lazy("Vérification de chaque ligne"),
    "storing": gettext_lazy("Rangement des factures et de leurs PDF"),
    "publishing": gettext_lazy("Mise en ligne"),
}
_PLACE = {
    BatchState.UPLOADED: 2,
    BatchState.CHECKING: 2,
    BatchState.REFUSED: 2,
    BatchState.FAILED: 2,
    BatchState.READY: 3,
    BatchState.TAKEN_BACK: 3,
    BatchState.PUBLISHING: 4,
    BatchState.PUBLISHED: 5,
    BatchState.DISCARDED: 2,
}
SILENT = timedelta(minutes=2)


@dataclass(frozen=True)
class Step:
    """One of the five steps. `state`: done, current, wrong or next."""

    label: str
    state: str

    @property
    def is_here(self) -> bool:
        """Whether the import is at this step, working or stopped."""
        return self.state in ("current", "wrong")

    @property
    def mark(self) -> str:
        """What replaces the step's number in its circle; empty for the number itself."""
        return {"done": "✓", "wrong": "!"}.get(self.state, "")

    @property
    def said(self) -> str:
        """The same in words, for screen readers."""
        return {"done": _("(fait)"), "wrong": _("(à corriger)")}.get(self.state, "")


@dataclass(frozen=True)
class Progress:
    """The steps and the progress bar. `total` is 0 when it is unknown."""

    steps: tuple[Step, ...]
    working: bool
    doing: str
    done: int
    total: int
    since: str  # time since it began, in words
    silent: bool  # no progress for a while


def progress_of(batch: Batch) -> Progress:
    """The steps « fichier → colonnes → vérification → qui sera prévenu → publication » and the progress bar."""
    state = BatchState(batch.state)
    working = state in WORKING
    last_sign = batch.beat_at or batch.created_at
    measured = working and batch.step in ("checking", "storing")
    return Progress(
        steps=_strip(batch, state),
        working=working,
        doing=str(_STEPS.get(batch.step, _("Cela va commencer"))) if working else "",
        done=min(batch.done, batch.total) if measured else 0,
        total=batch.total if measured else 0,
        since=_ago(batch) if working else "",
        silent=working and timezone.now() - last_sign > SILENT,
    )


def first_steps() -> tuple[Step, ...]:
    """The steps before a file was sent."""
    return _steps(0, "current")


def _strip(batch: Batch, state: BatchState) -> tuple[Step, ...]:
    here = "wrong" if state in (BatchState.REFUSED, BatchState.FAILED) else "current"
    # Not one row was read: its columns are what stops it.
    is_unread = state == BatchState.REFUSED and not batch.refused_count and not batch.done
    return _steps(1 if is_unread else _PLACE[state], here)


def _steps(place: int, here: str) -> tuple[Step, ...]:
    labels = (_("Fichier"), _("Colonnes"), _("Vérification"), _("Qui sera prévenu"), _("Publication"))
    states = ("done" if n < place else here if n == place else "next" for n in range(5))
    return tuple(Step(label, name) for label, name in zip(labels, states, strict=True))


def _ago(batch: Batch) -> str:
    if batch.state == BatchState.PUBLISHING:
        return ""  # nobody stores when it was asked for
    return ago(
        batch.created_at if batch.state == BatchState.UPLOADED else batch.started_at or batch.created_at
    )


def ago(moment: datetime) -> str:
    """« depuis 3 minutes »; empty up to one second."""
    seconds = int((timezone.now() - moment).total_seconds())
    if seconds < 2:
        return ""
    if seconds < 60:
        return ngettext("depuis %(n)d seconde", "depuis %(n)d secondes", seconds) % {"n": seconds}
    minutes = seconds // 60
    return ngettext("depuis %(n)d minute", "depuis %(n)d minutes", minutes) % {"n": minutes}
