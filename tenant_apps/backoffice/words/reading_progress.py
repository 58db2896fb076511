"""How far the worker has read a journal or a statement, as its page shows it."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenant_apps.backoffice.words.progress import SILENT, Progress, Step, ago
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.states import StatementState

_DOING = {
    "checking": gettext_lazy("Lecture du fichier"),
    "matching": gettext_lazy("Rapprochement de chaque ligne"),
    "again": gettext_lazy("Nouvelle recherche pour les lignes à traiter"),
    "confirming": gettext_lazy("Confirmation des paiements annoncés"),
}
_PLACE = {"checking": 1, "matching": 2, "again": 2, "confirming": 3}


def progress_of(file: Statement) -> Progress:
    """The steps « fichier → lecture → rapprochement → confirmation » and the progress bar of `file`."""
    working = file.state == StatementState.READING
    begun = working and file.beat_at is not None
    measured = begun and file.step in ("matching", "again")
    last_sign = file.beat_at or file.started_at or file.created_at
    return Progress(
        steps=_strip(file, _PLACE.get(file.step, 1) if working else 0),
        working=working,
        doing=str(_DOING.get(file.step, "")) if begun else _("Cela va commencer"),
        done=min(file.done, file.total) if measured else file.done if begun else 0,
        total=file.total if measured else 0,
        since=ago(file.started_at) if working and file.started_at else "",
        silent=working and timezone.now() - last_sign > SILENT,
    )


def _strip(file: Statement, place: int) -> tuple[Step, ...]:
    labels = (_("Fichier"), _("Lecture"), _("Rapprochement"), _("Confirmation"))
    states = ("done" if n < place else "current" if n == place else "next" for n in range(4))
    return tuple(Step(label, state) for label, state in zip(labels, states, strict=True))
