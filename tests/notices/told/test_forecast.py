"""What the forecast says is what the publication does, in towns of every kind (seeded, so that a failure repeats)."""

import random
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import Account
from tenant_apps.invoices.decisions.answering import agree
from tenant_apps.invoices.models import Amendment, Batch, Invoice
from tenant_apps.invoices.services import open_questions, take_back_batch
from tenant_apps.invoices.states import Agreed
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.told import statement
from tenant_apps.notices.told.forecast import Why, forecast, untold
from tenant_apps.notices.told.publications import publications
from tenant_apps.residents.emails import billing
from tenant_apps.residents.models import Access, Payer, PayerEmail
from tests.invoices.importing.batches import online, publish, run, sentences
from tests.invoices.importing.bills import HEADER, bill
from toolkit import clock

PEOPLE = [f"p{n}@example.net" for n in range(8)]
CODES = [f"0{n}" for n in range(11, 17)]
NAMES = ["Leroux", "Petit", "Garnier", "Morel", "Faure", "Blanc"]


def foretold(batch: Batch, choice: str, audience: str) -> set[tuple[str, str]]:
    """(address, item) that the statement foresees."""
    known = statement.WITH_NEW if choice == "new_invoices" else statement.WITH_AMENDED
    with connection.cursor() as cursor:
        values = statement.values(batch.pk, batch.uuid, audience, state="draft", choice=choice)
        cursor.execute(known + " SELECT email, item FROM todo", values)
        return set(cursor.fetchall())


def planned(choice: str, batch: Batch) -> set[tuple[str, str]]:
    rows = PlannedNotice.objects.filter(kind=choice, subject_uuid__in=publications(batch.uuid))
    return {(row.email, item) for row in rows for item in row.items or ()}


def line(dice: random.Random, number: str, amount: str = "12,00", *, code: str = "") -> str:
    code = code or dice.choice(CODES)
    name = NAMES[int(code) - 11]
    mails = ",".join(dice.sample(PEOPLE, dice.choice([0, 1, 1, 2])))
    return bill(number, code, name, "Jo", email=mails, amount=amount)


def a_file(dice: random.Random, amounts: dict[str, str]) -> list[str]:
    """Each code once or twice with the same addresses, so that nothing is refused."""
    by_code: dict[str, str] = {}
    lines = []
    for number, amount in amounts.items():
        code = dice.choice(CODES)
        again = by_code.get(code)
        text = line(dice, number, amount, code=code)
        if again is not None:
            text = ";".join([*text.split(";")[:11], again.rsplit(";", 1)[1]])
        by_code.setdefault(code, text)
        # a new code that looks like a known one
        lines.append(text.replace(f";{code};", f";{int(code)};") if dice.random() < 0.15 else text)
    return lines


def answer_all(dice: random.Random, batch: Batch) -> None:
    for update in open_questions(batch):
        like = update.asks == "code"
        update.answer = dice.choice(["same", "other"]) if like else "same"
        update.save()
    for change in Amendment.objects.filter(batch=batch, asks=True, applied_at=None):
        agree(actor="system", batch=batch, pk=change.pk, answer=dice.choice([Agreed.YES, Agreed.NO]))


def shake(dice: random.Random, accounts: list[Account]) -> None:
    """Things that happen between two imports."""
    payers = list(Payer.objects.filter(is_draft=False))
    for payer in payers:
        for one in payer.emails.all():
            turn = dice.random()
            if turn < 0.2:
                billing.remove_email(actor="account:clerk", payer=payer, email=one.email)
            elif turn < 0.4:
                PayerEmail.objects.filter(pk=one.pk).update(refused_alerts=["new_invoices"])
        if dice.random() < 0.3 and not payer.emails.filter(email=PEOPLE[0]).exists():
            billing.add_email(actor="account:clerk", payer=payer, email=PEOPLE[0])
    for access in Access.objects.filter(ended_at=None).select_related("account"):
        friend = dice.choice(accounts)
        if access.granted_by is None and dice.random() < 0.4:
            if not Access.objects.filter(account=friend, payer=access.payer, ended_at=None).exists():
                Access.objects.create(account=friend, payer=access.payer, granted_by=access.account.uuid)
        elif dice.random() < 0.2:
            Access.objects.filter(pk=access.pk).update(ended_at=clock.now(), lapsed=dice.random() < 0.3)


@pytest.mark.parametrize("seed", range(24))
def test_the_forecast_is_the_plan(
    seed: int, choose: Callable[..., None], make_account: Callable[..., Account]
) -> None:
    dice = random.Random(seed)
    audience = ["known", "accounts", "known", "nobody"][seed % 4]
    accounts = [make_account(email) for email in PEOPLE[:5]]
    Account.objects.filter(email=PEOPLE[3]).update(refused_alerts=["new_invoices"], language="en")
    Account.objects.filter(email=PEOPLE[4]).update(is_active=False)
    Account.objects.filter(email=PEOPLE[2]).update(activated_at=None)
    choose(alert_audience=audience)
    first = run(HEADER, *a_file(dice, {f"A{n}": "10,00" for n in range(7)}))
    answer_all(dice, first)
    publish(first)
    assert first.state == "published", first.failure
    for _ in range(2):
        shake(dice, accounts)
    # some invoices again, with another amount or another payer, and new ones
    again = {f"A{n}": dice.choice(["10,00", "11,00"]) for n in dice.sample(range(7), 4)}
    batch = run(HEADER, *a_file(dice, {**again, **{f"B{n}": "5,00" for n in range(5)}}))
    if batch.state == "refused":
        pytest.skip(sentences(batch))
    answer_all(dice, batch)
    seen = {kind: foretold(batch, kind, audience) for kind in ("new_invoices", "amended")}
    said, missed = forecast(batch), list(untold(batch, with_bills=True))
    assert said.messages == len({email for email, _item in seen["new_invoices"]})
    assert said.amended == len({email for email, _item in seen["amended"]})
    publish(batch)
    assert batch.state == "published", batch.failure
    assert planned("new_invoices", batch) == seen["new_invoices"]
    assert planned("amended", batch) == seen["amended"]
    # whoever was said to get nothing gets nothing, under the name that the town has now
    items = {item for _email, item in planned("new_invoices", batch)}
    for one in missed:
        payer = Payer.objects.filter(reference=one.code, uuid=one.uuid).get()
        assert one.name == payer.full_name
        numbers = {bill.number for bill in one.bills}
        assert numbers
        assert not {item for item in items if item.split("/")[2] in numbers}
        assert set(Invoice.objects.filter(number__in=numbers).values_list("payer_id", flat=True)) == {
            payer.pk
        }
    after = forecast(batch)
    assert after.payers == said.payers
    if audience != "nobody":
        assert after.done >= said.told
    take_back_batch(actor="system", batch=batch) if batch.invoices.exists() else None
    batch.refresh_from_db()
    if batch.state == "taken_back":
        back = forecast(batch)
        again_seen = foretold(batch, "new_invoices", audience)
        assert back.messages == len({email for email, _item in again_seen})
        before = planned("new_invoices", batch)
        publish(batch)
        assert planned("new_invoices", batch) - before == again_seen


def test_each_reason_is_named(choose: Callable[..., None], make_account: Callable[..., Account]) -> None:
    choose(alert_audience="known")
    lines = [
        bill("G1", "K1", "ADAM", email=""),
        bill("G2", "K2", "BRUN", email="brun@example.net"),
        bill("G3", "K3", "CLER", email="cler@example.net"),
    ]
    cler = make_account("cler@example.net")
    online(HEADER, *(one.replace("G", "A") for one in lines))
    PayerEmail.objects.filter(email="brun@example.net").update(refused_alerts=["new_invoices"])
    batch = run(HEADER, *lines)
    said = forecast(batch)
    assert (said.messages, said.payers, said.told, said.untold) == (1, 3, 1, 2)
    assert said.why == {Why.ADDRESS: 1, Why.REFUSED: 1}
    assert [(one.name, one.why) for one in untold(batch)] == [
        ("Inès ADAM", Why.ADDRESS),
        ("Inès BRUN", Why.REFUSED),
    ]
    choose(alert_audience="accounts")
    assert forecast(batch).why == {Why.ADDRESS: 1, Why.ACCOUNT: 1}
    Account.objects.filter(pk=cler.pk).update(activated_at=None)
    assert forecast(batch).why == {Why.ADDRESS: 1, Why.ACCOUNT: 2}
    choose(alert_audience="nobody")
    assert forecast(batch).why == {Why.NOBODY: 3}


def test_after_the_publication_it_says_who_was_told(choose: Callable[..., None]) -> None:
    choose(alert_audience="known")
    batch = online(
        HEADER, bill("G1", "K1", "ADAM", email=""), bill("G2", "K2", "BRUN", email="b@example.net")
    )
    said = forecast(batch)
    assert (said.messages, said.told, said.done, said.why) == (0, 0, 1, {Why.ADDRESS: 1})
    billing.add_email(actor="system", payer=Payer.objects.get(reference="K1"), email="a@example.net")
    assert forecast(batch).why == {Why.LATE: 1}


def test_as_many_statements_for_three_as_for_three_hundred(choose: Callable[..., None]) -> None:
    choose(alert_audience="known")
    costs = []
    for n in (3, 300):
        lines = (bill(f"G{n}-{i}", f"K{i}", f"NOM{i}", email=f"p{i}@example.net") for i in range(n))
        batch = run(HEADER, *lines)
        with CaptureQueriesContext(connection) as queries:
            assert forecast(batch).messages == n
            assert list(untold(batch, with_bills=True)) == []
        costs.append(len(queries))
        publish(batch)
    assert costs[0] == costs[1], costs


def test_the_first_line_of_each_page(choose: Callable[..., None]) -> None:
    batch = run(HEADER, *(bill(f"G{n}", f"K{n}", f"NOM{n:02}", email="") for n in range(5)))
    assert [one.last_name for one in untold(batch, offset=2, most=2)] == ["NOM02", "NOM03"]
