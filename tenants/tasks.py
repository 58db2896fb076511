"""Entry points for the worker."""

from celery import shared_task

from tenants import agenda


@shared_task(name="tenants.run_agenda", expires=60)
def run_agenda() -> None:
    """Every few seconds, from beat."""
    agenda.run()
