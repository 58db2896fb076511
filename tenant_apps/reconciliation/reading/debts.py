"""A titre as the Treasury names it, and what the codes of a PES return mean: French, kept in rows as it is written."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenant_apps.products.references import canonical

YEAR, BORDEREAU, PIECE, LINE = "exercice", "bordereau", "pièce", "ligne de la pièce"
NUMBER, PERIOD, PRODUCT, OBJECT = "numéro de dette", "période", "code produit", "objet"
TOTAL, DEBTOR, NAME, EMAIL = (
    "montant du titre",
    "code du débiteur",
    "débiteur",
    "e-mail connu de la trésorerie",
)
DAY, AMOUNT, ORIGIN = "date", "montant", "origine"
STATE, REASON, REMARK = "état", "motif", "commentaire du comptable"

ONLINE = "10"
MONEY = frozenset({"01", "02", "03", ONLINE})
TO_REGULARISE = frozenset({"04", "05"})  # TypBord: money without a titre (P503, régularisation)
# OrgEma (TOrgEma of the schema) → in words
_ORIGINS = {
    "01": "encaissement avant émission du titre",
    "02": "encaissement",
    "03": "flux d'encaissement, hors paiement en ligne",
    "04": "mandat correctif",
    "05": "mandat",
    "06": "admission en non-valeur",
    "07": "titre correctif",
    "08": "titre",
    "09": "annulation de frais ou d'un acte de poursuite",
    ONLINE: "paiement en ligne",
    "11": "encaissement technique",
    "12": "divers",
}
NO_MONEY = {code: _ORIGINS[code] for code in ("06", "07", "09", "11")}
REJECTED, HELD, SETTLED = "titre rejeté", "titre en instance", "titre soldé, sans détail"
STATES = {"01": HELD, "04": REJECTED}  # EtatPce
LINE_STATES = {"01": REJECTED, "03": HELD}  # EtatLigPce
NOT_INCOME = frozenset({REJECTED, HELD, SETTLED, *NO_MONEY.values()})
# ObsEtat (TObsEtat of the schema) → in words
_REASONS = {
    "01": "absence de caractère exécutoire",
    "02": "absence d'indication de la créance",
    "03": "absence d'indication du débiteur",
    "04": "imputation budgétaire erronée",
    "05": "prescription",
    "06": "autres",
    "07": "absence de référence à la pièce d'origine",
    "08": "type de bordereau inexistant",
    "09": "exercice du bordereau non ouvert",
    "10": "bordereau sans date d'émission",
    "11": "montant du bordereau incohérent",
    "12": "bordereau sans signature",
    "13": "absence de TVA pour une collectivité assujettie",
    "14": "incompétence du donneur d'ordre",
    "15": "pièces justificatives insuffisantes",
    "16": "pièces justificatives absentes ou invalides",
    "17": "domiciliation bancaire absente ou erronée",
    "18": "numéro de bordereau en double",
    "19": "complément d'information nécessaire",
    "20": "attente du titre récapitulatif",
    "21": "titre incomplet",
    "22": "exercice du rôle clôturé",
    "23": "numéro de rôle non unique",
    "24": "exercice du rôle initial clôturé",
    "25": "rôle initial inexistant",
    "26": "rôle initial non pris en compte",
    "27": "date de prélèvement incorrecte",
    "28": "numéro d'article non unique",
    "29": "date de l'avis des sommes à payer incorrecte",
    "30": "code produit inconnu",
    "31": "SIRET de la collectivité bénéficiaire inexistant",
    "32": "collectivité non assujettie à la TVA",
    "33": "montant majorable",
    "34": "montant du prélèvement",
    "35": "domiciliation erronée",
    "36": "domiciliation inexistante",
    "37": "rapprochement impossible avec le rôle",
    "38": "forçage accordé par l'ordonnateur",
    "39": "forçage accordé par le responsable du poste comptable",
    "40": "forçage à accorder par l'ordonnateur",
}


def origin_in_words(code: str) -> str:
    """« paiement en ligne (10) »."""
    return f"{_ORIGINS.get(code, 'origine inconnue')} ({code[:10] or '–'})"


def reasons_in_words(codes: str) -> str:
    """« 03-15 » → « absence d'indication du débiteur (03), pièces justificatives insuffisantes (15) »."""
    found = dict.fromkeys(code.strip() for code in codes.split("-") if code.strip())
    return ", ".join(f"{_REASONS[code]} ({code})" if code in _REASONS else code[:60] for code in found)


@dataclass(frozen=True)
class Debt:
    """The titre, or the article of a rôle, that a row is about. All texts as the Treasury writes them."""

    year: str
    bordereau: str
    piece: str
    line: str
    number: str
    period: str
    product: str
    total: str
    debtor: str
    name: str
    online: bool

    @classmethod
    def of(cls, raw: Mapping[str, str]) -> "Debt":
        """From the cells of a row."""
        return cls(
            year=raw.get(YEAR, ""),
            bordereau=raw.get(BORDEREAU, ""),
            piece=raw.get(PIECE, ""),
            line=raw.get(LINE, ""),
            number=raw.get(NUMBER, ""),
            period=raw.get(PERIOD, ""),
            product=raw.get(PRODUCT, ""),
            total=raw.get(TOTAL, ""),
            debtor=raw.get(DEBTOR, ""),
            name=raw.get(NAME, ""),
            online=raw.get(ORIGIN, "").endswith(f"({ONLINE})"),
        )

    @property
    def reference(self) -> str:
        """The payment reference that the Treasury prints for an article of a rôle; empty for a titre."""
        return next(iter(self.references()), "")[:40] if self.number else ""

    def references(self, prefixes: Iterable[str] = ("",)) -> list[str]:
        """The payment references that only this debt may have (docs/payfip.md §1).

        `prefixes`: what the town's sources write before the number of a debt.
        """
        if self.number:
            periods = dict.fromkeys([self.period, self.period.zfill(2)])
            heads = [f"{self.year}{self.product[:2]}{period}" for period in periods]
            numbers = dict.fromkeys([self.number, self.number.lstrip("0")])
            found = [f"{head}{prefix}{number}" for head in heads for prefix in prefixes for number in numbers]
        elif self.piece:
            lines = dict.fromkeys([self.line, "1"])
            found = [f"{self.year}{self.piece.zfill(8)}{line.zfill(6)}" for line in lines]
        else:
            found = []
        return list(dict.fromkeys(canonical(one) for one in found))

    def like_references(self) -> list[str]:
        """References that the titre may have, but also an invoice of a régie: they are short and of digits only."""
        if self.number or not self.piece:
            return []
        return [canonical(f"{self.year}{self.piece}{self.line}"), canonical(f"{self.year}{self.piece}")]

    def numbers(self, prefixes: Iterable[str] = ("",)) -> list[str]:
        """The numbers that the invoice of this debt may have."""
        if self.number:
            found = [prefix + one for prefix in prefixes for one in (self.number, self.number.lstrip("0"))]
            found.append(f"{self.bordereau}-{self.number}")
        elif self.piece:
            found = [
                self.piece,
                f"{self.bordereau}-{self.piece}",
                f"{self.year}-{self.bordereau}-{self.piece}",
            ]
        else:
            found = []
        return [one for one in dict.fromkeys(found) if one]

    def in_words(self) -> str:
        """« Dette 4101, rôle 57 de 2026 », « Titre 813, bordereau 120 de 2026 »."""
        if self.number:
            return f"Dette {self.number}, rôle {self.bordereau} de {self.year}"
        if self.piece:
            return f"Titre {self.piece}, bordereau {self.bordereau} de {self.year}"
        return f"Bordereau {self.bordereau} de {self.year}"


def agree(one: str, other: str) -> bool:
    """Whether two codes of a person are the same, but for case and leading zeros."""
    return bare(one) == bare(other) != ""


def bare(code: str) -> str:
    """A person's code as it is compared."""
    return re.sub(r"[\W_]+", "", code).upper().lstrip("0")
