"""Entry points for the worker."""

from celery import shared_task

from tenants import agenda, moving, operations
from tenants.current import current_town


@shared_task(name="tenants.run_agenda", expires=60)
def run_agenda() -> None:
    """Every few seconds, from beat."""
    agenda.run()
    operations.sweep()


@shared_task(name="tenants.perform", time_limit=6 * 3600)
def perform(pk: int) -> None:
    """An operation on a town."""
    operations.perform(pk)


@shared_task(name="tenants.drop_leftovers")
def drop_leftovers() -> None:
    """What the current town left in a database where it lived before."""
    moving.drop_leftovers(current_town())


operations.perform_with(perform)
