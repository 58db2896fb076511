"""Entry points for the worker."""

from celery import shared_task

from tenants import agenda, closing, operations
from tenants.archive import exporting


@shared_task(name="tenants.run_agenda", expires=60)
def run_agenda() -> None:
    """Every few seconds, from beat."""
    agenda.run()
    operations.sweep()
    closing.sweep()


@shared_task(name="tenants.perform", time_limit=6 * 3600)
def perform(pk: int) -> None:
    """An operation on a town."""
    operations.perform(pk)


@shared_task(name="tenants.sweep_exports", expires=3600)
def sweep_exports() -> None:
    """Every hour, from beat: one query when nothing has expired."""
    exporting.sweep()


operations.perform_with(perform)
