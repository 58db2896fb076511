"""The wiring on top. Importing it makes our Celery application the one that every shared task belongs to."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
