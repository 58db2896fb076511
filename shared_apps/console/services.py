"""The only writer of the platform's settings."""

from django.db import transaction

from shared_apps.accounts.models import Account
from shared_apps.audit import services as audit
from shared_apps.console import platform
from shared_apps.console.models import Platform


def change_platform(*, actor: Account, **fields: str) -> Platform:
    """Change the platform's settings; other processes follow within `platform.SECONDS`."""
    with transaction.atomic():
        Platform.objects.get_or_create(pk=1)
        row = Platform.objects.select_for_update().get(pk=1)
        old = {name: getattr(row, name) for name in fields if getattr(row, name) != fields[name]}
        if old:
            for name in old:
                setattr(row, name, fields[name])
            row.save()
            audit.record("platform.changed", actor=actor, old=old, new={name: fields[name] for name in old})
    platform.forget()
    return row
