"""A town's own domain: claimed, proven by a record of a real DNS server, primary, given up; and who is refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from dnslib import NS, QTYPE, RCODE, RR, TXT
from dnslib.server import DNSLogger, DNSServer

from config import env
from shared_apps.audit.models import AuditEntry
from tenant_apps.townhall.queries import letterhead
from tenants.errors import LookupFailed, TownError
from tenants.hosts import dns, domains, registry
from tenants.models import Domain, Town
from tests.tenants.conftest import statements

HOST = "factures.pechabou.fr"
RECORD = f"_mes-factures.{HOST}"


@dataclass
class Zone:
    """A name server of our own: `records` maps a name to its TXT values, `mood` is how it answers."""

    records: dict[str, list[str]] = field(default_factory=dict)
    mood: str = "well"
    asked: int = 0

    def resolve(self, request: Any, handler: Any) -> Any:
        self.asked += 1
        reply = request.reply()
        name = str(request.q.qname).rstrip(".").lower()
        if self.mood == "ill":
            reply.header.rcode = RCODE.SERVFAIL
        elif self.mood == "truncated" and handler.protocol == "udp":
            reply.header.tc = 1
        elif self.mood == "other record":
            reply.add_auth(RR(name, QTYPE.NS, rdata=NS("ns.pechabou.fr")))
        elif name not in self.records:
            reply.header.rcode = RCODE.NXDOMAIN
        for value in self.records.get(name, []) if self.mood in ("well", "truncated") else []:
            reply.add_answer(RR(name, QTYPE.TXT, ttl=60, rdata=TXT(value.split("|"))))
        if self.mood == "truncated" and handler.protocol == "udp":
            reply.rr = []
        return reply


def both_ways(zone: Zone) -> tuple[DNSServer, DNSServer]:
    """One port over UDP and over TCP. What is free for one may be taken for the other: another port is tried then."""
    silence, taken = DNSLogger(logf=lambda words: None), []
    try:
        for _ in range(50):
            udp = DNSServer(zone, address="127.0.0.1", port=0, logger=silence)
            port = udp.server.server_address[1]
            try:
                return udp, DNSServer(zone, address="127.0.0.1", port=port, tcp=True, logger=silence)
            except OSError:
                taken.append(udp)  # kept open meanwhile, so that the next is another one
    finally:
        for server in taken:
            server.server.server_close()
    raise OSError("No port is free over both UDP and TCP.")


@pytest.fixture(scope="module")
def name_server() -> Iterator[tuple[Zone, int]]:
    """Over UDP and TCP, on a free port."""
    found = Zone()
    udp, tcp = both_ways(found)
    port = udp.server.server_address[1]
    for server in (udp, tcp):
        server.start_thread()
    yield found, port
    for server in (udp, tcp):
        server.stop()
        server.server.server_close()


@pytest.fixture
def zone(name_server: tuple[Zone, int], settings: Any) -> Zone:
    """The only server that is asked, empty."""
    found, port = name_server
    found.records, found.mood, found.asked = {}, "well", 0
    settings.DNS_RESOLVERS = [("127.0.0.1", port)]
    return found


@pytest.fixture
def proven(town: Town, zone: Zone) -> Town:
    """The town with its proven domain, which is not the primary one yet."""
    record = domains.add_domain(town=town, host=HOST)
    zone.records[RECORD] = [record.value]
    domains.check_domain(town=town, host=HOST)
    return town


def test_from_the_claim_to_the_primary_host(manage: Any, visit: Any, zone: Zone) -> None:
    said = manage("town_domain", "add", "mairie", "Factures.Pechabou.FR.")
    domain = Domain.objects.get(domain=HOST)
    assert f'{RECORD}. IN TXT "{domain.proof}"' in said
    assert len(domain.proof) == 32
    assert (
        manage("town_domain", "add", "mairie", HOST) == said
    )  # the same record, however often it is asked for
    assert visit(HOST).status_code == 404  # not proven: nobody's
    with pytest.raises(CommandError, match="ne connaît pas encore"):
        manage("town_domain", "check", "mairie", HOST)
    with pytest.raises(CommandError, match="pas encore vérifié"):
        manage("town_domain", "primary", "mairie", HOST)
    zone.records[RECORD] = ["v=spf1 -all", domain.proof]
    assert "répond pour" in manage("town_domain", "check", "mairie", HOST)
    asked = zone.asked
    manage("town_domain", "check", "mairie", HOST)
    assert zone.asked == asked  # once is enough
    for host in (HOST, HOST.upper(), f"{HOST}.", f"{HOST}:443", "mairie.localhost"):
        assert visit(host).status_code == 200, host
    assert registry.address("factures.pechabou.fr") in manage("town_domain", "primary", "mairie", HOST)
    manage("town_domain", "primary", "mairie", HOST)
    assert visit(HOST).status_code == 200
    answer = visit("mairie.localhost", "/contact/?x=1")
    assert (answer.status_code, answer["Location"]) == (301, f"{registry.address(HOST)}/contact/?x=1")
    verbs = ["domain.added", "domain.proven", "domain.made_primary"]
    assert (
        list(
            AuditEntry.objects.filter(verb__startswith="domain.")
            .order_by("id")
            .values_list("verb", flat=True)
        )
        == verbs
    )


def test_links_and_forms_follow_the_primary_host(proven: Town, make_account: Any, visit: Any) -> None:
    domains.make_primary(town=proven, host=HOST)
    assert letterhead()["address"] == registry.address(HOST)
    browser = Client(enforce_csrf_checks=True, headers={"host": HOST})
    make_account("alice@example.net")
    browser.get("/")
    told = {"email": "alice@example.net", "password": "un mot de passe bien long"}
    told["csrfmiddlewaretoken"] = browser.cookies["csrf"].value
    own, other = f"http://{HOST}", "http://mairie.localhost"
    assert browser.post("/", told, headers={"origin": other}).status_code == 403
    assert browser.post("/", told, headers={"origin": own})["Location"] == "/factures/"
    assert not browser.cookies["session"]["domain"]  # of this host only
    assert browser.get("/factures/").status_code == 200


def test_renamed_while_its_own_domain_is_primary(proven: Town, manage: Any, visit: Any) -> None:
    domains.make_primary(town=proven, host=HOST)
    manage("rename_town", "mairie", "ville")
    for host in ("mairie.localhost", "ville.localhost"):
        assert visit(host)["Location"] == f"{registry.address(HOST)}/"
    manage("town_domain", "remove", "ville", HOST)
    assert visit(HOST).status_code == 404
    assert visit("ville.localhost").status_code == 200
    assert visit("mairie.localhost")["Location"] == f"{registry.address('ville.localhost')}/"
    assert "n'était pas" in manage("town_domain", "remove", "ville", HOST)


def test_the_platform_s_host_may_be_primary_again(proven: Town, manage: Any, visit: Any) -> None:
    manage("town_domain", "primary", "mairie", HOST)
    manage("town_domain", "primary", "mairie", "mairie.localhost")
    assert visit("mairie.localhost").status_code == visit(HOST).status_code == 200


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Éguilles.example.fr", "xn--guilles-9xa.example.fr"),
        ("XN--GUILLES-9XA.example.fr", "xn--guilles-9xa.example.fr"),
        ("  factures.pechabou.fr. ", HOST),
        ("ｆactures.pechabou.fr", HOST),  # the wide letters of other keyboards
    ],
)
def test_written_in_any_way(typed: str, host: str) -> None:
    assert domains.normalise(typed) == host


def test_an_accented_domain_is_served_in_punycode(town: Town, zone: Zone, visit: Any) -> None:
    record = domains.add_domain(town=town, host="éguilles.example.fr")
    assert record.name == "_mes-factures.xn--guilles-9xa.example.fr"
    zone.records[record.name] = [record.value]
    domains.check_domain(town=town, host="ÉGUILLES.example.fr")
    assert visit("xn--guilles-9xa.example.fr").status_code == 200
    assert domains.remove_domain(town=town, host="Éguilles.example.fr")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "pechabou",
        "https://factures.pechabou.fr",
        "factures.pechabou.fr/accueil",
        "factures.pechabou.fr:443",
        "fac_tures.pechabou.fr",
        "factures-.pechabou.fr",
        "factures..fr",
        "factures.pechabou.fr evil.fr",
        "*.pechabou.fr",
        "a" * 64 + ".fr",
        ".".join(["abcdefgh"] * 28),
        "127.0.0.1",
        "[::1]",
        "2001:db8::1",
        "0x7f.1",
        "192.0.2.0x1",
        "localhost",
        "autre.localhost",
        "admin.localhost",
        "a.b.localhost",
        "mairie.LOCALHOST.",
    ],
)
def test_refused(manage: Any, typed: str) -> None:
    with pytest.raises(CommandError, match="domaine"):
        manage("town_domain", "add", "mairie", typed)
    assert Domain.objects.count() == 2


def test_another_town_s(proven: Town, manage: Any) -> None:
    for host in (HOST, HOST.upper()):
        with pytest.raises(CommandError, match="autre commune"):
            manage("town_domain", "add", "pechabou", host)
        for act in ("check", "primary"):
            with pytest.raises(CommandError, match="n'est pas un domaine de"):
                manage("town_domain", act, "pechabou", host)
        manage("town_domain", "remove", "pechabou", host)
    assert Domain.objects.get(domain=HOST).tenant_id == proven.pk


def test_what_is_the_platform_s_stays(proven: Town, manage: Any) -> None:
    with pytest.raises(CommandError, match="ne se retire pas"):
        manage("town_domain", "remove", "mairie", "mairie.localhost")
    manage("rename_town", "mairie", "ville")
    with pytest.raises(CommandError, match="ancienne adresse"):
        manage("town_domain", "primary", "ville", "mairie.localhost")


@pytest.mark.parametrize(
    ("mood", "records", "words"),
    [
        ("well", {}, "ne connaît pas encore"),
        ("other record", {}, "sans enregistrement TXT"),
        ("ill", {}, "répondent par une erreur"),
        ("well", {RECORD: ["autre chose"]}, "vaut « autre chose »"),
        ("well", {HOST: ["au mauvais endroit"]}, "ne connaît pas encore"),
    ],
)
def test_what_the_dns_says_is_said(
    town: Town, zone: Zone, manage: Any, visit: Any, mood: str, records: dict[str, list[str]], words: str
) -> None:
    domains.add_domain(town=town, host=HOST)
    zone.mood, zone.records = mood, records
    with pytest.raises(CommandError, match=words):
        manage("town_domain", "check", "mairie", HOST)
    assert visit(HOST).status_code == 404


def test_a_long_answer_and_one_in_pieces(town: Town, zone: Zone) -> None:
    zone.mood, zone.records = "truncated", {RECORD: ["un|deux"]}
    assert dns.txt_values(RECORD) == ["undeux"]


def test_a_silent_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "ALL_TRIES", 0.3)
    settings.DNS_RESOLVERS = [("192.0.2.1", 53)]  # of the documentation: nobody is there
    with pytest.raises(LookupFailed, match=r"ne répond pas|n'a pas pu"):
        dns.txt_values(RECORD)


def ask(host: str, **headers: str) -> int:
    client = Client(headers={"host": "localhost", **headers})
    return client.get("/interne/certificat", {"domain": host}).status_code


def test_certificates_are_for_the_hosts_we_answer(proven: Town) -> None:
    domains.add_domain(town=proven, host="pas-encore.pechabou.fr")
    for host in (
        HOST,
        HOST.upper(),
        "mairie.localhost",
        "localhost",
        "admin.localhost",
        "paiement.localhost",
    ):
        assert ask(host) == 200, host
    for host in (
        "pas-encore.pechabou.fr",
        "inconnu.fr",
        "inconnue.localhost",
        "",
        "x" * 300,
        "a b",
        "1.2.3.4",
    ):
        assert ask(host) == 404, host
    Domain.objects.filter(domain=HOST).update(proven_at=None)
    registry.forget()
    assert ask(HOST) == 404


def test_asking_is_cheap(proven: Town) -> None:
    with statements(1):
        ask("un-autre.fr")
    with statements(0):
        for host in ("un-autre.fr", "a.b.localhost", "x" * 300, "", "localhost"):
            ask(host)


def test_asked_without_tls(town: Town, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^interne/"]  # as for https (config.settings)
    assert ask("localhost") == 200
    assert Client(headers={"host": "mairie.localhost"}).get("/").status_code == 301


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("", []),
        ("9.9.9.9", [("9.9.9.9", 53)]),
        ("127.0.0.1:5353  [::1]:54 2620:fe::fe", [("127.0.0.1", 5353), ("::1", 54), ("2620:fe::fe", 53)]),
    ],
)
def test_the_resolvers_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, raw: str, read: list[tuple[str, int]]
) -> None:
    monkeypatch.setenv("DNS_RESOLVERS", raw)
    assert env.servers("DNS_RESOLVERS", 53) == read


@pytest.mark.parametrize("raw", ["dns.example.org", "9.9.9.9:x", "9.9.9.9,1.1.1.1"])
def test_a_doubtful_resolver_stops_the_boot(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("DNS_RESOLVERS", raw)
    with pytest.raises(env.Misconfigured, match="IP addresses"):
        env.servers("DNS_RESOLVERS", 53)


def test_the_question_is_for_the_platform_s_host_only(town: Town) -> None:
    for host in ("mairie.localhost", "admin.localhost", "paiement.localhost", "inconnu.fr"):
        assert Client(headers={"host": host}).get("/interne/certificat?domain=localhost").status_code == 404
    assert (
        Client(headers={"host": "localhost"}).post("/interne/certificat?domain=localhost").status_code == 405
    )


@pytest.mark.parametrize("act", [domains.check_domain, domains.make_primary])
def test_given_up_meanwhile(town: Town, zone: Zone, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Somebody removes it between the moment it was read and the moment it is locked: told, and not a breakdown."""
    zone.records[RECORD] = [domains.add_domain(town=town, host=HOST).value]
    really = domains._own

    def slowly(*args: Any) -> Domain:
        found = really(*args)
        domains.remove_domain(town=town, host=HOST)
        return found

    monkeypatch.setattr(domains, "_own", slowly)
    with pytest.raises(TownError, match="n'est pas un domaine de"):
        act(town=town, host=HOST)
