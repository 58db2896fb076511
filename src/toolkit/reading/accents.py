"""What French writes: by it one tells which of two readings of a word is the right one."""

import re
from collections.abc import Iterator

_FRENCH = frozenset("àâäçéèêëîïôöùûüÿœæñÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆÑ")
_FOREIGN = frozenset("áãåìíòóõøúýßšžÁÃÅÌÍÒÓÕØÚÝŠŽ")  # of people's names
_ALONE = frozenset("àôéÀÔÉÈÊ")  # letters that may be a word by themselves
# Words that only the right reading gives: titles of columns, months, places, first names.
_WORDS = (
    "numéro échéance civilité prénom régie référence libellé désignation émission intitulé école écoles élève "
    "élèves élémentaire préélémentaire périscolaire été février août décembre né née société médiathèque "
    "théâtre crèche garderie étude études forêt château église hôtel général générale allée résidence "
    "bâtiment étage côte rivière chêne chênes érables lycée collège cinéma musée activités déchets réglé "
    "prélevé prélèvement à où hélène michèle françois françoise noël noëlle benoît cédric zoé chloé béatrice "
    "andré andrée anaïs andréa aurélie aurélien cécile célia céline clémence clément danièle désiré édith "
    "éléonore élie éliane élisabeth élise éloïse élodie éric étienne ève fédéric frédéric frédérique gaël "
    "gaëlle gaétan geneviève gérald gérard grégoire grégory gwenaël héloïse hervé inès irène jérémie jérémy "
    "jérôme joël joëlle josé josée josiane léa léo léon loïc maël maëlle maëlys mélanie mélissa michaël "
    "mickaël mégane nathanaël nicolé océane pénélope raphaël raphaëlle rémi rémy rené renée salomé sébastien "
    "solène sévérine stéphane stéphanie théo théodore thérèse timothée valérie véronique yaël zélie légé "
    "lefèvre lefébvre hébert légère mémé père mère frère crédit débit état cœur sœur œuvre œuvres bœuf sacré "
    "sacré-cœur"
)
_KNOWN = frozenset(_WORDS.split())


def has_known_word(text: str) -> bool:
    """Whether it has a well-known French word with an accent."""
    return any(word.casefold() in _KNOWN for word in re.split(r"[^\w-]|['’]", text) if not word.isascii())


def signs_of(text: str) -> Iterator[bool | None]:
    """For each sign outside ASCII. True: French expects it there; False: it is possible; None: it is not."""
    for place, sign in enumerate(text):
        if not sign.isascii():
            before, after = text[place - 1 : place], text[place + 1 : place + 2]
            is_letter = sign.isalpha() and sign not in "ªº"
            yield (_letter if is_letter else _sign)(sign, before, after)


def _letter(sign: str, before: str, after: str) -> bool | None:
    if sign not in _FRENCH and sign not in _FOREIGN:
        return None
    if sign.isupper() and before.islower():
        return None
    if sign not in _ALONE and not before.isalpha() and not after.isalpha():
        return None
    if sign.islower() and before.isupper() and after.isupper():
        return False  # MICHéLE: programs of old leave accents in lower case
    return sign in _FRENCH


def _sign(sign: str, before: str, after: str) -> bool | None:
    """As `_letter`, for what is no letter."""
    inside = before.isalpha() and after.isalpha()
    if sign == "’":
        return inside or False
    if sign == "\u00a0":
        return not inside
    if sign in "€£":
        return None if before.isalpha() or after.isalpha() else True
    if sign in "°º":
        return True if before in ("N", "n") or before.isdigit() else None
    if sign in "²³":
        return True if before in ("m", "M") and not after.isalpha() else None
    if sign in "«“‘":
        return None if before.isalpha() else True
    if sign in "»”…":
        return None if after.isalpha() else True
    if sign in "–—•·´":
        return False
    if sign in "½¼¾®©™":
        return None if before.isalpha() or after.isalpha() else False
    return None
