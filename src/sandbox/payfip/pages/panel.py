"""The pages of the control panel: operations, clients, knobs."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sandbox.payfip import life
from sandbox.payfip.clients import MODES, REFUSALS, Client
from sandbox.payfip.knobs import DEFAULTS, KNOBS, Knob
from sandbox.payfip.pages import euros, facts, moment, page
from sandbox.payfip.pages.payer import Labelled, buttons

Row = dict[str, Any]
AHEAD = {  # the buttons that move the clock
    "900": "+ 15 minutes",
    "7200": "+ 2 heures",
    "night": "Jusqu'à la nuit (3 h)",
    "86400": "+ 1 jour",
    "31536000": "+ 1 an",
    "back": "Remettre à l'heure",
}


def home(
    operations: Sequence[Row], behaviour: Row, warnings: Sequence[Row], events: Sequence[Row], now: float
) -> str:
    """The home page: the knobs that are not at their default, then the operations, newest first."""
    rows = "".join(_operation_row(operation, now) for operation in operations)
    listed = (
        f'<ul class="rows">{rows}</ul>'
        if rows
        else "<p>Aucune opération pour l'instant. Réglez une facture du portail : elle paraîtra ici.</p>"
    )
    said = "".join(f"<li>{_line(event)}</li>" for event in events) or "<li>Rien encore.</li>"
    return page(
        "Opérations",
        f"<h1>Opérations</h1>{_unusual(behaviour)}{_warned(warnings)}"
        f'<div class="paper">{listed}</div>'
        f'<details class="paper"><summary>Les derniers échanges</summary><ol class="rows">{said}</ol></details>',
        place="/",
    )


def _operation_row(operation: Row, now: float) -> str:
    asked = operation["fields"]
    road = "redirection TIPI" if operation["kind"] == "tipi" else "service web"
    return (
        f'<li><a href="/operations/{escape(operation["idop"])}">'
        f"<strong>{escape(euros(asked.get('montant', '')))} · {escape(asked.get('refdet', ''))}</strong><br>"
        f"{escape(life.phase(operation, now))}<br><span class=quiet>{escape(asked.get('numcli', ''))} · "
        f"mode {escape(asked.get('saisie', ''))} · {road} · {moment(operation['created'])}</span></a></li>"
    )


def _unusual(behaviour: Row) -> str:
    turned = [
        f"{knob.label} : {_words(knob, behaviour[name])}"
        for name, knob in KNOBS.items()
        if behaviour[name] != DEFAULTS[name]
    ]
    if not turned:
        return ""
    items = "".join(f"<li>{escape(words)}</li>" for words in turned)
    return (
        f'<div class="paper notice"><h2>Réglages particuliers</h2><ul>{items}</ul>'
        '<form method="post" action="/reglages"><button name="normal" value="1">Revenir à la normale</button>'
        "</form></div>"
    )


def _words(knob: Knob, value: Any) -> str:
    return knob.choices[value] if knob.choices is not None else f"{value:g}"


def _warned(warnings: Sequence[Row]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{_line(warning)}</li>" for warning in warnings)
    return (
        '<div class="paper notice"><h2>Demandes hors du contrat</h2><p>Le vrai service les ignore sans le dire : '
        f'un champ mal nommé est un champ absent.</p><ol class="rows">{items}</ol></div>'
    )


def _line(event: Row) -> str:
    return f"<span class=quiet>{moment(event['at'])}</span><br>{escape(event['text'])}"


def operation(
    found: Row,
    notifications: Sequence[Row],
    events: Sequence[Row],
    now: float,
    choices: Mapping[str, Labelled],
) -> str:
    """The page of one operation: request, result, notifications, and buttons to act as the payer."""
    asked = found["fields"]
    shown = facts(
        [
            ("État", life.phase(found, now)),
            *(
                (name, asked.get(name, ""))
                for name in ("numcli", "exer", "refdet", "objet", "montant", "mel")
            ),
            ("saisie", asked.get("saisie", "")),
            ("idOp", found["idop"]),
            ("numauto", found["numauto"]),
            ("Notification", asked.get("urlnotif") or asked.get("urlcl", "")),
            ("Retour", asked.get("urlredirect", "")),
            ("Créée", moment(found["created"])),
            ("À ouvrir avant", "" if found["opened"] else moment(found["created"] + life.OPEN_WITHIN)),
            ("Ouverte", moment(found["opened"]) if found["opened"] else ""),
            ("Terminée", moment(found["finished"]) if found["finished"] else ""),
            ("Oubliée", moment(life.forgotten_at(found))),
            ("Répond autrement", ", ".join(f"{k} = {v}" for k, v in found["changes"].items())),
        ]
    )
    happened = "".join(f"<li>{_line(event)}</li>" for event in events)
    waiting = [notification for notification in notifications if notification["sent_at"] is None]
    due = "".join(
        f"<li>Une notification partira : {moment(notification['due'])}</li>" for notification in waiting
    )
    action = f"/operations/{escape(found['idop'])}"
    again = (
        '<button name="choice" value="notify">Notifier encore une fois</button>' if found["result"] else ""
    )
    act = "" if found["result"] in ("P", "V") else buttons(choices)
    return page(
        "Une opération",
        f"<h1>{escape(euros(asked.get('montant', '')))} · {escape(asked.get('refdet', ''))}</h1>"
        f'<div class="paper">{shown}</div>'
        f'<div class="paper"><h2>Ce qui s\'est passé</h2><ol class="rows">{happened}{due}</ol></div>'
        f'<form method="post" action="{action}" class="paper"><h2>À la place du payeur</h2>{act}{again}</form>',
        place="/",
    ).replace(" aria-current=page", "")


def settings(behaviour: Row, now: float, *, done: bool, wrong: str = "") -> str:
    """The page of the knobs, the clock and the reset."""
    fields = "".join(_field(name, knob, behaviour[name]) for name, knob in KNOBS.items() if name != "clock")
    clock = "".join(
        f'<button name="ahead" value="{value}">{words}</button>' for value, words in AHEAD.items()
    )
    said = '<p class="paper done" role="status">C\'est enregistré.</p>' if done else ""
    said += f'<p class="paper notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    return page(
        "Réglages",
        f"<h1>Réglages</h1>{said}"
        f'<form method="post" action="/horloge" class="paper"><h2>L\'horloge</h2><p>Ici, il est le '
        f"<strong>{moment(now)}</strong>. Avancer fait arriver ce qui devait arriver : délais, nuit, "
        f'notifications.</p><div class="some">{clock}</div></form>'
        f'<form method="post" action="/reglages" class="paper"><h2>Le comportement</h2>{fields}'
        '<button class="main">Enregistrer</button>'
        '<button name="normal" value="1">Revenir à la normale</button></form>'
        '<form method="post" action="/effacer" class="paper"><h2>Recommencer</h2><p>Oublie les opérations, les '
        "collectivités ajoutées et les réglages.</p><button>Tout effacer</button></form>",
        place="/reglages",
    )


def _field(name: str, knob: Knob, value: Any) -> str:
    label = f'<label for="{name}">{escape(knob.label)}</label>'
    if knob.choices is None:
        return f'{label}<input id="{name}" name="{name}" inputmode="decimal" value="{value:g}">'
    options = "".join(
        f'<option value="{escape(choice)}"{" selected" if choice == value else ""}>{escape(words)}</option>'
        for choice, words in knob.choices.items()
    )
    return f'{label}<select id="{name}" name="{name}">{options}</select>'


def towns(clients: Sequence[Client], configured: set[str], *, done: bool, wrong: str = "") -> str:
    """The page of the clients, what each may do, and a form to add or change one."""
    rows = "".join(_client_row(client, client.numcli in configured) for client in clients)
    modes = "".join(
        f'<label class="tick"><input type="checkbox" name="modes" value="{mode}" checked> {mode} : {words}</label>'
        for mode, words in MODES.items()
    )
    refused = "".join(f'<option value="{code}">{words}</option>' for code, words in REFUSALS.items())
    lines = "".join(
        f'<label for="line{n}">Ligne {n} du libellé</label><input id="line{n}" name="lines" maxlength="60">'
        for n in (1, 2, 3)
    )
    said = '<p class="paper done" role="status">C\'est enregistré.</p>' if done else ""
    said += f'<p class="paper notice" role="alert">{escape(wrong)}</p>' if wrong else ""
    return page(
        "Collectivités",
        f"<h1>Collectivités</h1>{said}"
        f'<div class="paper"><ul class="rows">{rows}</ul></div>'
        '<form method="post" action="/collectivites" class="paper"><h2>Ajouter ou changer</h2>'
        '<label for="numcli">Identifiant (six chiffres)</label>'
        '<input id="numcli" name="numcli" inputmode="numeric" pattern="[0-9]{6}" required>'
        f"{lines}<fieldset><legend>Modes ouverts</legend>{modes}</fieldset>"
        f'<label for="refused">État</label><select id="refused" name="refused">{refused}</select>'
        '<button class="main">Enregistrer</button></form>',
        place="/collectivites",
    )


def _client_row(client: Client, configured: bool) -> str:
    state = REFUSALS[client.refused] if client.refused else f"modes {', '.join(client.modes) or 'aucun'}"
    forget = (
        '<form method="post" action="/collectivites">'
        f'<input type="hidden" name="numcli" value="{client.numcli}">'
        f'<button name="forget" value="1">Oublier {client.numcli}</button></form>'
        if configured
        else ""
    )
    lines = " · ".join(line for line in client.lines if line)
    return (
        f"<li><p><strong>{client.numcli}</strong> {escape(lines)}<br>"
        f"<span class=quiet>{escape(state)}</span></p>{forget}</li>"
    )
