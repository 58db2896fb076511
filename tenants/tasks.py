"""Entry points for the worker."""

from celery import shared_task

from tenants.archive import exporting
from tenants.current import current_town
from tenants.life import town_closure
from tenants.shards import moving
from tenants.work import agenda, heartbeat, operations


@shared_task(name="tenants.run_agenda", expires=60)
def run_agenda() -> None:
    """Every few seconds, from beat."""
    agenda.run()
    operations.sweep()
    town_closure.sweep()
    heartbeat.note()


@shared_task(name="tenants.perform", time_limit=6 * 3600)
def perform(pk: int) -> None:
    """An operation on a town."""
    operations.perform(pk)


@shared_task(name="tenants.drop_leftovers")
def drop_leftovers() -> None:
    """What the current town left in a database where it lived before."""
    moving.drop_leftovers(current_town())


@shared_task(name="tenants.sweep_exports", expires=3600)
def sweep_exports() -> None:
    """Every hour, from beat: one query when nothing has expired."""
    exporting.sweep()


operations.perform_with(perform)
