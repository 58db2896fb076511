"""Warnings that come once per file, however many pieces they are about."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import ngettext

from tenant_apps.invoices.importing.records.kinds import RowProblem

_SHOWN = 8


@dataclass
class Told:
    """Counts pieces by what is said about them, and remembers the first names of each."""

    _met: dict[str, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, name: str) -> None:
        """`what`: a key of `_sentence`. `name`: of the piece, or an example to show."""
        self._counts[what] = self._counts.get(what, 0) + 1
        shown = self._met.setdefault(what, [])
        if len(shown) < _SHOWN:
            shown.append(name[:60])

    def warnings(self) -> Iterator[RowProblem]:
        """One warning for each thing that was met, in the order in which it was."""
        for what, shown in self._met.items():
            n = self._counts[what]
            more = ", …" if n > len(shown) else ""
            sentence = _sentence(what, n) % {"n": n, "pieces": ", ".join(shown) + more, "first": shown[0]}
            yield RowProblem(None, "", "", sentence, is_error=False)


def _sentence(what: str, n: int) -> str:
    match what:
        case "zero":
            return ngettext(
                "%(n)d pièce de 0,00 € ne demande rien à personne : elle est laissée de côté (%(pieces)s).",
                "%(n)d pièces de 0,00 € ne demandent rien à personne : elles sont laissées de côté (%(pieces)s).",
                n,
            )
        case "negative":
            return ngettext(
                "%(n)d pièce a un montant négatif : elle est laissée de côté (%(pieces)s).",
                "%(n)d pièces ont un montant négatif : elles sont laissées de côté (%(pieces)s).",
                n,
            )
        case "discount":
            return ngettext(
                "%(n)d pièce a une ligne de montant négatif, que la norme exclut : son total est gardé (%(pieces)s).",
                "%(n)d pièces ont une ligne de montant négatif, que la norme exclut : leur total est gardé "
                "(%(pieces)s).",
                n,
            )
        case "cancelled":
            return ngettext(
                "%(n)d titre est annulé par ce même fichier : il n'est pas mis en ligne (%(pieces)s).",
                "%(n)d titres sont annulés par ce même fichier : ils ne sont pas mis en ligne (%(pieces)s).",
                n,
            )
        case "reduced":
            return ngettext(
                "%(n)d titre est réduit par ce même fichier : sa facture a le montant qui reste (%(pieces)s).",
                "%(n)d titres sont réduits par ce même fichier : leur facture a le montant qui reste (%(pieces)s).",
                n,
            )
        case "paid":
            return ngettext(
                "%(n)d titre émis après paiement est déjà réglé : il est laissé de côté (%(pieces)s).",
                "%(n)d titres émis après paiement sont déjà réglés : ils sont laissés de côté (%(pieces)s).",
                n,
            )
        case "summary":
            return ngettext(
                "%(n)d titre récapitulatif ne demande rien à un usager : il est laissé de côté (%(pieces)s).",
                "%(n)d titres récapitulatifs ne demandent rien à un usager : ils sont laissés de côté (%(pieces)s).",
                n,
            )
        case "internal":
            return ngettext(
                "%(n)d écriture interne de la commune est laissée de côté (%(pieces)s).",
                "%(n)d écritures internes de la commune sont laissées de côté (%(pieces)s).",
                n,
            )
        case "raises":
            return ngettext(
                "%(n)d pièce augmente un titre déjà émis : elle n'est pas importée (%(pieces)s). Corrigez la facture "
                "d'origine, ou envoyez-la de nouveau avec son nouveau montant.",
                "%(n)d pièces augmentent un titre déjà émis : elles ne sont pas importées (%(pieces)s). Corrigez les "
                "factures d'origine, ou envoyez-les de nouveau avec leur nouveau montant.",
                n,
            )
        case "of_a_mandat":
            return ngettext(
                "%(n)d pièce corrige un mandat que la commune a payé, pas une facture : elle est laissée de côté "
                "(%(pieces)s).",
                "%(n)d pièces corrigent un mandat que la commune a payé, pas une facture : elles sont "
                "laissées de côté "
                "(%(pieces)s).",
                n,
            )
        case "no_first_name":
            return ngettext(
                "%(n)d personne n'a que son nom de famille et son adresse pour être reconnue : demandez à votre "
                "logiciel d'écrire RefTiers (%(pieces)s).",
                "%(n)d personnes n'ont que leur nom de famille et leur adresse pour être reconnues : demandez à votre "
                "logiciel d'écrire RefTiers (%(pieces)s).",
                n,
            )
        case "keys":
            return ngettext(
                "La clé (Cle2) de %(n)d pièce ne correspond pas à sa période et à son numéro de dette : "
                "votre logiciel "
                "coupe peut-être le mois. La référence de paiement est celle du fichier, que le Trésor a reçu "
                "(%(first)s) : comparez-la à un avis imprimé avant d'ouvrir le paiement en ligne.",
                "Les clés (Cle2) de %(n)d pièces ne correspondent pas à leur période et à leur numéro de "
                "dette : votre "
                "logiciel coupe peut-être le mois. Les références de paiement sont celles du fichier, que le Trésor a "
                "reçu (par exemple %(first)s) : comparez-en une à un avis imprimé avant d'ouvrir le paiement "
                "en ligne.",
                n,
            )
        case "products":
            return ngettext(
                "%(n)d pièce a plusieurs produits (CodProdLoc) : sa référence de paiement porte le premier "
                "(%(pieces)s).",
                "%(n)d pièces ont plusieurs produits (CodProdLoc) : leur référence de paiement porte le premier "
                "(%(pieces)s).",
                n,
            )
        case "part":
            return ngettext(
                "Le prélèvement de %(n)d pièce n'en couvre qu'une partie : la facture entière ne pourra pas "
                "être réglée "
                "en ligne (%(pieces)s).",
                "Le prélèvement de %(n)d pièces n'en couvre qu'une partie : ces factures ne pourront pas "
                "être réglées en "
                "ligne (%(pieces)s).",
                n,
            )
        case "titres":
            return ngettext(
                "La référence de paiement d'un titre est faite de l'exercice, du numéro et de la ligne (%(first)s) : "
                "comparez-la à un avis imprimé avant d'ouvrir le paiement en ligne.",
                "Les références de paiement des titres sont faites de l'exercice, du numéro et de la ligne "
                "(par exemple "
                "%(first)s) : comparez-en une à un avis imprimé avant d'ouvrir le paiement en ligne.",
                n,
            )
        case "own":
            return ngettext(
                "Le fichier ne donne pas de quoi composer la référence de paiement de %(n)d pièce : l'exercice et le "
                "numéro en tiennent lieu (%(pieces)s).",
                "Le fichier ne donne pas de quoi composer la référence de paiement de %(n)d pièces : l'exercice et le "
                "numéro en tiennent lieu (%(pieces)s).",
                n,
            )
        case "due":
            return ngettext(
                "Un PES ne dit pas jusqu'à quand payer : l'échéance de %(n)d facture est trente jours après "
                "l'envoi de "
                "l'avis. La provenance peut donner un autre délai.",
                "Un PES ne dit pas jusqu'à quand payer : l'échéance de %(n)d factures est trente jours après "
                "l'envoi de "
                "l'avis. La provenance peut donner un autre délai.",
                n,
            )
    raise LookupError(what)
