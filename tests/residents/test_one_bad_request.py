"""A request that cannot be answered stops no other one, and does not come back for ever."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.residents.access_requests import services as access_requests
from tenant_apps.residents.models import AccessRequest, Payer
from tenants.models import Town


@pytest.fixture
def three(town: Town, make_account: Callable[..., Account]) -> list[str]:
    names = [f"{name}@example.net" for name in ("alice", "bob", "charlie")]
    for name in names:
        make_account(name)
    return names


def break_for(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, email: str) -> None:
    really = getattr(module, name)

    def act(row: Any, *args: Any) -> Any:
        if row.email == email:
            raise RuntimeError("x")
        return really(row, *args)

    monkeypatch.setattr(module, name, act)


def test_the_second_of_three_links(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    break_for(monkeypatch, activation, "_send_password_link", three[1])
    for email in three:
        activation.request_reset(email=email)
    assert activation.handle_links() == 2
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {three[0], three[2]}
    assert Link.objects.get(email=three[1]).handled_at is None
    assert activation.handle_links() == 0  # tried again, and no other
    Link.objects.filter(handled_at=None).update(requested_at=timezone.now() - activation.GIVE_UP)
    assert activation.handle_links() == 0
    assert not Link.objects.filter(handled_at=None).exists()
    assert OutgoingMail.objects.count() == 2


def test_it_is_answered_once_what_failed_is_mended(three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        break_for(broken, activation, "_send_password_link", three[0])
        activation.request_reset(email=three[0])
        assert activation.handle_links() == 0
    assert activation.handle_links() == 1
    assert Link.objects.get().purpose == LinkPurpose.RESET


def test_the_second_of_three_access_requests(
    three: list[str], make_payer: Callable[..., Payer], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_for(monkeypatch, access_requests, "_answer", three[1])
    payer = make_payer()
    for email in three:
        access_requests.ask_by_mail(email=email, payer_id=payer.pk, invoice=payer.uuid, number="1")
    assert access_requests.handle_access_requests() == 2
    assert set(OutgoingMail.objects.values_list("to", flat=True)) == {three[0], three[2]}
    AccessRequest.objects.filter(account=None).update(asked_at=timezone.now() - access_requests.UNCONFIRMED)
    assert access_requests.handle_access_requests() == 0
    assert not AccessRequest.objects.filter(account=None).exists()
