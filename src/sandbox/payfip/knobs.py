"""The knobs: the settings that change how the simulator behaves, with their values and French labels."""

from dataclasses import dataclass
from typing import Any

from sandbox.payfip.soap.codes import WORDS


@dataclass(frozen=True)
class Knob:
    """A setting. `choices` are its values with their labels; without choices it is a number of seconds."""

    label: str
    default: Any
    choices: dict[str, str] | None = None

    def read(self, value: Any) -> Any:
        """Check and convert a value. Raises ValueError with a sentence."""
        if self.choices is not None:
            if str(value) not in self.choices:
                raise ValueError(f"{self.label} : « {value} » n'est pas un de {', '.join(self.choices)}")
            return str(value)
        try:
            seconds = float(value or 0)
        except (TypeError, ValueError):
            seconds = -1.0
        if not 0 <= seconds < 1e9:
            raise ValueError(f"{self.label} : « {value} » n'est pas un nombre de secondes")
        return seconds


FAILURES = {
    "ok": "répond comme il faut",
    "slow": "attend, puis travaille et répond",
    "slow-after": "travaille, puis attend avant de répondre",
    "down": "répond 503, service indisponible",
    "refused": "n'écoute plus : la connexion est refusée (puis revient tout seul)",
    "reset": "coupe la connexion sans rien faire",
    "reset-after": "travaille, puis coupe la connexion sans répondre",
    "cut": "travaille, puis coupe au milieu de la réponse",
    "garbage": "répond une page HTML de maintenance",
    "empty": "répond 200 sans rien dedans",
    "technical": "panne annoncée : TechIndisponibiliteErreur",
    "dysfunction": "panne annoncée : TechDysfonctionnementErreur",
    "protocol": "panne annoncée : TechProtocolaireErreur",
    "999": "panne annoncée : FonctionnelleErreur 999",
}
KNOBS = {
    "soap": Knob("Le service web", "ok", FAILURES),
    "soap_on": Knob(
        "… pour quelles demandes",
        "all",
        {
            "all": "toutes",
            "create": "création d'un paiement (creerPaiementSecurise)",
            "read": "question sur un paiement (recupererDetailPaiementSecurise)",
            "client": "question sur une collectivité (recupererDetailClient)",
        },
    ),
    "delay": Knob("Secondes d'attente ou de coupure (20 si vide)", 0.0),
    "refuse": Knob(
        "Refuser chaque création avec le code",
        "",
        {"": "aucun : seules les vraies fautes sont refusées"}
        | {code: f"{code} : {words}" for code, words in WORDS.items() if code[0] != "P"},
    ),
    "notifications": Knob(
        "Les notifications",
        "on",
        {
            "on": "arrivent",
            "off": "n'arrivent jamais",
            "twice": "arrivent deux fois",
            "late": "arrivent en retard",
            "night": "arrivent dans la nuit (2 h 30)",
        },
    ),
    "notification_delay": Knob("Secondes de retard d'une notification en retard", 300.0),
    "notification_order": Knob(
        "Le retour et la notification",
        "before",
        {"before": "la notification d'abord", "after": "le payeur revient d'abord"},
    ),
    "notification_method": Knob("La notification est un", "POST", {"POST": "POST", "GET": "GET"}),
    "notification_field": Knob("Le champ de la notification", "idop", {"idop": "idop", "idOp": "idOp"}),
    "too_late": Knob(
        "Un idOp jamais ouvert dans le quart d'heure",
        "P4",
        {"P4": "P4 : délai dépassé", "P5": "P5 : résultat non connu"},
    ),
    "opened": Knob(
        "Un idOp ouvert et sans résultat",
        "P5",
        {"P5": "P5 : résultat non connu", "P3": "P3 : déjà redirigé"},
    ),
    "exer": Knob("L'exercice revient", "whole", {"whole": "entier", "short": "raccourci (« 20 » pour 2026)"}),
    "dattrans": Knob(
        "La date et l'heure du paiement",
        "ok",
        {"ok": "présentes", "missing": "absentes", "odd": "mal écrites"},
    ),
    "unlisted": Knob(
        "Un identifiant de collectivité qui n'est pas dans la liste",
        "unknown",
        {"unknown": "est inconnu (T2), comme au Trésor", "open": "est accepté"},
    ),
    "clock": Knob("Secondes d'avance de l'horloge", 0.0),
}
DEFAULTS: dict[str, Any] = {name: knob.default for name, knob in KNOBS.items()}
DEFAULT_WAIT = 20.0  # seconds, when `delay` is zero


def wait_of(behaviour: dict[str, Any]) -> float:
    """How long the failures « slow » and « refused » last, in seconds."""
    return float(behaviour["delay"] or DEFAULT_WAIT)
