"""Whoever works for one régie sees and does nothing of another: every route of the back office, walked."""

import io
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pikepdf
import pytest
from django.test import Client
from django.urls import reverse

from shared_apps.accounts.models import STAFF_ROLES, Role
from tenants.models import Town
from tests.isolation.regies import Side, everything_written, limited, regie_a, regie_b
from tests.isolation.table import ABOUT, LISTS, NEITHER, POSTS, REFUSED, SHOWS, STAFF, TOWN

ROLES = [role for role in STAFF_ROLES if role != Role.MANAGER]


class World(NamedTuple):
    """Both régies, somebody who works for A only, and somebody of the same role who works for both."""

    a: Side
    b: Side
    limited: Client
    whole: Client


@pytest.fixture(params=ROLES)
def world(request: Any, town: Town, make_account: Any, client_for: Any) -> World:
    a, b = regie_a(), regie_b()
    member = limited(make_account("limited@example.net", role=request.param), a)
    whole = make_account("whole@example.net", role=request.param)
    browsers = client_for(member), client_for(whole)
    for browser in browsers:
        browser.get("/gestion/")  # the first page of a day notes the device: it is no act of the tests below
    return World(a, b, *browsers)


def test_every_route_of_staff_is_walked() -> None:
    """A new page says here what it is about, or is a list, or is a manager's."""
    staff = {route for route in TOWN if route.startswith("backoffice:")}
    lists = {f"backoffice:{name.strip()}" for name in (*LISTS, *NEITHER)}
    managers = {route for route in staff if _who(route) <= {"manager"}}
    forgotten = staff - ABOUT.keys() - lists - managers
    assert not forgotten, f"say in tests/isolation/table.py what {sorted(forgotten)} are about"
    assert not (ABOUT.keys() | lists) - staff


def _who(route: str) -> set[str]:
    """The staff who may open it, or do it."""
    got = {person for person in STAFF if TOWN[route][person] in (200, 302)}
    return got | (POSTS.get(route, frozenset()) & set(STAFF))


def address(route: str, side: Side) -> str:
    """The path of a route, with the ids of that régie's things."""
    kwargs: dict[str, Any] = {"public_id": side.public_id(ABOUT[route])}
    if route == "backoffice:answer-payer":
        kwargs["pk"] = side.asked
    if route == "backoffice:agree-batch-change":
        kwargs["pk"] = side.amended
    if route == "backoffice:message-file":
        kwargs["file_id"] = side.message.attached[0].id
    return reverse(route, urlconf="config.urls.town", kwargs=kwargs)


def pages(side: Side) -> Iterator[tuple[str, str]]:
    """(name, address) of every list, with all that is asked of it; ids are those of `side`."""
    ids = {name: side.public_id(name) for name in ("batch", "payer", "invoice", "payment", "third")}
    for name, asked in LISTS.items():
        path = reverse(f"backoffice:{name.strip()}", urlconf="config.urls.town")
        for query in asked:
            yield name, path + query.format(**ids)


def content(answer: Any) -> str:
    """Its words in lower case, those of a PDF too, without what differs each time."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body.startswith(b"%PDF"):
        with pikepdf.open(io.BytesIO(body)) as pdf:
            drawn = [
                bytes(operands[0]).decode("cp1252")
                for page in pdf.pages
                for operands, operator in pikepdf.parse_content_stream(page)
                if str(operator) == "Tj"
            ]
        return " ".join(drawn).lower()
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", body.decode())
    return re.sub(r'name="key" [^>]*', "", text).lower()  # of a form, another one each time


def test_no_list_and_no_file_shows_the_other_regie(world: World) -> None:
    """Not its words, not its amounts, not its ids; and the same lists show them to who works for both."""
    shown = set()
    for name, path in pages(world.b):
        answer = world.limited.get(path)
        assert answer.status_code in (200, REFUSED, 404), path
        told = content(answer).replace("produit=baleine", "").replace('value="baleine"', "")  # what was typed
        assert [sign for sign in world.b.signs() if sign in told] == [], path
        seen = world.whole.get(path)
        if seen.status_code == 200 and any(sign in content(seen) for sign in world.b.signs()):
            shown.add(name)
    assert {name for name in SHOWS if _open(name, world)} - shown == set()


def _open(name: str, world: World) -> bool:
    """Whether the role of this world may open that list."""
    return bool(
        world.whole.get(reverse(f"backoffice:{name}", urlconf="config.urls.town")).status_code != REFUSED
    )


def test_its_own_pages_do_not_show_it_either(world: World) -> None:
    opened = 0
    for route in ABOUT:
        answer = world.limited.get(address(route, world.a))
        if answer.status_code == 200:
            opened += 1
            told = content(answer)
            assert [sign for sign in world.b.signs() if sign in told] == [], route
    assert opened >= 14  # so many things have a page or a file


def test_what_is_of_the_other_regie_is_absent(world: World) -> None:
    """Each page, file and act: the 404 of what does not exist, word for word, and nothing is written.

    A role that is too small is told so before the thing is looked at: word for word what it reads about one's own.
    """
    before, absent = everything_written(), {"public_id": uuid4()}
    for route in ABOUT:
        path = address(route, world.b)
        for method in ("get", "post"):
            if TOWN[route]["manager"] == 405 and method == "get":
                continue
            answer = getattr(world.limited, method)(path)
            if answer.status_code == 405 and route not in POSTS:
                continue
            if answer.status_code == REFUSED:
                own = getattr(world.limited, method)(address(route, world.a))
                assert (own.status_code, content(own)) == (REFUSED, content(answer)), (method, path)
                continue
            assert answer.status_code == 404, (method, path)
            assert content(answer) == content(world.limited.get(_of_nobody(route, absent))), (method, path)
    assert everything_written() == before


def _of_nobody(route: str, ids: dict[str, Any]) -> str:
    return reverse("backoffice:invoice", urlconf="config.urls.town", kwargs=ids)


def test_its_ids_in_a_form_are_nobody_s(world: World) -> None:
    """The thing is one's own, and what is chosen for it is the other régie's."""
    a, b = world.a, world.b
    before = everything_written()
    sent: list[tuple[str, dict[str, Any]]] = [
        ("allocate-payment", {"invoice": b.invoice.uuid, "amount": "1,00"}),
        ("match-line", {"payment": b.payment.uuid}),
        ("take-back-line", {"payment": b.payment.uuid}),
        ("book-line", {"invoice": b.invoice.uuid, "means": "card"}),
        ("match-total-line", {"total": f"2026-11-02:{b.product.pk}:card"}),
        ("payer-access", {"compte": b.resident.uuid, "quoi": "retirer"}),
    ]
    for name, data in sent:
        answer = world.limited.post(address(f"backoffice:{name}", a), data)
        assert answer.status_code in (REFUSED, 404) or name == "match-total-line", name
    counter = reverse("backoffice:new-payment", urlconf="config.urls.town")
    money = {"means": "cash", "paid_on": "2026-11-02", f"montant_{b.third.uuid.hex}": "1,00"}
    for key in (uuid4(), UUID(b.in_drawer.provider_reference)):
        answer = world.limited.post(counter, {"facture": str(b.third.uuid), "key": str(key), **money})
        assert str(b.in_drawer.uuid) not in answer.get("Location", "")
    drawer = reverse("backoffice:new-deposit", urlconf="config.urls.town")
    world.limited.post(
        f"{drawer}?moyen=cheques&regie=BALEINE",
        {"deposited_on": "2026-11-03", "payment": str(b.in_drawer.uuid)},
    )
    assert everything_written() == before


@pytest.mark.parametrize("role", ROLES)
def test_a_page_is_the_same_whether_the_other_regie_exists_or_not(
    town: Town, make_account: Any, client_for: Any, role: Role
) -> None:
    """So no count and no sum has anything of it."""
    a = regie_a()
    browser = client_for(limited(make_account("limited@example.net", role=role), a))
    addresses = [path for _name, path in pages(a)]
    before = {path: content(browser.get(path)) for path in addresses}
    b = regie_b()
    after = {path: content(browser.get(path)) for path in addresses}
    assert [path for path in addresses if before[path] != after[path]] == []
    whole = client_for(make_account("whole@example.net", role=role))
    assert f",{b.cents}" in content(whole.get("/gestion/encaissements/"))
