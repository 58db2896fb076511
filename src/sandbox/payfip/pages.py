"""The simulator's own pages: plain, in French, and nothing that passes for the real thing."""

from html import escape
from typing import Any

_HEAD = """<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
body{{font:18px/1.5 system-ui,sans-serif;margin:0;background:#eef0f2;color:#1b1b1b}}
main{{max-width:36rem;margin:0 auto;padding:24px 16px}}
.paper{{background:#fff;border:1px solid #c9ccd1;border-radius:8px;padding:24px;margin-bottom:16px}}
.banner{{background:#3b2f00;color:#fff;padding:12px 16px;text-align:center;font-weight:600}}
h1{{font-size:1.5rem;margin:0 0 16px}}dl{{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}}
dt{{color:#4a4f55}}dd{{margin:0;overflow-wrap:anywhere}}
button{{font:inherit;font-weight:600;min-height:48px;width:100%;margin-top:8px;border-radius:8px;
border:2px solid #22577a;background:#fff;color:#17405c}}button.main{{background:#22577a;color:#fff}}
table{{border-collapse:collapse;width:100%;font-size:15px}}
td,th{{text-align:left;padding:4px 8px;border-top:1px solid #ddd}}
</style></head><body><div class="banner">Simulateur : aucun argent réel, aucune carte réelle</div><main>"""

BUTTONS = (
    ("pay", "Payer par carte", "main"),
    ("debit", "Payer par prélèvement", ""),
    ("refuse", "Carte refusée", ""),
    ("abandon", "Abandonner", ""),
    ("pay-silent", "Payer, ne jamais revenir ni notifier", ""),
    ("pay-twice", "Payer et notifier deux fois", ""),
    ("pay-late", "Payer et notifier une minute plus tard", ""),
)


def payment(operation: dict[str, Any]) -> str:
    """The payment screen."""
    asked = operation["fields"]
    euros = f"{int(asked['montant']) / 100:.2f}".replace(".", ",")
    facts = (
        ("Montant", f"{euros} €"),
        ("Référence", asked.get("refdet", "")),
        ("Collectivité", asked.get("numcli", "")),
        ("Objet", asked.get("objet", "")),
        ("Adresse", asked.get("mel", "")),
    )
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    buttons = "".join(
        f'<button name="choice" value="{value}" class="{style}">{label}</button>'
        for value, label, style in BUTTONS
    )
    action = f"/simulateur/{escape(operation['idop'])}"
    return (
        _HEAD.format(title="Simulateur de paiement")
        + f'<div class="paper"><h1>Payer cette facture</h1><dl>{rows}</dl></div>'
        + f'<form method="post" action="{action}" class="paper">{buttons}</form></main></body></html>'
    )


def sentence(title: str, words: str) -> str:
    """A page that only says something."""
    return (
        _HEAD.format(title=escape(title))
        + f'<div class="paper"><h1>{escape(title)}</h1><p>{escape(words)}</p></div>'
    )


def home(operations: list[dict[str, Any]], behaviour: dict[str, Any]) -> str:
    """The last operations and how the simulator behaves."""
    rows = "".join(
        f"<tr><td>{escape(o['idop'][:8])}…</td><td>{escape(o['kind'])}</td><td>{escape(o['fields'].get('refdet', ''))}"
        f"</td><td>{escape(o['fields'].get('montant', ''))}</td><td>{escape(o['result'] or '…')}</td></tr>"
        for o in operations
    )
    table = (
        "<table><tr><th>idOp</th><th>Par</th><th>Référence</th><th>Centimes</th><th>Résultat</th></tr>"
        + (rows or '<tr><td colspan="5">Aucune opération pour l’instant.</td></tr>')
        + "</table>"
    )
    told = ", ".join(f"{name} = {value}" for name, value in behaviour.items())
    return (
        _HEAD.format(title="Simulateur PayFiP")
        + f'<div class="paper"><h1>Dernières opérations</h1>{table}</div>'
        + f'<div class="paper"><h1>Comportement</h1><p>{escape(told)}</p>'
        + "<p>Pour le changer : <code>POST /api/behaviour</code> (voir docs/payfip-simulator.md).</p></div>"
        + "</main></body></html>"
    )
