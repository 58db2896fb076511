"""For every state of an invoice and every place that shows it, the sentence of that place (decision 0051).

`{due}` is the due date in figures, `{in_words}` in words, `{today}` today's date in figures, and `{free}` the time
when another payment may start. None: the place does not show such an invoice.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What staff and a resident (Alice, who shares the payer with Bob) read about an invoice of 37,50 €."""

    listed: str | None  # « Mes factures » on the screen, on paper and in the CSV
    sums: str  # the sentence above that list
    settling: str | None  # « Mes règlements »: « due », or « apart » under « En cours ou suspendues »
    button: str  # its button in « Mes règlements »
    page: str | None  # the page of the invoice
    paying: str | None  # the title of the page that pays it
    mail: str | None  # its line in the message of new invoices
    reminded: bool
    staff: str  # the state in staff's lists and search, on its page and on the payer's page
    online: str  # « Paiement en ligne » on its page for staff
    chip: str | None  # the filter under which staff find it
    counter: str | None  # the words beside it at the counter; None: it cannot be chosen


ONE = "Vous avez 1 facture à régler, 37,50 €."
NONE = "Vous n'avez rien à régler pour l'instant."
NOTHING = "Vous n'avez rien à régler."
TWICE = "L'encaisser ici peut la faire payer deux fois."
NOT_ONLINE = "Cette facture ne se règle pas en ligne. Les autres moyens de paiement figurent sur la facture."
BUSY = "Un paiement de cette facture est en cours. Vous pourrez recommencer à partir de {free}."
TABLE: dict[str, Row] = {
    "due": Row(
        "À régler", ONE, "due", "Régler", "À régler avant le {in_words}",
        "Informations pour le paiement TIPI", "à régler avant le {in_words}", True,
        "À régler", "Possible maintenant.", "a-regler", "",
    ),
    "soon": Row(
        "À régler dans 3 jours", ONE, "due", "Régler", "À régler avant le {in_words}",
        "Informations pour le paiement TIPI", "à régler avant le {in_words}", True,
        "À régler dans 3 jours", "Possible maintenant.", "a-regler", "",
    ),
    "late": Row(
        "En retard", ONE, "due", "Régler", "En retard : à régler depuis le {in_words}",
        "Informations pour le paiement TIPI", "à régler avant le {in_words}", True,
        "En retard", "Possible maintenant.", "en-retard", "",
    ),
    "partly paid": Row(
        "À régler", "Vous avez 1 facture à régler, 27,50 €.", "due", "Régler", "À régler avant le {in_words}",
        "Informations pour le paiement TIPI", "à régler avant le {in_words}", True,
        "À régler", "Possible maintenant.", "a-regler", "",
    ),
    "paid": Row(
        "Réglée le {today}", NOTHING, None, "", "Réglée le {today_in_words}",
        "Cette facture est déjà réglée", "réglée le {today}", False,
        "Réglée le {today}", "Cette facture est réglée.", "reglees", None,
    ),
    "begun": Row(
        "Votre paiement est commencé", f"{NONE} En cours ou suspendues : 1 en cours de paiement (37,50 €).",
        "apart", "Reprendre", "Votre paiement est commencé", "Votre paiement est commencé",
        "paiement en cours", False, "Paiement en cours", BUSY, "en-cours", TWICE,
    ),
    "paying": Row(
        "Votre paiement est en cours", f"{NONE} En cours ou suspendues : 1 en cours de paiement (37,50 €).",
        "apart", "Voir", "Votre paiement est en cours", "Votre paiement est commencé",
        "paiement en cours", False, "Paiement en cours", BUSY, "en-cours", TWICE,
    ),
    "somebody else pays": Row(
        "Paiement en cours", f"{NONE} En cours ou suspendues : 1 en cours de paiement (37,50 €).",
        "apart", "Voir", "Paiement en cours", "Un paiement est en cours",
        "paiement en cours", False, "Paiement en cours", BUSY, "en-cours", TWICE,
    ),
    "announced": Row(
        "Paiement annoncé, à confirmer", f"{NONE} En cours ou suspendues : 1 annoncée payée (37,50 €).",
        "apart", "Voir", "Paiement annoncé, à confirmer", "Un paiement est annoncé",
        "paiement annoncé, à confirmer", False, "Paiement annoncé, à confirmer",
        "Un paiement de cette facture est annoncé : le Trésor public doit encore le confirmer.", "en-cours", TWICE,
    ),
    "in review": Row(
        "Paiement en cours d'examen", f"{NONE} En cours ou suspendues : 1 en cours d'examen (37,50 €).",
        "apart", "Voir", "Paiement en cours d'examen", "Un paiement est en cours d'examen",
        "paiement en cours d'examen", False, "Paiement en cours d'examen",
        "Un paiement de cette facture est en cours d'examen par le service de facturation.", "en-cours", TWICE,
    ),
    "declared": Row(
        "Déclarée réglée le {today}", f"{NONE} En cours ou suspendues : 1 déclarée réglée (37,50 €).",
        "apart", "Voir", "Déclarée réglée le {today}", "Informations pour le paiement TIPI",
        "déclarée réglée le {today}", False, "Déclarée réglée le {today}", "Possible maintenant.", "en-cours", TWICE,
    ),
    "direct debit": Row(
        "Sera prélevée le {due}", f"{NONE} En cours ou suspendues : 1 prélevée (37,50 €).",
        "apart", "Voir", "Sera prélevée le {due}", "Cette facture est prélevée",
        "sera prélevée le {due}", False, "Sera prélevée le {due}",
        "Cette facture sera prélevée automatiquement sur votre compte bancaire.", "en-cours", TWICE,
    ),
    "direct debit, past": Row(
        "Prélevée le {due}, à confirmer", f"{NONE} En cours ou suspendues : 1 prélevée (37,50 €).",
        "apart", "Voir", "Prélevée le {due}, à confirmer", "Cette facture est prélevée",
        "prélevée le {due}, à confirmer", False, "Prélevée le {due}, à confirmer",
        "Cette facture sera prélevée automatiquement sur votre compte bancaire.", "en-cours", TWICE,
    ),
    "disputed": Row(
        "Contestation en cours", f"{NONE} En cours ou suspendues : 1 contestée (37,50 €).",
        "apart", "Voir", "Contestation en cours", "Cette facture est en cours d'examen",
        "contestation en cours", False, "Contestation en cours",
        "Le paiement en ligne est suspendu : cette facture fait l'objet d'une contestation.", "en-cours", TWICE,
    ),
    "sent to collection": Row(
        "Transmise au recouvrement", f"{NONE} En cours ou suspendues : 1 transmise au recouvrement (37,50 €).",
        "apart", "Voir", "Transmise au recouvrement", "Cette facture ne se règle plus en ligne",
        "transmise au recouvrement", False, "Transmise au recouvrement",
        "Cette facture a été transmise au comptable public pour recouvrement.", "en-cours", TWICE,
    ),
    "cancelled": Row(
        None, NOTHING, None, "", "Annulée", "Cette facture est annulée", None, False,
        "Annulée", "Cette facture a été annulée.", None, None,
    ),
    "not online": Row(
        "À régler pas de paiement en ligne", ONE, "due", "Voir", "À régler avant le {in_words}",
        "Cette facture ne se règle pas en ligne", "à régler avant le {in_words} (pas de paiement en ligne)", True,
        "À régler pas de paiement en ligne", NOT_ONLINE, "a-regler", "",
    ),
    "too late": Row(
        "En retard délai du paiement en ligne passé", ONE, "due", "Voir",
        "En retard : à régler depuis le {in_words}", "Le délai du paiement en ligne est passé",
        "à régler avant le {in_words} (délai du paiement en ligne passé)", True,
        "En retard délai du paiement en ligne passé",
        "La date limite du paiement en ligne est passée depuis le {in_words}.", "en-retard", "",
    ),
    "interrupted": Row(
        "À régler paiement en ligne interrompu", ONE, "due", "Voir", "À régler avant le {in_words}",
        "Le paiement en ligne est interrompu", "à régler avant le {in_words} (paiement en ligne interrompu)", True,
        "À régler paiement en ligne interrompu",
        "Le paiement en ligne de ce service est interrompu pour le moment. La mairie est prévenue.", "a-regler", "",
    ),
    "draft": Row(
        None, NOTHING, None, "", None, None, None, False,
        "En préparation", "Pas avant la publication.", None, None,
    ),
}  # fmt: skip
