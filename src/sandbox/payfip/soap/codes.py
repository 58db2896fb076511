"""The fault codes of the service and their texts (docs/payfip.md §2)."""

WORDS = {
    "P1": "IdOp incorrect.",
    "P3": "Redirection déjà effectuée.",
    "P4": "Délai de redirection dépassé.",
    "P5": "Résultat de la transaction non connu.",
    "R3": "Le format du paramètre REFDET n'est pas conforme",
    "A1": "Adresse mél manquante",
    "A2": "Adresse mél incorrecte.",
    "M1": "Le montant est incorrect",
    "M3": "Le montant est inférieur au minimum",
    "M5": "Le montant est supérieur au maximum",
    "T1": "Numéro client manquant ou incorrect",
    "T2": "Numéro client inconnu",
    "T4": "Client non actif pour ce service",
    "N1": "Adresse de notification incorrecte",
    "D1": "Adresse de retour incorrecte",
    "S1": "Type de saisie incorrect",
    "E1": "Exercice incorrect",
    "O1": "Objet incorrect",
}
GUESSED = ("E1", "O1")  # no document names the codes of these two refusals, so we chose them
