"""The page that shows the caught mail, and the few addresses that tests use."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from sandbox import operator_code
from sandbox.mail.smtp import MODES
from sandbox.mail.store import Message, Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PARIS = ZoneInfo("Europe/Paris")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_SHOWN = 200  # messages on the list page; messages.json has them all
_URLS = Map(
    [
        Rule("/", endpoint="show_list", methods=["GET"]),
        Rule("/messages.json", endpoint="show_json", methods=["GET"]),
        Rule("/messages/<id>", endpoint="show_message", methods=["GET"]),
        Rule("/messages/<id>/html", endpoint="show_html", methods=["GET"]),
        Rule("/messages/<id>/attachments/<int:number>", endpoint="show_attachment", methods=["GET"]),
        Rule("/clear", endpoint="clear", methods=["POST"]),
        Rule("/mode", endpoint="show_mode", methods=["GET"]),
        Rule("/mode", endpoint="change_mode", methods=["POST"]),
        Rule("/code", endpoint="show_code", methods=["GET"]),
        Rule("/code.json", endpoint="show_code_json", methods=["GET"]),
        Rule("/health", endpoint="show_health", methods=["GET"]),
    ]
)
_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.5rem; margin: 8px 0; } h2 { font-size: 1.1rem; margin: 24px 0 8px; }
.top { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; }
.quiet { opacity: .75; font-size: .95rem; }
ul { list-style: none; padding: 0; } li { border-top: 1px solid var(--line); }
li a { display: block; padding: 12px 4px; color: inherit; text-decoration: none; }
li a:hover strong, li a:focus strong { text-decoration: underline; }
input { font: inherit; max-width: 100%; box-sizing: border-box; padding: 8px; }
button { font: inherit; padding: 8px 16px; border: 1px solid var(--line); border-radius: 8px; }
iframe { width: 100%; height: 70vh; border: 1px solid var(--line); border-radius: 8px; background: #fff; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; padding: 16px;
  border: 1px solid var(--line); border-radius: 8px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
.code { font-size: 3rem; letter-spacing: .2em; font-variant-numeric: tabular-nums; }
.warning { border: 2px solid #b36b00; border-radius: 8px; padding: 12px 16px; }
"""


class Page:
    """The WSGI application. `mode` and `set_mode` reach the SMTP side."""

    def __init__(self, store: Store, *, mode: Callable[[], str], set_mode: Callable[[str], None]) -> None:
        self._store = store
        self._mode = mode
        self._set_mode = set_mode

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            endpoint, values = _URLS.bind_to_environ(environ).match()
            response: Response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as error:
            said = "Ce message n'existe pas ou plus." if error.code == 404 else "Demande non comprise."
            response = _page(said, f"<h1>{said}</h1><p><a href='/'>Voir la liste des courriels</a></p>")
            response.status_code = error.code or 500
        return response(environ, start_response)

    def _show_list(self, _request: Request) -> Response:
        messages = self._store.all()
        title = (
            f"{len(messages)} courriel{'s' if len(messages) > 1 else ''}" if messages else "Aucun courriel"
        )
        parts = [f"<div class=top><h1>{title}</h1>"]
        if messages:
            parts.append("<form method=post action=/clear><button>Tout effacer</button></form>")
        parts.append("</div>" + self._mode_notice())
        if not messages:
            parts.append(
                "<p>Les courriels que le portail envoie arrivent ici, et nulle part ailleurs. Demandez par "
                "exemple l'activation d'un compte: le message paraîtra en quelques secondes.</p>"
            )
        parts.append("<ul>" + "".join(_row(message) for message in messages[:_SHOWN]) + "</ul>")
        if len(messages) > _SHOWN:
            parts.append(f"<p class=quiet>Seuls les {_SHOWN} plus récents sont montrés.</p>")
        return _page(title, "".join(parts), refresh=10)

    def _mode_notice(self) -> str:
        mode = self._mode()
        if mode == "ok":
            return ""
        return (
            f"<form class=warning method=post action=/mode>En ce moment, le serveur {escape(MODES[mode])}. "
            "<button name=mode value=ok>Revenir à la normale</button></form>"
        )

    def _show_json(self, request: Request) -> Response:
        messages = self._store.all()
        if recipient := request.args.get("to"):
            messages = [message for message in messages if recipient in message.to.split(", ")]
        if (limit := request.args.get("limit", type=int)) is not None:
            messages = messages[: max(0, limit)]
        return _json([message.as_json() for message in messages])

    def _message(self, message_id: str) -> Message:
        message = self._store.get(message_id)
        if message is None:
            raise NotFound
        return message

    def _show_message(self, _request: Request, id: str) -> Response:
        message = self._message(id)
        parts = [
            "<p><a href='/'>← Tous les courriels</a></p>",
            f"<h1>{escape(message.subject or '(sans objet)')}</h1>",
            f"<dl><dt>De</dt><dd>{escape(message.sender)}</dd><dt>À</dt><dd>{escape(message.to)}</dd>",
            f"<dt>Date</dt><dd>{_date(message.date)}</dd></dl>",
        ]
        if message.html:
            # No scripts; a link opens in a new tab, outside the frame's restrictions.
            parts.append(
                f"<iframe title='Le message' sandbox='allow-popups allow-popups-to-escape-sandbox' "
                f"src='/messages/{message.id}/html'></iframe>"
            )
        if message.text:
            parts.append(f"<h2>Version texte</h2><pre>{_linked(message.text)}</pre>")
        if message.attachments:
            items = "".join(
                f"<li><a href='/messages/{message.id}/attachments/{number}'>{escape(name)} "
                f"<span class=quiet>{escape(kind)}, {len(content)} octets</span></a></li>"
                for number, (name, kind, content) in enumerate(message.attachments)
            )
            parts.append(f"<h2>Pièces jointes</h2><ul>{items}</ul>")
        headers = "".join(f"{escape(name)}: {escape(value)}\n" for name, value in message.headers)
        parts.append(f"<details><summary>En-têtes</summary><pre>{headers}</pre></details>")
        return _page(message.subject, "".join(parts))

    def _show_html(self, _request: Request, id: str) -> Response:
        response = Response('<base target="_blank">' + self._message(id).html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; "
            "sandbox allow-popups allow-popups-to-escape-sandbox"
        )
        return response

    def _show_attachment(self, _request: Request, id: str, number: int) -> Response:
        attachments = self._message(id).attachments
        if number >= len(attachments):
            raise NotFound
        name, kind, content = attachments[number]
        response = Response(content, mimetype=kind)
        response.headers.set("Content-Disposition", "attachment", filename=name)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _clear(self, _request: Request) -> Response:
        self._store.clear()
        return redirect("/", 303)

    def _show_mode(self, _request: Request) -> Response:
        return _json({"mode": self._mode(), "modes": MODES})

    def _change_mode(self, request: Request) -> Response:
        given = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        mode = given.get("mode") if isinstance(given, dict) else None
        if mode not in MODES:
            raise BadRequest
        self._set_mode(mode)
        return self._show_mode(request) if request.is_json else redirect("/", 303)

    def _show_code(self, request: Request) -> Response:
        """The operator's code; with `?cle=`, the code of a secret that a member of staff types."""
        left = operator_code.seconds_left()
        if "cle" in request.args:
            secret = operator_code.bare(request.args["cle"])
            return _page(
                "Le code d'un agent", _typed_code(secret, left), refresh=min(left, 10) if secret else 0
            )
        return _page(
            "Code de vérification",
            f"<p><a href='/'>← Tous les courriels</a></p><h1>Le téléphone de l'exploitant</h1>"
            f"<p>Code de vérification de {escape(operator_code.EMAIL)}, qui change dans {left} s :</p>"
            f"<p class=code>{operator_code.code()}</p>"
            f"<p class=quiet>Un code sert une seule fois. Clé, pour l'ajouter à une vraie application : "
            f"<code>{operator_code.SECRET}</code></p>"
            f"<p><a href='/code?cle='>Le code d'un agent, sans téléphone</a></p>",
            refresh=min(left, 10),
        )

    def _show_code_json(self, request: Request) -> Response:
        secret = operator_code.bare(request.args.get("cle", "")) or operator_code.SECRET
        try:
            codes = {"code": operator_code.code(secret=secret), "next": operator_code.code(1, secret=secret)}
        except ValueError:
            raise BadRequest from None
        return _json(codes)

    def _show_health(self, _request: Request) -> Response:
        return Response("ok", mimetype="text/plain")


def _typed_code(secret: str, left: int) -> str:
    """The box to type a secret, and the code of the one that was typed."""
    shown = ""
    if secret:
        try:
            code = operator_code.code(secret=secret)
            shown = f"<p>Code de cette clé, qui change dans {left} s :</p><p class=code>{code}</p>"
        except ValueError:
            shown = "<p class=warning>Cette clé ne convient pas : recopiez-la en entier.</p>"
    return (
        "<p><a href='/code'>← Le téléphone de l'exploitant</a></p><h1>Le téléphone d'un agent</h1>"
        "<form method=get action=/code><p><label for=cle>La clé que montre la page « Ajouter une application de "
        f"codes » :</label><br><input id=cle name=cle value='{escape(secret)}' size=40 autocomplete=off> "
        f"<button>Voir le code</button></p></form>{shown}<p class=quiet>Un code sert une seule fois.</p>"
    )


def _row(message: Message) -> str:
    subject = escape(message.subject or "(sans objet)")
    return (
        f"<li><a href='/messages/{message.id}'><strong>{subject}</strong><br>"
        f"<span class=quiet>à {escape(message.to)} · {_date(message.date)}</span></a></li>"
    )


def _date(moment: datetime) -> str:
    return moment.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def _linked(text: str) -> str:
    """The text as HTML, with clickable addresses."""
    parts, end = [], 0
    for match in _LINK.finditer(text):
        address = escape(match[0])
        parts += [escape(text[end : match.start()]), f'<a href="{address}" target="_blank">{address}</a>']
        end = match.end()
    return "".join([*parts, escape(text[end:])])


def _json(value: object) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, indent=1), mimetype="application/json")


def _page(title: str, body: str, *, refresh: int = 0) -> Response:
    again = f"<meta http-equiv=refresh content={refresh}>" if refresh else ""
    response = Response(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"{again}<title>{escape(title)}</title><style>{_STYLE}</style><main>{body}</main></html>",
        mimetype="text/html",
    )
    response.headers["Cache-Control"] = "no-store"
    return response
