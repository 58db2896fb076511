"""A file replaces the addresses that billing gave, and no others."""

from typing import Any

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.residents import activation
from tenant_apps.residents.emails import billing
from tenant_apps.residents.errors import AddressKnown
from tenant_apps.residents.models import Access, Payer, PayerEmail, RemovedEmail
from tenants.models import Town
from tests.residents.addresses.billing_file import ALICE, BOB, NEW, a_file, known


def test_a_file_replaces_what_billing_had_given(payer: Payer) -> None:
    a_file(1, NEW)
    assert known() == {NEW}


def test_the_rows_of_one_payer_are_read_together(payer: Payer) -> None:
    a_file(1, NEW, "", BOB)
    assert known() == {NEW, BOB}


def test_an_empty_cell_says_none_and_an_absent_column_says_nothing(payer: Payer) -> None:
    a_file(1, "", column=False)
    assert known() == {ALICE}
    a_file(2, "")
    assert known() == set()


def test_other_payers_are_left_alone(payer: Payer, make_payer: Any) -> None:
    other = make_payer(email=BOB)
    a_file(1, NEW)
    assert known(other) == {BOB}


def test_what_staff_added_stays(payer: Payer) -> None:
    billing.add_email(actor="account:clerk", payer=payer, email=" BOB@example.net ")
    a_file(1, NEW)
    assert known() == {NEW, BOB}
    with pytest.raises(AddressKnown):
        billing.add_email(actor="account:clerk", payer=payer, email=BOB)


def test_what_staff_took_away_is_not_brought_back_in_silence(payer: Payer) -> None:
    billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    billing.remove_email(actor="account:other", payer=payer, email=ALICE)  # twice changes nothing
    (kept,) = billing.preview_emails({payer.pk: [ALICE, NEW]}).kept_out
    assert (kept.email, kept.removed_by) == (ALICE, "account:clerk")
    a_file(1, f"{ALICE},{NEW}")
    assert known() == {NEW}
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    assert known() == {ALICE, NEW}
    assert not RemovedEmail.objects.exists()
    a_file(2, NEW)
    assert known() == {NEW}  # it is billing's again
    verbs = (
        AuditEntry.objects.filter(verb__startswith="payer_email.").order_by("id").values_list("verb", "new")
    )
    assert list(verbs) == [
        ("payer_email.removed", {"address": "a…@example.net"}),
        ("payer_email.let_back", {"address": "a…@example.net"}),
    ]


def test_a_refusal_outlives_the_address(payer: Payer) -> None:
    activation.refuse_at_address(actor="system", email=ALICE, kinds=["reminder"])
    a_file(1, "")
    activation.refuse_at_address(actor="system", email=ALICE, kinds=["late"])  # from an old message
    a_file(2, ALICE)
    assert PayerEmail.objects.get().refused_alerts == ["late", "reminder"]
    billing.remove_email(actor="account:clerk", payer=payer, email=ALICE)
    billing.let_back(actor="account:clerk", payer=payer, email=ALICE)
    assert PayerEmail.objects.get().refused_alerts == ["late", "reminder"]


def test_the_preview_says_what_the_replacement_does(town: Town, make_payer: Any, make_account: Any) -> None:
    """Over every mix of who gave an address, who has an account, and what the file says."""
    said: dict[int, list[str]] = {}
    for n in range(64):
        account = make_account(f"p{n}@example.net") if n & 1 else None
        payer = make_payer()
        PayerEmail.objects.create(
            payer=payer, email=f"p{n}@example.net", source="staff" if n & 2 else "import"
        )
        if account is not None:
            activation.grant_known_payers(account=account)
            friend = make_account(f"friend{n}@example.net")
            Access.objects.create(account=friend, payer=payer, granted_by=account.uuid)
        if n & 4:
            billing.remove_email(actor="account:clerk", payer=payer, email=f"p{n}@example.net")
        if not n & 32:
            said[payer.pk] = [
                *([f"p{n}@example.net"] if n & 8 else []),
                *([f"friend{n}@example.net", f"x{n}@example.net"] if n & 16 else []),
            ]
    before = billing.preview_emails(said)
    state = list(Access.objects.order_by("id").values()), list(PayerEmail.objects.order_by("id").values())
    assert state == (
        list(Access.objects.order_by("id").values()),
        list(PayerEmail.objects.order_by("id").values()),
    )
    assert before.going
    assert before.coming
    assert before.kept_out
    assert before.losing
    done = billing.replace_emails(said, actor="system")
    assert done == before
    assert {access.pk for access in before.accesses} == set(before.losing)
    assert not Access.objects.filter(pk__in=before.losing, ended_at=None).exists()
    again = billing.replace_emails(said, actor="system")
    assert (again.going, again.coming, again.losing) == ([], [], [])
