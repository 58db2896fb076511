"""The screen of `make demo` once everything answers, with the word `ready` on its own line."""

from sandbox import operator_code
from sandbox.home import Home

PASSWORD = "facture"  # noqa: S105 - the demonstration's own, written in the README


def _table(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(left) for left, _ in rows)
    return [f"  {left:<{width}}   {right}" for left, right in rows]


def demo(home: Home) -> str:
    """The addresses and accounts of the demonstration."""
    addresses = [
        (home.url("mairie"), "Mairie de Démonstration: le portail des habitants"),
        (home.url("mairie", "/gestion/"), "… et de ses agents"),
        (home.url("pechabou"), "une deuxième commune, Pechabou"),
        (home.url("admin"), "l'exploitant de la plateforme"),
        (home.url("mail"), "les courriels envoyés (rien ne sort de cette machine)"),
        (home.url("payfip"), "le simulateur du paiement PayFiP"),
    ]
    accounts = [
        ("resident@example.net", "habitante, compte activé"),
        ("nouveau@example.net", "habitant connu du service, compte à activer"),
        ("agent@example.net", f"agent de la mairie, son téléphone: {home.url('mail', '/code?cle=')}"),
        (operator_code.EMAIL, f"exploitant, code de vérification: {home.url('mail', '/code')}"),
    ]
    return _portal(home, addresses, accounts)


def empty(home: Home) -> str:
    """The addresses and the operator of a platform without a town."""
    addresses = [
        (home.url("admin"), "l'exploitant de la plateforme, qui ouvre les communes"),
        (home.url("mail"), "les courriels envoyés (rien ne sort de cette machine)"),
        (home.url("payfip"), "le simulateur du paiement PayFiP"),
    ]
    accounts = [(operator_code.EMAIL, f"exploitant, code de vérification: {home.url('mail', '/code')}")]
    return _portal(home, addresses, accounts)


def _portal(home: Home, addresses: list[tuple[str, str]], accounts: list[tuple[str, str]]) -> str:
    return "\n".join(
        [
            "",
            "ready",
            "",
            "Adresses",
            *_table(addresses),
            "",
            f"Comptes (mot de passe: {PASSWORD})",
            *_table(accounts),
            "",
            f"Données: {home.root}",
            f"Journaux: {home.path('log')} (tail -f {home.path('log')}/*.log)",
            "Ctrl-C arrête tout.",
            "",
        ]
    )


def services(home: Home) -> str:
    """The addresses of the services, without the portal."""
    local = "127.0.0.1"
    rows = [
        ("PostgreSQL", f"{local}:{home.ports['postgres']}"),
        ("Redis", f"{local}:{home.ports['redis']}"),
        ("S3", f"http://{local}:{home.ports['s3']}"),
        ("SMTP", f"{local}:{home.ports['smtp']}"),
        ("Courriels reçus", f"http://{local}:{home.ports['mail']}/"),
        ("PayFiP simulé", f"http://{local}:{home.ports['payfip']}/"),
    ]
    return "\n".join(["", "ready", "", *_table(rows), "", f"Données: {home.root}", "Ctrl-C arrête tout.", ""])
