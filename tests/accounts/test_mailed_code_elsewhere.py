"""A code received by mail serves its own browser, its own town, as no link, and once though several come at once."""

from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.accounts.signing_in import codes
from shared_apps.audit.models import AuditEntry
from tenant_apps.residents import activation as residents
from tenants.models import Town
from tests.accounts.codes import ASK, EMAIL, IP, TYPE, another, ask, browser, code_in, problem
from tests.races import at_once


def test_the_code_of_another_browser_opens_nothing(alice: Account) -> None:
    """Whoever talks a person out of the code has asked for it in their own browser; whoever only reads it has not."""
    hers = ask(browser())
    code = code_in()
    theirs = browser()
    assert theirs.post(TYPE, {"code": code})["Location"] == ASK
    ask(theirs)
    if code_in() != code:
        problem(theirs.post(TYPE, {"code": code}))
    assert hers.post(TYPE, {"code": code}).status_code == 302


def test_another_town(alice: Account, other_town: Town, make_account: Any) -> None:
    """The same person in both towns, the cookie and the request's id carried over: nothing opens there."""
    client = ask(browser())
    code, held = code_in(), client.session["code"]
    with tenant_context(other_town):
        make_account(EMAIL)
        there = browser("pechabou.localhost")
        there.cookies["session"] = client.cookies["session"].value
        assert there.post(TYPE, {"code": code})["Location"] == ASK
        there = ask(browser("pechabou.localhost"))
        session = there.session
        session["code"] = {**held}
        session.save()
        assert "plus de 10 minutes" in problem(there.post(TYPE, {"code": code}))
        with pytest.raises(errors.MailedCodeExpired):
            codes.use_code(public_id=UUID(held["link"]), code=code, ip=IP)
    assert client.post(TYPE, {"code": code}).status_code == 302


def test_a_code_is_no_lien_and_a_lien_no_code(alice: Account) -> None:
    client = ask(browser())
    kept = Link.objects.get().token_hash
    assert kept
    for value in (code_in(), kept, "X" + kept[:32]):
        assert client.get("/", {"LIEN": value}).status_code == 410
    reset = Link.objects.create(
        purpose=LinkPurpose.RESET,
        email=EMAIL,
        account=alice,
        token_hash=kept[::-1],
        expires_at=timezone.now(),
    )
    with pytest.raises(errors.MailedCodeExpired):
        codes.use_code(public_id=reset.uuid, code=code_in(), ip=IP)


@pytest.fixture
def live_alice(live_town: Town, make_account: Any) -> Account:
    cache.clear()
    return make_account(EMAIL)


def test_two_at_once_and_one_is_let_in(live_town: Town, live_alice: Account) -> None:
    public_id = residents.request_code(email=EMAIL, ip=IP)
    residents.handle_links()
    code = code_in()
    let_in: list[Account] = []
    use = lambda: let_in.append(codes.use_code(public_id=public_id, code=code, ip=IP))  # noqa: E731
    raised = at_once(live_town, *[use] * 4)
    assert [type(error) for error in raised] == [errors.MailedCodeUsed] * 3
    assert let_in == [live_alice]
    assert AuditEntry.objects.filter(verb="account.code_used").count() == 1


def test_guesses_made_at_once_are_all_counted(live_town: Town, live_alice: Account) -> None:
    public_id = residents.request_code(email=EMAIL, ip=IP)
    residents.handle_links()
    wrong = another(code_in())
    guess = lambda: codes.use_code(public_id=public_id, code=wrong, ip=IP)  # noqa: E731
    raised = at_once(live_town, *[guess] * 8)
    assert sum(isinstance(error, errors.MailedCodeWrong) for error in raised) == codes.TRIES - 1
    assert Link.objects.get(uuid=public_id).tries == codes.TRIES
    with pytest.raises(errors.MailedCodeVoid):
        codes.use_code(public_id=public_id, code=code_in(), ip=IP)
