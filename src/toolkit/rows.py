"""One row of the database, written the same way by every room."""

from typing import Any

from django.db.models import Model


def change_row(row: Model, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set what differs on a locked row, check it, save it; returns the old and the new values of just that."""
    new = {name: value for name, value in settings.items() if getattr(row, name) != value}
    old = {name: getattr(row, name) for name in new}
    if new:
        for name, value in new.items():
            setattr(row, name, value)
        row.full_clean()
        row.save(update_fields=list(new))
    return old, new
