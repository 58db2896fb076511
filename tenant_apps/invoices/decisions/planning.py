"""Publish an import on a later day."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from shared_apps.audit import services as audit
from shared_apps.audit.queries import entries
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.models import Batch
from tenant_apps.invoices.services import lock, publish_batch, waits_for_answers, wrong_state
from tenant_apps.invoices.states import BatchState
from tenants.databases.postgresql.again import atomic_again
from tenants.work import agenda
from toolkit import clock

MOST_DAYS = 366


@atomic_again
def plan_publication(*, actor: audit.Actor, batch: Batch, day: date | None) -> Batch:
    """Publish a ready import on `day`, early in the morning; None: not by itself any more. Raises WrongState.

    It may still be published at once, corrected or discarded until then.
    """
    locked = lock(batch)
    if locked.state != BatchState.READY or not locked.brings_something:
        raise wrong_state(locked)
    if day is not None:
        if not clock.today() < day <= clock.today() + timedelta(days=MOST_DAYS):
            raise WrongState(_("Choisissez un jour à venir, dans l'année."))
        if waits_for_answers(locked):
            raise WrongState(_("Répondez d'abord aux questions de cet import ; la date vient après."))
    if locked.publish_on != day:
        old, locked.publish_on = locked.publish_on, day
        locked.save(update_fields=["publish_on"])
        audit.record(
            "batch.publication_planned",
            actor=actor,
            obj=f"batch:{locked.uuid}",
            old={"day": old.isoformat() if old else ""},
            new={"day": day.isoformat() if day else ""},
        )
        agenda.wake("imports")
    return locked


def publish_as_planned(*, batch: Batch) -> None:
    """The worker asks for the publication whose day has come, for the person who chose it."""
    planned = entries(verbs=["batch.publication_planned"], objects=[f"batch:{batch.uuid}"]).first()
    try:
        publish_batch(actor=planned.actor if planned else batch.created_by, batch=batch)
    except WrongState:
        # A question has come since: the import stays ready, and its page says so.
        Batch.objects.filter(pk=batch.pk).update(publish_on=None)
