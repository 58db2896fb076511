"""An operator whose work is really committed."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account, Role, SecondFactor
from shared_apps.audit.models import AuditEntry
from tenants.current import registry
from tenants.models import Erasure, Operation, Town


@pytest.fixture
def live_console(live_town: Town) -> Iterator[Client]:
    """An operator whose rows are committed, for the length of a test."""
    with registry():
        account = Account.objects.create(email="live@example.net", role=Role.OPERATOR)
        factor = SecondFactor.objects.create(account=account, secret="-", confirmed_at=timezone.now())
        client = Client(headers={"host": "admin.localhost"})
        client.force_login(account)
        session = client.session
        session["second_factor"] = str(factor.uuid)
        session.save()
    before = set(Operation.objects.values_list("pk", flat=True))
    try:
        yield client
    finally:
        with registry():
            Operation.objects.exclude(pk__in=before).delete()
            Erasure.objects.filter(requested_by=account.audit_name).delete()
            AuditEntry.objects.filter(actor=account.audit_name).delete()
            session.delete()
            SecondFactor.objects.filter(pk=factor.pk).delete()
            Account.objects.filter(pk=account.pk)._raw_delete("default")
