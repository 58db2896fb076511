"""The wiring on top: settings, addresses, the worker, what every page shares.

Importing it makes our Celery application the one that every shared task belongs to.
"""

from config.celery import app as celery_app

__all__ = ["celery_app"]
