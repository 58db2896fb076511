"""The pages that the payer sees."""

from collections.abc import Mapping
from html import escape
from typing import Any, Protocol

from sandbox.payfip.life import PHASES
from sandbox.payfip.pages import euros, facts, page


class Labelled(Protocol):
    """Anything with a label, to make a button of it."""

    @property
    def label(self) -> str:
        """The words of the button."""


def payment(operation: dict[str, Any], choices: Mapping[str, Labelled]) -> str:
    """The payment page, with a sentence about the previous attempt if there was one."""
    asked = operation["fields"]
    shown = facts(
        [
            ("Montant", euros(asked.get("montant", ""))),
            ("Référence", asked.get("refdet", "")),
            ("Exercice", asked.get("exer", "")),
            ("Collectivité", asked.get("numcli", "")),
            ("Objet", asked.get("objet", "")),
            ("Adresse", asked.get("mel", "")),
            ("Mode", asked.get("saisie", "")),
        ]
    )
    tried = operation["result"]
    again = f"Dernier essai : {PHASES.get(tried, 'abandonné')}. Vous pouvez recommencer." if tried else ""
    notice = f'<p class="paper notice" role="status">{again}</p>' if again else ""
    action = f"/simulateur/{escape(operation['idop'])}"
    return page(
        "Payer cette facture",
        f'{notice}<div class="paper"><h1>Payer cette facture</h1>{shown}</div>'
        f'<form method="post" action="{action}" class="paper">{buttons(choices)}</form>',
    )


def buttons(choices: Mapping[str, Labelled]) -> str:
    """One button per choice; the first is the main one."""
    return "".join(
        f'<button name="choice" value="{escape(value)}"{"" if number else " class=main"}>'
        f"{escape(choice.label)}</button>"
        for number, (value, choice) in enumerate(choices.items())
    )


def sentence(title: str, words: str) -> str:
    """A page with one sentence."""
    return page(title, f'<div class="paper"><h1>{escape(title)}</h1><p>{escape(words)}</p></div>')
