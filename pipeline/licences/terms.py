"""What a licence's name says, in any of its spellings: the conditions of a Creative Commons licence, or a restriction.

Two readings of one text, which err on different sides. :func:`restrictions` finds anything that limits, anywhere in the
text, however it is spelled, hyphened or glued together. :func:`creative_commons` knows a licence only where every word
of the text belongs to its name.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

BY, NC, ND, SA = "by", "nc", "nd", "sa"
ELEMENTS = (BY, NC, ND, SA)
PLUS = "+"


@dataclass(frozen=True, slots=True)
class CreativeCommons:
    """A Creative Commons licence: its elements in their order, none for CC0 and for the mark of the public domain.

    ``version``: as ``4.0``; None where the text names none.
    """

    elements: tuple[str, ...]
    version: str | None
    mark: bool = False

    @property
    def spdx(self) -> str | None:
        """Its SPDX identifier; None without a version, and for the mark, which has none."""
        if self.version is None or self.mark:
            return None
        return f"CC-{'-'.join(self.elements).upper()}-{self.version}" if self.elements else f"CC0-{self.version}"


# Each restriction by what is left of its words when letters alone are kept, without accents, in the languages in which
# Creative Commons publishes its names most often. A text that merely holds one of these is held back.
_NO_DERIVATIVES = re.compile(
    r"n[o0]n?deriv|withoutderiv|noadapt|noremix|n[o0]tremix|nomodif|unmodified|verbatim|nochanges|noalter|noedit"
    r"|keinebearbeitung|ohnebearbeitung|sinobras?deriv|sinderiv|semderiv|semobras?deriv|nonoperederiv|nooperederiv"
    r"|pasdemodif|sansmodif|geenafgeleide|inga?bearbetning|bezutwor|cc(?:by|nc|sa)*nd|by(?:nc|sa)*nd(?![a-z]{3})"
)
_NOT_COMMERCIAL = re.compile(
    r"n[o0]n?t?(?:for)?(?:any)?com?mercial|notforprofit|nonprofit|nichtkommerz|keinekommerz|nocomercial|naocomercial"
    r"|pasdutilisation|nietcommercieel|uzycieniekomercyjne|ickekommersiell|noncommerciale|cc(?:by|nd|sa)*nc"
)
_LIMIT_WORDS = frozenset(
    (
        *("no", "not", "non", "never", "cannot", "without", "only", "except", "excluding", "unless", "until", "but"),
        *("personal", "private", "educational", "editorial", "evaluation", "preview", "promo", "promotional", "demo"),
        *("limited", "restricted", "restrictions", "restriction", "prohibited", "forbidden", "exclusive", "trial"),
        *("permission", "ask", "contact", "streaming", "download", "sampling", "some", "fair", "paid", "pay", "buy"),
        *("nicht", "kein", "keine", "nur", "pas", "sans", "sin", "solo", "sem", "niet", "alleen", "seulement"),
    )
)
_RESERVED = re.compile(
    r"all ?rights? ?reserved|alle ?rechte ?vorbehalten|tous ?droits ?reserves|todos ?los ?derechos ?reservados"
    r"|todos ?os ?direitos ?reservados|tutti ?i ?diritti ?riservati|\bcopyright(?:ed)?\b|^c\b(?! ?c\b)|proprietary"
)
_JURISDICTIONS = frozenset(
    (
        *(
            "ar",
            "at",
            "au",
            "az",
            "be",
            "bg",
            "br",
            "ca",
            "ch",
            "cl",
            "cn",
            "co",
            "cr",
            "cz",
            "de",
            "dk",
            "ec",
            "ee",
            "eg",
        ),
        *(
            "es",
            "eu",
            "fi",
            "fr",
            "ge",
            "gr",
            "gt",
            "hk",
            "hr",
            "hu",
            "ie",
            "igo",
            "il",
            "in",
            "it",
            "jo",
            "jp",
            "kr",
            "lu",
        ),
        *(
            "mk",
            "mt",
            "mx",
            "my",
            "nl",
            "nz",
            "pe",
            "ph",
            "pl",
            "pr",
            "pt",
            "ro",
            "rs",
            "ru",
            "se",
            "sg",
            "si",
            "th",
            "tw",
        ),
        *("ua", "ug", "uk", "us", "usa", "ve", "vn", "za"),
        *(
            "argentina",
            "australia",
            "austria",
            "azerbaijan",
            "belgium",
            "brazil",
            "bulgaria",
            "canada",
            "chile",
            "china",
        ),
        *("colombia", "croatia", "czech", "republic", "denmark", "ecuador", "estonia", "finland", "france", "germany"),
        *("greece", "guatemala", "hungary", "india", "ireland", "israel", "italy", "japan", "jordan", "korea"),
        *("luxembourg", "macedonia", "malaysia", "malta", "mexico", "netherlands", "new", "zealand", "norway", "peru"),
        *("philippines", "poland", "portugal", "romania", "russia", "scotland", "serbia", "singapore", "slovenia"),
        *("south", "africa", "spain", "sweden", "switzerland", "taiwan", "thailand", "uganda", "ukraine", "united"),
        *("kingdom", "england", "wales", "states", "venezuela", "vietnam", "deutschland", "osterreich", "schweiz"),
        *("suisse", "espana", "italia", "brasil", "polska", "belgique", "nederland", "sverige", "norge", "danmark"),
    )
)
_FILLERS = frozenset(
    (
        *("license", "licence", "licensed", "licenced", "lizenz", "licencia", "licenca", "licenza", "licentie", "the"),
        *("international", "unported", "generic", "universal", "deed", "legalcode", "public", "version", "v", "ver"),
        *("under", "a", "an", "this", "is", "work", "track", "music", "of", "and", "terms", "reuse", "allowed"),
        *("dedication", "internacional", "internazionale", "self", "unter", "lizenz"),
    )
)
# Long names become symbols in capitals; short ones ("by", "nc") stay as they are.
_SYMBOLS = (
    (r"\bcreative ?commons?\b", "CC"),
    (r"\baka music sharing\b", ""),
    (r"\bno ?rights ?reserved\b", "ZERO"),
    (r"\b(?:no|non|without) ?deriv\w*(?: works?)?", "ND"),
    (r"\bkeine ?bearbeitung(?:en)?", "ND"),
    (r"\bsin ?(?:obras? ?)?derivad\w*", "ND"),
    (r"\bsem ?(?:obras? ?)?deriva\w*", "ND"),
    (r"\bnon ?opere ?derivate|\bpas de ?modifications?", "ND"),
    (r"\b(?:no|non|not)(?: for)? ?com+(?:erc\w*|\b)(?: use)?", "NC"),
    (r"\bnicht ?kommerziell|\bno ?comercial|\bnao ?comercial|\bpas d ?utilisation commerciale", "NC"),
    (r"\bshare ?alike|\bweitergabe unter gleichen bedingungen|\bcompartir ?igual|\bcompartilha ?igual", "SA"),
    (r"\bpartage dans les memes conditions|\bcondividi allo stesso modo", "SA"),
    (r"\battribution|\bnamensnennung|\breconocimiento|\batribucion|\battribuzione|\batribuicao|\bpaternite", "BY"),
    (r"\bpublic ?domain(?: mark)?|\bpdm?\b", "MARK"),
    (r"\b(?:cc|CC) ?(?:zero|0)\b(?!\.\d)", "ZERO"),
    (r"(?<=\d) no$", ""),  # Norway: the last word, after a version
)
_AGE_OF_PUBLIC_DOMAIN = frozenset(("old", "self", "author", "expired", "gov", "usgov", "50", "70", "80", "100"))
_GLUED = re.compile(r"(?:cc)?(?:by|nc|nd|sa)+")
_ADDRESS = re.compile(
    r"(?:https?:)?(?://)?(?:www\.)?creativecommons\.org/(?P<kind>licen[sc]es?|publicdomain)/(?P<name>[a-z0-9+-]+)"
    r"(?:/(?P<version>\d(?:\.\d+)?))?(?P<rest>[/?#][^\s)\]>\"',;]*)?",
    re.IGNORECASE,
)


def words_of(text: str) -> str:
    """Lower-case words and numbers, one blank between them; accents are dropped, camelCase is taken apart."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    plain = re.sub(r"[©℗]", " copyright ", plain)
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    plain = re.sub(r"(?<=\d)\.(?=\d)", "\0", plain.lower())
    return " ".join(re.findall(r"[a-z]+|\d+(?:\0\d+)*", plain)).replace("\0", ".")


@lru_cache(maxsize=1024)
def restrictions(text: str) -> frozenset[str]:
    """``nd``, ``nc`` and ``limits`` (some other word that restricts), wherever the text says so."""
    words = words_of(text)
    letters = re.sub(r"[^a-z0]", "", words)
    found = set()
    split = set(words.split())
    glued = [word for word in split if _GLUED.fullmatch(word)]
    if _NO_DERIVATIVES.search(letters) or any(ND in _elements(word) for word in glued):
        found.add(ND)
    if _NOT_COMMERCIAL.search(letters) or any(NC in _elements(word) for word in glued):
        found.add(NC)
    if split & _LIMIT_WORDS or PLUS in text:
        found.add("limits")
    return frozenset(found)


def is_reserved(text: str) -> bool:
    """True for a text that states copyright and grants nothing."""
    return _RESERVED.search(words_of(text)) is not None


@lru_cache(maxsize=1024)
def creative_commons(text: str) -> CreativeCommons | None:
    """The Creative Commons licence that a text names, by its address, title or short name; None for any other text."""
    addresses = list(_ADDRESS.finditer(text))
    if addresses:
        found = {_of_address(match) for match in addresses}
        rest = _ADDRESS.sub(" ", text)
        named = _of_words(words_of(rest)) if words_of(rest) else None
        if len(found) != 1 or None in found or (words_of(rest) and named is None):
            return None
        (licence,) = found
        return licence if named is None or named.elements == (licence.elements if licence else ()) else None
    return _of_words(words_of(text))


def _of_address(match: "re.Match[str]") -> CreativeCommons | None:
    before = match.string[: match.start()]
    if before and not before[-1].isspace() and before[-1] not in "([<\"':":
        return None  # another host, with this one in its path
    name, version = match["name"].lower(), match["version"]
    if match["kind"].lower() == "publicdomain" or name == "publicdomain":
        if name in ("zero", "mark", "publicdomain"):
            return CreativeCommons((), version, mark=name != "zero")
        return None
    elements = name.split("-")
    return _licence(elements, version) if set(elements) <= set(ELEMENTS) else None


def _of_words(words: str) -> CreativeCommons | None:
    for pattern, symbol in _SYMBOLS:
        words = " ".join(re.sub(pattern, f" {symbol} ", words).split())
    elements: list[str] = []
    versions, symbols = set(), set()
    for word in words.split():
        if word.isupper():
            symbols.add(word)
        elif _GLUED.fullmatch(word):
            elements += _elements(word)
            symbols |= {"CC"} if word.startswith("cc") else set()
        elif word == "cc":
            symbols.add("CC")
        elif re.fullmatch(r"[1-4]\.[0-9]|[1-4][05]?", word):
            versions.add(word if "." in word else f"{word[0]}.{word[1:] or '0'}")
        elif word not in _FILLERS | _JURISDICTIONS and not ("MARK" in symbols and word in _AGE_OF_PUBLIC_DOMAIN):
            return None
    named = symbols & {"BY", "NC", "ND", "SA"}
    elements += [symbol.lower() for symbol in named]
    version = next(iter(versions)) if len(versions) == 1 else None
    if symbols & {"ZERO", "MARK"}:
        return None if elements else CreativeCommons((), version, mark="ZERO" not in symbols)
    # "by" alone is a word of any sentence.
    known = BY in elements and ("CC" in symbols or "BY" in symbols or len(elements) > 1)
    return _licence(elements, version) if known else None


def _elements(word: str) -> list[str]:
    letters = word.removeprefix("cc")
    return [letters[i : i + 2] for i in range(0, len(letters), 2)]


def _licence(elements: list[str], version: str | None) -> CreativeCommons:
    return CreativeCommons(tuple(e for e in ELEMENTS if e in elements), version)
