"""The staff of a town: each act beside what it refuses (accounts.team)."""

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone, translation

from shared_apps.accounts import errors
from shared_apps.accounts.models import (
    STAFF_ROLES,
    Account,
    Impersonation,
    Link,
    LinkPurpose,
    Role,
    SecondFactor,
)
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.services import check_credentials, create_account, find_link, set_password_from_link
from shared_apps.accounts.team import queries, services
from shared_apps.accounts.team.joining import join
from shared_apps.accounts.team.names import names_of
from shared_apps.accounts.team.states import MemberState, state_of
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation
from tenant_apps.residents.models import Payer
from tenant_apps.townhall.models import TownHall
from tenants.models import Town
from tests.conftest import PASSWORD
from toolkit import clock
from toolkit.emails import BadAddress
from toolkit.secrecy.sealing import seal

NEW = "paul@example.net"
RULE = PasswordRule()


@pytest.fixture
def people(town: Town, make_account: Callable[..., Account]) -> SimpleNamespace:
    """A manager, another one, and a clerk."""
    roles = {"manager": Role.MANAGER, "other": Role.MANAGER, "clerk": Role.CLERK}
    return SimpleNamespace(
        **{name: make_account(f"{name}@example.net", role=role) for name, role in roles.items()}
    )


def invite(people: SimpleNamespace, **more: Any) -> Account:
    values = {"email": NEW, "name": "Paul Durand", "role": Role.CASHIER, **more}
    return services.invite(actor=people.manager, **values)


def last_mail() -> OutgoingMail:
    return OutgoingMail.objects.latest("id")


def token_in(mail: OutgoingMail) -> str:
    found = re.search(r"/\?LIEN=(X[0-9a-f]{32})\b", mail.text)
    assert found, mail.text
    return found[1]


def joined(people: SimpleNamespace, **more: Any) -> Account:
    invite(people, **more)
    return join(token=token_in(last_mail()), password=PASSWORD, rule=RULE)


# --- invite -------------------------------------------------------------------------------------


def test_invited_joins_and_signs_in(people: SimpleNamespace) -> None:
    member = invite(people, email=" Paul@Example.net ", name=" Paul   Durand ")
    assert (member.email, member.name, member.role) == (NEW, "Paul Durand", Role.CASHIER)
    assert state_of(member) == MemberState.INVITED
    mail = last_mail()
    assert (mail.to, mail.kind, mail.secret) == (NEW, "team-invitation", True)
    assert mail.subject == "Vous rejoignez la gestion des factures de Mairie de Démonstration"
    for words in (
        "manager@example.net vous invite",
        "« caissier »",
        "encaisse au guichet",
        "Bonjour Paul Durand",
    ):
        assert words in mail.text
    account = join(token=token_in(mail), password=PASSWORD, rule=RULE)
    assert state_of(account) == MemberState.ACTIVE
    assert check_credentials(email=NEW, password=PASSWORD, ip="192.0.2.1") == account
    invited, accepted = AuditEntry.objects.filter(object=member.audit_name).order_by("id")
    assert (invited.verb, invited.actor) == ("member.invited", people.manager.audit_name)
    assert invited.new == {"name": "Paul Durand", "role": "cashier", "address": NEW}
    assert (accepted.verb, accepted.actor) == ("member.joined", account.audit_name)


def test_the_message_is_in_english_for_who_works_in_english(people: SimpleNamespace) -> None:
    with translation.override("en"):
        invite(people)
    assert last_mail().subject == "You are joining the invoice team of Mairie de Démonstration"


def test_a_resident_s_address_is_refused(people: SimpleNamespace, make_account: Any) -> None:
    alice = make_account(NEW)
    with pytest.raises(errors.ResidentsAddress):
        invite(people)
    alice.refresh_from_db()
    assert alice.role == Role.RESIDENT
    assert not OutgoingMail.objects.exists()


def test_a_member_is_not_invited_again(people: SimpleNamespace) -> None:
    for member in (people.clerk, people.manager):
        with pytest.raises(errors.AlreadyMember):
            invite(people, email=member.email)
    services.suspend(actor=people.manager, member=people.clerk)
    with pytest.raises(errors.AlreadyMember):
        invite(people, email=people.clerk.email)


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OPERATOR])
def test_only_roles_of_staff(people: SimpleNamespace, role: Role) -> None:
    with pytest.raises(ValueError, match="not a role of staff"):
        invite(people, role=role)
    with pytest.raises(ValueError, match="not a role of staff"):
        services.change_member(actor=people.manager, member=people.clerk, name="", role=role)


def test_a_bad_address_is_refused(people: SimpleNamespace) -> None:
    with pytest.raises(BadAddress):
        invite(people, email="paul@")


def test_invited_twice_is_sent_again_and_the_first_link_dies(people: SimpleNamespace) -> None:
    member = invite(people)
    first = token_in(last_mail())
    invite(people)  # a second click
    assert OutgoingMail.objects.count() == 1
    Link.objects.update(requested_at=timezone.now() - timedelta(hours=1))
    assert invite(people) == member
    second = token_in(last_mail())
    assert first != second
    with pytest.raises(errors.TeamInvitationDead, match="plus récente"):
        find_link(first)
    assert find_link(second).account == member
    assert AuditEntry.objects.filter(verb="member.invited_again").count() == 1


def test_invited_twice_with_another_role(people: SimpleNamespace) -> None:
    invite(people)
    member = invite(people, role=Role.READER)
    assert member.role == Role.READER
    assert "« lecteur »" in last_mail().text
    assert Account.objects.filter(email=NEW).count() == 1


def test_sent_again_on_demand(people: SimpleNamespace) -> None:
    member = invite(people)
    Link.objects.update(requested_at=timezone.now() - timedelta(hours=1))
    services.invite_again(actor=people.other, member=member)
    assert "other@example.net vous invite" in last_mail().text
    with pytest.raises(errors.NotInvited):
        services.invite_again(actor=people.manager, member=people.clerk)


def test_an_expired_invitation_says_whom_to_ask(people: SimpleNamespace) -> None:
    Account.objects.filter(pk=people.manager.pk).update(name="Jeanne Martin")
    invite(people)
    token = token_in(last_mail())
    Link.objects.update(expires_at=timezone.now())
    with pytest.raises(errors.TeamInvitationDead, match="Demandez à Jeanne Martin"):
        join(token=token, password=PASSWORD, rule=RULE)
    assert queries.member(Account.objects.get(email=NEW).uuid).is_late
    Link.objects.update(about=None)
    with pytest.raises(errors.TeamInvitationDead, match="l'exploitant de la plateforme"):
        find_link(token)


def test_a_used_invitation(people: SimpleNamespace) -> None:
    invite(people)
    token = token_in(last_mail())
    with pytest.raises(errors.WeakPassword):
        join(token=token, password="court", rule=RULE)
    join(token=token, password=PASSWORD, rule=RULE)
    with pytest.raises(errors.TeamInvitationDead, match="déjà servi"):
        join(token=token, password=PASSWORD, rule=RULE)


# --- the residents' roads -----------------------------------------------------------------------


@pytest.mark.parametrize("ask", [activation.request_activation, activation.request_reset])
def test_the_residents_road_opens_no_invited_account(
    people: SimpleNamespace, ask: Any, make_payer: Any
) -> None:
    payer: Payer = make_payer(email=NEW)  # billing knows the address too
    member = invite(people)
    for _twice in range(2):
        ask(email=NEW)
        activation.handle_links()
    mails = OutgoingMail.objects.filter(to=NEW).exclude(kind="team-invitation")
    assert [mail.kind for mail in mails] == ["team-not-yet"]
    assert "LIEN" not in mails[0].text
    member.refresh_from_db()
    assert member.activated_at is None
    assert not payer.accesses.exists()


def test_an_activation_link_makes_no_staff(people: SimpleNamespace) -> None:
    """Even one that was made before: the role is looked at when the link is used."""
    member = invite(people)
    invitation = Link.objects.get(purpose=LinkPurpose.TEAM)
    token = token_in(last_mail())
    for purpose in (LinkPurpose.ACTIVATION, LinkPurpose.RESET, LinkPurpose.ACCESS_REQUEST):
        Link.objects.filter(pk=invitation.pk).update(purpose=purpose)
        with pytest.raises(errors.LinkUnknown):
            set_password_from_link(token=token, password=PASSWORD, rule=RULE)
    member.refresh_from_db()
    assert state_of(member) == MemberState.INVITED


def test_an_invitation_is_not_a_resident_s_link(people: SimpleNamespace, make_account: Any) -> None:
    invite(people)
    with pytest.raises(errors.LinkUnknown):
        set_password_from_link(token=token_in(last_mail()), password=PASSWORD, rule=RULE)


def test_staff_choose_twelve_characters_in_every_town(people: SimpleNamespace) -> None:
    TownHall.objects.update(password_minimum=5)
    activation.request_reset(email=people.clerk.email)
    activation.handle_links()
    token = token_in(last_mail())
    with pytest.raises(errors.WeakPassword):
        activation.activate(token=token, password="soleil42")
    activation.activate(token=token, password="des girafes en hiver")


# --- change -------------------------------------------------------------------------------------


def test_changed_and_recorded(people: SimpleNamespace) -> None:
    services.change_member(actor=people.manager, member=people.clerk, name="Zoé Roux", role=Role.CASHIER)
    people.clerk.refresh_from_db()
    assert (people.clerk.name, people.clerk.role) == ("Zoé Roux", Role.CASHIER)
    fact = AuditEntry.objects.get(verb="member.changed")
    assert fact.old == {"name": "", "role": "clerk"}
    assert fact.new == {"name": "Zoé Roux", "role": "cashier"}
    services.change_member(actor=people.manager, member=people.clerk, name="Zoé Roux", role=Role.CASHIER)
    assert AuditEntry.objects.filter(verb="member.changed").count() == 1


def test_nobody_changes_their_own_role(people: SimpleNamespace) -> None:
    with pytest.raises(errors.OwnRole):
        services.change_member(actor=people.manager, member=people.manager, name="", role=Role.CLERK)
    services.change_member(actor=people.manager, member=people.manager, name="Jeanne", role=Role.MANAGER)
    people.manager.refresh_from_db()
    assert people.manager.called == "Jeanne"


@pytest.mark.parametrize("act", [services.suspend, services.remove])
def test_nobody_suspends_or_removes_oneself(people: SimpleNamespace, act: Any) -> None:
    with pytest.raises(errors.OwnAccount):
        act(actor=people.manager, member=people.manager)


def lower(*, actor: Any, member: Account) -> None:
    services.change_member(actor=actor, member=member, name=member.name, role=Role.CLERK)


@pytest.mark.parametrize("act", [services.suspend, services.remove, lower])
def test_the_last_manager_stays(people: SimpleNamespace, act: Any) -> None:
    """An invited manager does not count: nobody knows whether they will come."""
    act(actor=people.manager, member=people.other)
    invite(people, role=Role.MANAGER)
    with pytest.raises(errors.LastManager):
        act(actor="operator:x", member=people.manager)
    joined(people, email="third@example.net", role=Role.MANAGER)
    act(actor="operator:x", member=people.manager)
    people.manager.refresh_from_db()
    assert people.manager.pk not in queries.active_managers()


@pytest.mark.parametrize("state", ["lowered", "suspended", "removed"])
def test_who_is_no_manager_any_more_does_nothing(people: SimpleNamespace, state: str) -> None:
    """Another manager acted between the opening of the page and the click."""
    {"lowered": lower, "suspended": services.suspend, "removed": services.remove}[state](
        actor=people.other, member=people.manager
    )
    for act in (services.suspend, services.remove, lower):
        with pytest.raises(errors.NotAManager):
            act(actor=people.manager, member=people.clerk)
    with pytest.raises(errors.NotAManager):
        invite(people)


def test_a_clerk_is_no_manager(people: SimpleNamespace) -> None:
    with pytest.raises(errors.NotAManager):
        services.invite(actor=people.clerk, email=NEW, role=Role.READER)


def test_the_operator_in_somebody_s_place_makes_no_member(people: SimpleNamespace) -> None:
    people.manager.impersonated_by = Impersonation(operator=people.other.uuid)
    for act in (services.suspend, services.remove, services.resume, services.invite_again, lower):
        with pytest.raises(errors.NotWhileImpersonating):
            act(actor=people.manager, member=people.clerk)
    with pytest.raises(errors.NotWhileImpersonating):
        invite(people)


def test_a_resident_is_no_member(people: SimpleNamespace, make_account: Any) -> None:
    alice = make_account("alice@example.net")
    for act in (services.suspend, services.remove, services.resume, services.invite_again, lower):
        with pytest.raises(Account.DoesNotExist):
            act(actor=people.manager, member=alice)
    with pytest.raises(Account.DoesNotExist):
        queries.member(alice.uuid)


# --- suspend, resume, remove --------------------------------------------------------------------


def test_suspended_is_out_at_once_and_comes_back(
    people: SimpleNamespace, client_for: Callable[..., Client]
) -> None:
    browser = client_for(people.clerk)
    assert browser.get("/gestion/").status_code == 200
    activation.request_reset(email=people.clerk.email)
    activation.handle_links()
    token = token_in(last_mail())
    services.suspend(actor=people.manager, member=people.clerk)
    services.suspend(actor=people.manager, member=people.clerk)  # twice changes nothing
    assert browser.get("/gestion/").status_code == 302
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=people.clerk.email, password=PASSWORD, ip="192.0.2.1")
    with pytest.raises(errors.LinkUsed):
        activation.activate(token=token, password=PASSWORD)
    sent = OutgoingMail.objects.count()
    for ask in (activation.request_reset, activation.request_activation):
        ask(email=people.clerk.email)
    activation.handle_links()
    assert OutgoingMail.objects.count() == sent
    services.resume(actor=people.manager, member=people.clerk)
    services.resume(actor=people.manager, member=people.clerk)
    assert browser.get("/gestion/").status_code == 302  # that session is over
    check_credentials(email=people.clerk.email, password=PASSWORD, ip="192.0.2.1")
    facts = AuditEntry.objects.filter(object=people.clerk.audit_name, verb__startswith="member.").order_by(
        "id"
    )
    assert [(one.verb, one.old, one.new) for one in facts] == [
        ("member.suspended", {"state": "active"}, {"state": "suspended"}),
        ("member.resumed", {"state": "suspended"}, {"state": "active"}),
    ]


def test_a_closed_account_gets_no_password_from_a_link(people: SimpleNamespace) -> None:
    """A link made by a worker that had not seen the suspension yet."""
    activation.request_reset(email=people.clerk.email)
    activation.handle_links()
    token = token_in(last_mail())
    services.suspend(actor=people.manager, member=people.clerk)
    Link.objects.update(used_at=None)
    with pytest.raises(errors.LinkUnknown):
        activation.activate(token=token, password=PASSWORD)


def test_an_invited_person_is_not_suspended_but_withdrawn(people: SimpleNamespace) -> None:
    member = invite(people)
    token = token_in(last_mail())
    with pytest.raises(errors.NotActive):
        services.suspend(actor=people.manager, member=member)
    services.remove(actor=people.manager, member=member)
    assert not OutgoingMail.objects.filter(kind="team-invitation").exists()  # it had not left
    with pytest.raises(errors.TeamInvitationDead, match="annulée"):
        join(token=token, password=PASSWORD, rule=RULE)
    assert AuditEntry.objects.get(verb="member.removed").old == {"state": "invited"}


def test_removed_for_good(people: SimpleNamespace, client_for: Callable[..., Client]) -> None:
    SecondFactor.objects.create(account=people.clerk, secret=seal("x"), confirmed_at=clock.now())
    Account.objects.filter(pk=people.clerk.pk).update(second_factor_at=clock.now())
    services.change_member(actor=people.manager, member=people.clerk, name="Zoé Roux", role=Role.CLERK)
    browser, name = client_for(people.clerk), people.clerk.audit_name
    services.remove(actor=people.manager, member=people.clerk)
    services.remove(actor=people.manager, member=people.clerk)
    assert browser.get("/gestion/").status_code == 302
    gone = Account.objects.get(pk=people.clerk.pk)
    assert (state_of(gone), gone.is_active, gone.has_usable_password()) == (MemberState.REMOVED, False, False)
    assert gone.second_factor_at is None
    assert not SecondFactor.objects.exists()
    assert "clerk@example.net" not in str(Account.objects.filter(pk=gone.pk).values())
    assert names_of([name, "system", "operator:1"]) == {name: "Zoé Roux"}
    with pytest.raises(errors.HasLeft):
        services.resume(actor=people.manager, member=gone)
    with pytest.raises(errors.HasLeft):
        services.change_member(actor=people.manager, member=gone, name="", role=Role.MANAGER)
    with pytest.raises(errors.NotInvited):
        services.invite_again(actor=people.manager, member=gone)
    assert AuditEntry.objects.filter(verb="member.removed").count() == 1


def test_without_a_name_the_address_is_kept_as_the_name(people: SimpleNamespace) -> None:
    services.remove(actor=people.manager, member=people.clerk)
    assert names_of([people.clerk.audit_name]) == {people.clerk.audit_name: "clerk@example.net"}


def test_the_address_is_free(people: SimpleNamespace, make_payer: Any) -> None:
    """It can be invited again, as another account, or be a resident's."""
    services.remove(actor=people.manager, member=people.clerk)
    again = joined(people, email="clerk@example.net")
    assert again.pk != people.clerk.pk
    services.remove(actor=people.manager, member=again)
    make_payer(email="clerk@example.net")
    activation.request_activation(email="clerk@example.net")
    activation.handle_links()
    resident = activation.activate(token=token_in(last_mail()), password=PASSWORD)
    assert resident.role == Role.RESIDENT


def test_the_list(people: SimpleNamespace, django_assert_num_queries: Any, make_account: Any) -> None:
    make_account("alice@example.net")
    member = invite(people)
    services.suspend(actor=people.manager, member=people.clerk)
    with django_assert_num_queries(2):
        found = queries.members()
    assert [(one.account.email, one.state) for one in found] == [
        ("manager@example.net", MemberState.ACTIVE),
        ("other@example.net", MemberState.ACTIVE),
        (NEW, MemberState.INVITED),
        ("clerk@example.net", MemberState.SUSPENDED),
    ]
    invited = queries.member(member.uuid)
    assert invited.invited_at
    assert not invited.is_late


def test_every_role_says_what_it_lets_do() -> None:
    sentences = [str(role.explained) for role in STAFF_ROLES]
    assert all(sentences)
    assert len(set(sentences)) == len(STAFF_ROLES)
    assert Role.RESIDENT.explained == ""


# --- the command --------------------------------------------------------------------------------


def test_the_command(town: Town) -> None:
    call_command("invite_member", town="mairie", email=NEW, role="manager", name="Paul Durand")
    assert "Un compte vous attend" in last_mail().text
    assert AuditEntry.objects.get(verb="member.invited").actor == "system"


def test_the_command_refuses(town: Town, make_account: Any) -> None:
    make_account(NEW)
    with pytest.raises(CommandError, match="usager"):
        call_command("invite_member", town="mairie", email=NEW, role="manager")
    with pytest.raises(CommandError, match="nulle-part"):
        call_command("invite_member", town="nulle-part", email=NEW, role="manager")
    with pytest.raises(CommandError, match="e-mail"):
        call_command("invite_member", town="mairie", email="paul@", role="manager")


def test_no_account_is_made_by_the_way(town: Town) -> None:
    """create_account still refuses an address that staff have."""
    services.invite(actor="system", email=NEW, role=Role.CLERK)
    with pytest.raises(errors.AddressTaken):
        create_account(actor="system", email=NEW, role=Role.RESIDENT)
