"""The simulator's pages, in French. They do not look like the Treasury's, so that nobody confuses them."""

from datetime import datetime
from html import escape

from werkzeug.wrappers import Response

from toolkit.clock import PARIS

_STYLE = """
body{font:18px/1.5 system-ui,sans-serif;margin:0;background:#eef0f2;color:#1b1b1b}
main{max-width:46rem;margin:0 auto;padding:16px}
main.narrow{max-width:36rem}
.paper{background:#fff;border:1px solid #c9ccd1;border-radius:8px;padding:16px 24px;margin-bottom:16px}
.banner{background:#3b2f00;color:#fff;padding:12px 16px;text-align:center;font-weight:600}
nav{background:#fff;border-bottom:1px solid #c9ccd1;padding:4px 16px;text-align:center}
nav a{display:inline-block;padding:8px 6px;color:#17405c}
nav a[aria-current]{font-weight:700;text-decoration:none;border-bottom:3px solid #22577a}
h1{font-size:1.5rem;margin:8px 0 16px;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:8px 0}
a{color:#17405c}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:4px 16px;margin:0}
dt{color:#4a4f55}dd{margin:0;overflow-wrap:anywhere}
ul.rows,ol.rows{list-style:none;margin:0;padding:0}
.rows li{border-top:1px solid #ddd;overflow-wrap:anywhere}
.rows li:first-child{border-top:0}
.rows a{display:block;padding:8px 0;text-decoration:none;color:inherit}
.rows a:hover strong,.rows a:focus strong{text-decoration:underline}
.quiet{color:#4a4f55;font-size:.95rem}
.notice{border-left:6px solid #8a5a00;background:#fff8e6}
.done{border-left:6px solid #22577a}
button{font:inherit;font-weight:600;min-height:48px;width:100%;margin-top:8px;padding:8px 12px;
border-radius:8px;border:2px solid #22577a;background:#fff;color:#17405c;cursor:pointer}
button.main{background:#22577a;color:#fff}
.some{display:flex;flex-wrap:wrap;gap:8px}.some button{width:auto;flex:1 1 10rem}
label,legend{display:block;font-weight:600;margin-top:12px;padding:0}
fieldset{border:0;margin:0;padding:0}
label.tick{font-weight:400;margin-top:4px}
select,input:not([type=checkbox]){font:inherit;width:100%;box-sizing:border-box;min-height:44px;padding:8px;
border:1px solid #6b7178;border-radius:8px;background:#fff;color:inherit}
input[type=checkbox]{width:20px;height:20px;vertical-align:-4px}
:focus-visible{outline:3px solid #b36b00;outline-offset:2px}
"""
_PLACES = (("/", "Opérations"), ("/collectivites", "Collectivités"), ("/reglages", "Réglages"))


def page(title: str, body: str, *, place: str = "") -> str:
    """A whole HTML page. `place` is the current entry of the menu; without it, there is no menu (payer's pages)."""
    links = "".join(
        f'<a href="{address}"{" aria-current=page" if address == place else ""}>{words}</a>'
        for address, words in _PLACES
    )
    menu = f'<nav aria-label="Menu">{links}</nav>' if place else ""
    return (
        '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · simulateur PayFiP</title><style>{_STYLE}</style></head><body>"
        '<header class="banner">Simulateur : aucun argent réel, aucune carte réelle</header>'
        f'{menu}<main class="{"" if place else "narrow"}">{body}</main></body></html>'
    )


def html(text: str, status: int = 200) -> Response:
    """The response of a page. Browsers must not cache it, because its content changes."""
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address of the payment page contains an idOp
    return response


def euros(montant: str) -> str:
    """« 37,50 € » from cents as they were sent; the text as it was sent if it is no number."""
    if not montant.isdigit():
        return f"« {montant} » centimes"
    whole, cents = divmod(int(montant), 100)
    return f"{whole:,}".replace(",", "\u202f") + f",{cents:02}\u00a0€"


def moment(at: float | None) -> str:
    """A Unix time in words, in Paris time."""
    return f"{datetime.fromtimestamp(at, PARIS):%d/%m/%Y à %H:%M:%S}" if at else "…"


def facts(pairs: list[tuple[str, str]]) -> str:
    """A list of names and values, without empty values."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs if value)
    return f"<dl>{rows}</dl>"
