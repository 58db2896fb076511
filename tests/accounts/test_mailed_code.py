"""Sign in with a code received by mail: who may, in which browser, how often, and what a stranger learns."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts import codes, errors, sessions
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.audit.models import Entry
from shared_apps.mail.errors import TooOld
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.services import requeue_mail
from tenant_apps.residents import services as residents
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_of
from tenant_apps.townhall.queries import forget
from tenant_apps.townhall.services import change_townhall
from tenants.models import Town
from tests.conftest import PASSWORD

ASK, TYPE, IP = "/code/", "/code/saisie/", "192.0.2.7"
EMAIL = "alice@example.net"


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account(EMAIL)


def browser(host: str = "mairie.localhost") -> Client:
    return Client(headers={"host": host})


def ask(client: Client, email: str = EMAIL, **more: str) -> Client:
    """That browser asks for a code, and the worker answers."""
    answer = client.post(ASK, {"email": email, **more})
    assert (answer.status_code, answer["Location"]) == (302, TYPE), answer.content.decode()
    residents.handle_links()
    return client


def code_in(mail: OutgoingMail | None = None) -> str:
    """The six digits of a message, by default of the newest one."""
    mail = mail or OutgoingMail.objects.order_by("-id")[0]
    return re.findall(r"^\d{6}$", mail.text, re.M)[0]


def another(code: str, n: int = 1) -> str:
    return f"{(int(code) + n) % 1_000_000:06}"


def problem(answer: Any) -> str:
    assert answer.status_code == 422
    (sentence,) = answer.context["form"].errors["code"]
    return str(sentence)


# --- signing in ------------------------------------------------------------------------------------------------------


def test_a_code_signs_in_once(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    before = client.cookies["session"].value
    answer = client.post(TYPE, {"code": f" {code[:3]} {code[3:]} "})
    assert (answer.status_code, answer["Location"]) == (302, "/factures/")
    assert client.cookies["session"].value != before  # a fresh key: whoever planted the old one holds nothing
    assert not Session.objects.filter(session_key=before).exists()
    assert client.get("/factures/").status_code == 200
    (device,) = client.get("/mes-informations/").context["sessions"]
    assert device.is_this_one
    entry = Entry.objects.get(verb="account.code_used")
    assert entry.actor == f"account:{alice.uuid}"
    assert client.get(TYPE)["Location"] == "/"  # signed in: nothing to do here


@pytest.mark.parametrize("typed", ["{}", "{} ", "{0[0]} {0[1]}{0[2]}.{0[3]}-{0[4]}\u202f{0[5]}"])
def test_digits_are_taken_as_people_copy_them(alice: Account, typed: str) -> None:
    client = ask(browser())
    assert client.post(TYPE, {"code": typed.format(code_in())}).status_code == 302


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "9" * 41])
def test_what_is_no_code_costs_no_try(alice: Account, typed: str) -> None:
    client = ask(browser())
    answer = client.post(TYPE, {"code": typed})
    assert answer.context["form"].errors["code"]
    assert Link.objects.get().tries == 0


@pytest.mark.parametrize(("remember", "lasting"), [({"remember": "on"}, True), ({}, False)])
def test_remember_me_and_the_next_page(alice: Account, remember: dict[str, str], lasting: bool) -> None:
    client = ask(browser(), suite="/contact/", **remember)
    page = client.get(TYPE)
    suite = re.findall(r'name="suite" value="([^"]+)"', page.content.decode())
    assert suite
    assert set(suite) == {"/contact/"}
    answer = client.post(TYPE, {"code": code_in(), "suite": suite[0]})
    assert answer["Location"] == "/contact/"
    assert bool(client.cookies["session"]["max-age"]) is lasting


def test_the_next_page_is_of_this_host(alice: Account) -> None:
    client = ask(browser(), suite="https://evil.example/")
    assert client.post(TYPE, {"code": code_in(), "suite": "//evil.example/"})["Location"] == "/factures/"


def test_what_was_typed_on_the_sign_in_page_comes_along(alice: Account) -> None:
    client = browser()
    page = client.get("/?suite=/contact/").content.decode()
    assert 'formaction="/code/"' in page
    sent = {"email": EMAIL, "password": "x", "remember": "on", "suite": "/contact/", "depuis": "connexion"}
    answer = client.post(ASK, sent)
    page = answer.content.decode()
    assert f'value="{EMAIL}"' in page
    assert "checked" in page
    assert 'name="suite" value="/contact/"' in page
    assert "summary-bad" not in client.post(ASK, {"depuis": "connexion"}).content.decode()
    assert not Link.objects.exists()


# --- what the message says, and what is kept -------------------------------------------------------------------------


def test_the_message(alice: Account) -> None:
    ask(browser())
    mail = OutgoingMail.objects.get()
    code = code_in(mail)
    assert (mail.kind, mail.to, mail.secret) == ("code", EMAIL, True)
    assert code not in mail.subject
    for body in (mail.text, mail.html):
        assert body.count(code) == 1
        assert "valable 10 minutes et ne sert qu" in body
        assert "aucun agent de la mairie ne vous le demandera" in body
        assert "a demandé un code pour votre adresse" in body
        assert "LIEN" not in body
        assert not re.search(r"[{}]\s*[%#{}]|[%#]}", body)


def test_the_code_is_kept_as_a_keyed_hash(alice: Account, settings: Any) -> None:
    client = ask(browser())
    code = code_in()
    assert code not in str(list(Link.objects.values("token_hash", "email")))
    assert code not in str(client.session.items())
    settings.SECRET_KEY = "another"  # a stolen table alone does not say which of a million it was
    with pytest.raises(errors.MailedCodeWrong):
        codes.use_code(public_id=Link.objects.get().uuid, code=code, ip=IP)


def test_staff_cannot_send_a_dead_code_again(alice: Account) -> None:
    ask(browser())
    mail = OutgoingMail.objects.get()
    OutgoingMail.objects.update(state="failed", created_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(TooOld):
        requeue_mail(actor="system", mail=mail)


# --- each its own words ----------------------------------------------------------------------------------------------


def test_wrong_then_void(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    for left in (4, 3, 2):
        assert f"Il vous reste {left} essais." in problem(client.post(TYPE, {"code": another(code, left)}))
    assert "Il vous reste 1 essai." in problem(client.post(TYPE, {"code": another(code)}))
    answer = client.post(TYPE, {"code": another(code)})
    assert "Trop d'essais" in problem(answer)
    page = answer.content.decode()
    assert "Recevoir un autre code" in page
    assert 'name="code"' not in page
    assert "Trop d'essais" in problem(client.post(TYPE, {"code": code}))  # the right one, too late
    assert client.get("/factures/").status_code == 302


def test_a_wrong_code_then_the_right_one(alice: Account) -> None:
    client = ask(browser())
    problem(client.post(TYPE, {"code": another(code_in())}))
    assert client.post(TYPE, {"code": code_in()}).status_code == 302


def test_expired(alice: Account) -> None:
    client = ask(browser())
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "plus de 10 minutes" in problem(client.post(TYPE, {"code": code_in()}))
    assert Link.objects.get().used_at is None


def test_it_lives_ten_minutes_from_the_asking(alice: Account) -> None:
    ask(browser())
    link = Link.objects.get()
    assert link.expires_at is not None
    assert abs(link.expires_at - link.requested_at - timedelta(minutes=10)) < timedelta(seconds=2)


def test_used(alice: Account) -> None:
    client = ask(browser())
    code, held = code_in(), client.session["code"]
    client.post(TYPE, {"code": code})
    again = browser()
    again.get("/")
    session = again.session
    session["code"] = held  # as the second of two clicks
    session.save()
    again.cookies["session"] = session.session_key
    assert "a déjà servi" in problem(again.post(TYPE, {"code": code}))


def test_another_code_replaces_the_first_in_this_browser(alice: Account) -> None:
    client = ask(browser())
    first = code_in()
    ask(client)
    second = code_in()
    if first != second:
        assert "celui du dernier message" in problem(client.post(TYPE, {"code": first}))
    assert "J&#x27;ai déjà reçu un code" in client.get(ASK).content.decode().replace("J'", "J&#x27;")
    assert client.post(TYPE, {"code": second}).status_code == 302


def test_nothing_was_asked(town: Town) -> None:
    for answer in (browser().get(TYPE), browser().post(TYPE, {"code": "123456"})):
        assert answer["Location"] == ASK


def test_a_request_that_is_gone_reads_as_expired(alice: Account) -> None:
    client = ask(browser())
    code = code_in()
    Link.objects.all().delete()
    assert "plus de 10 minutes" in problem(client.post(TYPE, {"code": code}))


# --- who may ---------------------------------------------------------------------------------------------------------


def test_known_to_billing_but_not_activated_gets_the_link_instead(
    town: Town, make_payer: Callable[..., Payer]
) -> None:
    """A code would leave an account without a password and its payers unseen: the first one is chosen as ever."""
    payer = make_payer(email="nouveau@example.net")
    ask(browser(), "nouveau@example.net")
    mail = OutgoingMail.objects.get()
    assert mail.kind == "link-activation"
    token = re.findall(r"LIEN=(X[0-9a-f]{32})", mail.text)[0]
    account = residents.activate(token=token, password=PASSWORD)
    assert list(payers_of(account)) == [payer]
    ask(browser(), "nouveau@example.net")
    assert code_in()


def test_an_unknown_address_gets_nothing(town: Town) -> None:
    ask(browser(), "stranger@example.net")
    assert not OutgoingMail.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.parametrize("role", [Role.READER, Role.CLERK, Role.MANAGER])
def test_staff_are_told_once_a_day_that_they_cannot(
    town: Town, make_account: Callable[..., Account], role: Role
) -> None:
    make_account("agent@example.net", role=role)
    for _ in range(2):
        ask(browser(), "agent@example.net")
    mail = OutgoingMail.objects.get()
    assert mail.kind == "no-code"
    assert not re.search(r"\b\d{6}\b", mail.text)
    assert set(Link.objects.values_list("token_hash", flat=True)) == {None}


def test_a_closed_account_gets_nothing(alice: Account) -> None:
    Account.objects.update(is_active=False)
    ask(browser())
    assert not OutgoingMail.objects.exists()


def changed_role(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(role=Role.CLERK)


def closed(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(is_active=False)


def moved(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(email="elsewhere@example.net")


def new_password(account: Account) -> None:
    account.set_password("un tout autre mot")
    account.save()


@pytest.mark.parametrize(
    "act", [changed_role, closed, moved, new_password, lambda one: sessions.sign_out_everywhere(actor=one)]
)
def test_what_happens_to_the_account_voids_its_codes(alice: Account, act: Callable[[Account], None]) -> None:
    client = ask(browser())
    code = code_in()
    act(alice)
    problem(client.post(TYPE, {"code": code}))
    assert client.get("/factures/").status_code == 302


def test_a_town_may_refuse_codes(alice: Account, make_account: Any, client_for: Any) -> None:
    client = ask(browser())
    code = code_in()
    asked_before = browser()
    asked_before.post(ASK, {"email": EMAIL})
    manager = client_for(make_account("chef@example.net", role=Role.MANAGER))
    page = manager.get("/gestion/commune/")
    sent = {
        name: value or "" for name, value in page.context["form"].initial.items() if name != "mailed_codes"
    }
    assert manager.post("/gestion/commune/", sent).status_code == 302
    assert residents.handle_links() == 1
    assert OutgoingMail.objects.filter(kind="code").count() == 1
    forget()  # as the commit does
    assert "/code/" not in browser().get("/").content.decode()
    for answer in (client.get(ASK), client.post(ASK, {"email": EMAIL}), client.get(TYPE)):
        assert answer.status_code == 404
    assert client.post(TYPE, {"code": code}).status_code == 404
    change_townhall(actor="system", mailed_codes=True)
    assert client.post(TYPE, {"code": code}).status_code == 302


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


# --- another browser, another town, two at once ----------------------------------------------------------------------


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


def at_once(town: Town, act: Callable[[], Any], number: int) -> list[Any]:
    """`act` in so many threads with a connection each, let go together: what each returned or raised."""
    barrier, results = threading.Barrier(number), list[Any]()

    def run() -> None:
        try:
            with tenant_context(town):
                barrier.wait(10)
                results.append(act())
        except errors.AccountError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_two_at_once_and_one_is_let_in(live_town: Town, live_alice: Account) -> None:
    public_id = residents.request_code(email=EMAIL, ip=IP)
    residents.handle_links()
    code = code_in()
    results = at_once(live_town, lambda: codes.use_code(public_id=public_id, code=code, ip=IP), 4)
    assert sorted(type(one).__name__ for one in results) == ["Account", *["MailedCodeUsed"] * 3]
    assert Entry.objects.filter(verb="account.code_used").count() == 1


def test_guesses_made_at_once_are_all_counted(live_town: Town, live_alice: Account) -> None:
    public_id = residents.request_code(email=EMAIL, ip=IP)
    residents.handle_links()
    wrong = another(code_in())
    results = at_once(live_town, lambda: codes.use_code(public_id=public_id, code=wrong, ip=IP), 8)
    assert sum(isinstance(one, errors.MailedCodeWrong) for one in results) == codes.TRIES - 1
    assert Link.objects.get(uuid=public_id).tries == codes.TRIES
    with pytest.raises(errors.MailedCodeVoid):
        codes.use_code(public_id=public_id, code=code_in(), ip=IP)


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
    for n in range(codes.ASKED):
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
