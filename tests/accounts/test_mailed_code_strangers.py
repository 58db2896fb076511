"""Codes received by mail: whoever knows only an address learns nothing, and guesses only so often."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.signing_in import codes
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation as residents
from tenants.models import Town
from tests.accounts.codes import ASK, EMAIL, IP, TYPE, another, ask, browser, code_in, problem
from tests.conftest import PASSWORD

# --- a stranger learns nothing ---------------------------------------------------------------------------------------

SORTS = ("alice@example.net", "nouveau@example.net", "agent@example.net", "stranger@example.net")


@pytest.fixture
def all_sorts(alice: Account, make_account: Any, make_payer: Any) -> tuple[str, ...]:
    make_account("agent@example.net", role=Role.CLERK)
    make_payer(email="nouveau@example.net")
    return SORTS


def shape(asked: CaptureQueriesContext) -> list[str]:
    """The statements without their values, and without what a process asks anew of the town every few seconds."""
    of_the_clock = re.compile(r"tenants_(town|domain|change)\b|townhall_townhall|search_path")
    kept = [query["sql"] for query in asked if not of_the_clock.search(query["sql"])]
    return [re.sub(r"'[^']*'(::\w+)?|s\d+_x\d+|\b\d+\b", "?", sql) for sql in kept]


def test_every_address_reads_and_costs_the_same(all_sorts: tuple[str, ...]) -> None:
    """Asking, then every wrong try until the code is void: the same words after the same statements."""
    seen = {}
    ask(browser(), "first@example.net").get(TYPE)  # the town is in the process's caches from here on
    for email in all_sorts:
        client = browser()
        client.get(ASK)
        with CaptureQueriesContext(connection) as asking:
            client.post(ASK, {"email": email})
        costs = [shape(asking)]
        residents.handle_links()
        code = code_in() if email == EMAIL else "000000"
        pages = [without_tokens(client.get(TYPE).content.decode(), email)]
        for _try in range(codes.TRIES + 1):
            with CaptureQueriesContext(connection) as trying:
                answer = client.post(TYPE, {"code": another(code)})
            pages.append(without_tokens(answer.content.decode(), email))
            costs.append(shape(trying))
        seen[email] = (pages, costs)
    assert all(cost for _pages, costs in seen.values() for cost in costs)
    for email in all_sorts:
        assert seen[email] == seen[EMAIL], email


def test_expiry_and_suspension_read_the_same(all_sorts: tuple[str, ...]) -> None:
    words = set()
    for email in all_sorts:
        client = ask(browser(), email)
        Link.objects.filter(email=email, purpose=LinkPurpose.CODE).update(tries=codes.WRONG_A_DAY)
        answer = browser().post(ASK, {"email": email})
        suspended = (answer.status_code, str(answer.context["problem"]))
        Link.objects.filter(email=email, purpose=LinkPurpose.CODE).update(expires_at=timezone.now())
        words.add((suspended, problem(client.post(TYPE, {"code": "000000"}))))
    assert len(words) == 1


def without_tokens(page: str, email: str) -> str:
    """The page without what its reader typed, or the protection of its forms."""
    typed = r'name="csrfmiddlewaretoken" value="[^"]+"|value="\d{6}"'
    return re.sub(typed, "", page).replace(email, "§")


# --- how often -------------------------------------------------------------------------------------------------------


def test_guessing_is_bounded_by_the_database_alone(alice: Account) -> None:
    """With new browsers, new addresses of the internet and Redis emptied each time: so many wrong ones a day."""
    wrong = 0
    for attempt in range(12):
        cache.clear()
        client = browser()
        answer = client.post(ASK, {"email": EMAIL}, headers={"x-forwarded-for": f"198.51.100.{attempt}"})
        if answer.status_code != 302:
            assert "avant demain" in answer.context["problem"]
            continue
        residents.handle_links()
        code = code_in()
        for _try in range(codes.TRIES):
            wrong += 1
            problem(client.post(TYPE, {"code": another(code)}))
    assert wrong == codes.WRONG_A_DAY
    assert Client(headers={"host": "mairie.localhost"}).post("/", {"email": EMAIL, "password": PASSWORD})[
        "Location"
    ] == ("/factures/")
    Link.objects.update(requested_at=timezone.now() - timedelta(days=1, minutes=1))
    cache.clear()
    client = ask(browser())
    assert client.post(TYPE, {"code": code_in()}).status_code == 302


def test_a_live_code_is_suspended_with_the_address(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    for _ in range(2):
        other = residents.request_code(email=EMAIL, ip=IP)
        Link.objects.filter(uuid=other).update(tries=codes.TRIES)
    answer = client.post(TYPE, {"code": code})
    assert "avant demain" in problem(answer)
    assert "Recevoir un autre code" not in answer.content.decode()


def test_so_many_codes_to_an_address(alice: Account) -> None:
    for _ in range(codes.SENT):
        ask(browser())
    answer = browser().post(ASK, {"email": f" {EMAIL.upper()} "})
    assert answer.status_code == 429
    assert "attendez 15 minutes" in answer.context["problem"]
    assert "J'ai déjà reçu un code" not in answer.content.decode()
    assert OutgoingMail.objects.filter(kind="code").count() == codes.SENT
    ask(browser(), "somebody@example.net")


def test_so_many_messages_also_while_redis_counts_nothing(alice: Account) -> None:
    for _ in range(codes.SENT + 2):
        cache.clear()
        ask(browser())
    assert OutgoingMail.objects.filter(kind="code").count() == codes.SENT


def test_so_many_from_one_place(town: Town) -> None:
    for n in range(codes.ASKED_FROM.most):
        ask(browser(), f"someone-{n}@example.net")
    answer = browser().post(ASK, {"email": "one-more@example.net"})
    assert answer.status_code == 429
    assert "Trop d'essais" in answer.context["problem"]


def test_guesses_from_one_place_count_with_those_of_passwords(alice: Account, make_account: Any) -> None:
    for n in range(5):
        make_account(f"neighbour-{n}@example.net")
        for _ in range(2):
            client = ask(browser(), f"neighbour-{n}@example.net")
            for _try in range(codes.TRIES):
                client.post(TYPE, {"code": another(code_in())})
    answer = browser().post("/", {"email": EMAIL, "password": PASSWORD})
    assert "Trop d'essais" in answer.context["problem"]


def test_requests_are_forgotten_after_a_day(alice: Account) -> None:
    reset = Link.objects.create(
        purpose=LinkPurpose.RESET, email=EMAIL, account=alice, handled_at=timezone.now()
    )
    ask(browser())
    ask(browser(), "stranger@example.net")
    Link.objects.update(requested_at=timezone.now() - timedelta(days=1, minutes=1))
    ask(browser())
    assert Link.objects.filter(purpose=LinkPurpose.CODE).count() == 1
    assert Link.objects.filter(pk=reset.pk).exists()


def test_a_worker_that_comes_too_late_sends_nothing(alice: Account) -> None:
    browser().post(ASK, {"email": EMAIL})
    Link.objects.update(expires_at=timezone.now())
    assert residents.handle_links() == 1
    assert not OutgoingMail.objects.exists()
    assert residents.handle_links() == 0
