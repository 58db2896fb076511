"""Entry points for the worker."""

from celery import shared_task

from shared_apps.console.watch import figures


@shared_task(name="console.refresh_figures")
def refresh_figures() -> None:
    """Count the current town's figures."""
    figures.refresh()
