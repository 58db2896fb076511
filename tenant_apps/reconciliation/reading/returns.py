"""Why a bank returns money: the codes of ISO 20022 (ExternalReturnReason1Code), in words."""

import re

from django.utils.translation import gettext_noop as _  # kept in rows: see toolkit.words

REASONS: dict[str, str] = {
    "AC01": _("le numéro de compte est faux"),
    "AC04": _("le compte est clos"),
    "AC06": _("le compte est bloqué"),
    "AC13": _("ce genre de compte ne se prélève pas"),
    "AG01": _("les prélèvements sont interdits sur ce compte"),
    "AG02": _("le code de l'opération est faux"),
    "AM02": _("le montant n'est pas autorisé"),
    "AM04": _("la provision est insuffisante"),
    "AM05": _("l'opération est en double"),
    "AM09": _("le montant reçu n'est pas celui qui était convenu"),
    "BE05": _("le créancier n'est pas reconnu"),
    "CNOR": _("la banque du créancier n'est pas joignable"),
    "CUST": _("à la demande du client"),
    "DNOR": _("la banque du débiteur n'est pas joignable"),
    "DUPL": _("l'opération est en double"),
    "ED05": _("le règlement entre les banques a échoué"),
    "FF01": _("le format de l'opération est faux"),
    "FOCR": _("à la suite d'une demande de rappel"),
    "FRAD": _("une fraude est signalée"),
    "LEGL": _("par décision de justice"),
    "MD01": _("aucun mandat de prélèvement n'existe"),
    "MD02": _("le mandat de prélèvement est incomplet ou faux"),
    "MD06": _("le débiteur a demandé le remboursement"),
    "MD07": _("le titulaire du compte est décédé"),
    "MS02": _("le débiteur a refusé, sans donner de motif"),
    "MS03": _("la banque ne donne pas de motif"),
    "RC01": _("le code de la banque (BIC) est faux"),
    "RR01": _("pour une raison réglementaire"),
    "RR02": _("pour une raison réglementaire"),
    "RR03": _("pour une raison réglementaire"),
    "RR04": _("pour une raison réglementaire"),
    "SL01": _("en raison d'un service de la banque du débiteur"),
    "SL11": _("le créancier n'est pas sur la liste autorisée par le débiteur"),
    "SL12": _("le débiteur a interdit ce créancier"),
    "TECH": _("pour une raison technique"),
    "UPAY": _("le paiement n'était pas dû"),
}
# Families of BkTxCd for money taken back: unpaid debit or cheque, reversal, return.
FAMILIES = frozenset({"UPDD", "UPCQ", "UPCT", "UPTC", "RRTN", "RPCR", "PRDD", "CQRV"})
_CODE = re.compile(r"\b(" + "|".join(REASONS) + r")\b")


def in_words(code: str, text: str = "") -> str:
    """« la provision est insuffisante (AM04) », or the bank's own words. `text` may contain the code."""
    found = code or (hidden[1] if (hidden := _CODE.search(text.upper())) else "")
    if found in REASONS:
        return f"{REASONS[found]} ({found})"
    return " ".join(filter(None, [text.strip(), f"({found})" if found else ""]))[:200]
