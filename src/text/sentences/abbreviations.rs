//! Abbreviations that end with a full stop which does not end the sentence.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Continuation of the text after an abbreviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// A name or any other word: titles, "e.g.". The sentence goes on.
    Word,
    /// A number: "No. 5", "p. 3". Before a word the sentence may end.
    Number,
    /// A word, or the end of the sentence: "Inc.".
    Anything,
    /// The same, but no name: it closes an enumeration, and a capital begins a sentence ("etc.").
    End,
}

/// Abbreviations of every language: titles that are written alike in many, and English ones, which
/// other languages quote.
const ANY: &[(Follows, &str)] = &[
    (Follows::Word, "dr dra prof mr mrs ms mt sra srta st vs e.g i.e gen mme mlle"),
    (Follows::Number, "no nr nos n° nº p pp vol tel ext"),
    (Follows::End, "etc"),
    (Follows::Anything, "inc ltd corp co jr sr ph.d a.m p.m u.s u.k u.n e.u u.s.a d.c"),
];

/// Abbreviations by language.
const BY_LANGUAGE: &[(&str, Follows, &str)] = &[
    ("en", Follows::Number, "jan feb mar apr jun jul aug sep sept oct nov dec"),
    ("en", Follows::Number, "fig figs ch sec art par ca approx"),
    (
        "en",
        Follows::Word,
        "messrs supt det insp ft col capt cmdr lt sgt maj gov sen sens rep reps rev hon pres \
         adm cf atty asst",
    ),
    ("en", Follows::Anything, "bros llc plc b.c a.d dept est"),
    (
        "de",
        Follows::Word,
        "hr fr frl bzw z.b d.h o.ä vgl inkl evtl ggf sog geb gest gen dipl ing med jur phil rer \
         nat habil bspw insb insbes zzgl i.d.r z.t u.u m.e s.o s.u v.a ca mind dt engl franz ital \
         lat österr röm hrsg hg übers verst z.zt z.z z.hd kath ev a.d i.v i.a h.c o.g n.n p.a a.m \
         dr.-ing \
         dipl.-ing u.z i.allg ehem bzgl",
    ),
    (
        "de",
        Follows::Number,
        "abs bd jh jhd kap nr s tel zi ziff art aufl abb jan feb febr apr aug sept okt nov dez",
    ),
    (
        "de",
        Follows::Anything,
        "usw v.chr n.chr uvm u.v.m ag e.v mio mrd tsd str u.a u.ä u.dgl bill std min sek stk stck \
         etc",
    ),
    // As in German, nouns have capitals.
    ("lb", Follows::Anything, "etc"),
    (
        "nl",
        Follows::Word,
        "dhr mevr mw drs ir mr ds bijv bv m.b.t d.w.z o.a t.o.v i.p.v resp incl excl m.n z.g a.u.b \
         i.v.m n.a.v ing ca",
    ),
    ("nl", Follows::Number, "blz nr art tel max min"),
    ("nl", Follows::End, "enz e.d"),
    ("nl", Follows::Anything, "v.chr n.chr n.v b.v mln mld"),
    (
        "da",
        Follows::Word,
        "bl.a f.eks ca dvs fx hr fr hhv inkl ekskl iht jf mht pga vedr nr kl skt f.x o.a",
    ),
    ("da", Follows::Number, "kl nr kr pct stk tlf"),
    ("da", Follows::End, "osv o.l m.m"),
    ("da", Follows::Anything, "mv m.v f.kr e.kr mio mia mill"),
    ("no", Follows::Word, "bl.a f.eks ca dvs hr fr hhv inkl jf mht pga vedr nr kl st iflg"),
    ("no", Follows::Number, "kl nr kr pst tlf"),
    ("no", Follows::End, "osv o.l m.m"),
    ("no", Follows::Anything, "mv m.v f.kr e.kr mill mrd mio"),
    (
        "sv",
        Follows::Word,
        "bl.a t.ex d.v.s dvs s.k f.d ca hr fr inkl exkl jfr resp pga p.g.a bla tex kl nr fr.o.m \
         t.o.m fv",
    ),
    ("sv", Follows::Number, "kl nr kr tel sid max min"),
    ("sv", Follows::End, "m.m osv o.s.v m.fl"),
    ("sv", Follows::Anything, "f.kr e.kr milj mdr mkr tkr"),
    ("fi", Follows::Word, "esim mm ym ks ts n tri prof mr fil maist tohtori s.o vrt"),
    ("fi", Follows::Number, "klo nro n puh s"),
    ("fi", Follows::End, "jne"),
    ("fi", Follows::Anything, "yms ym ekr jkr milj mrd"),
    ("fr", Follows::Word, "m mm mme mlle me dr pr mgr ste cf c.-à-d p.ex ex env"),
    (
        "fr",
        Follows::Number,
        "n° art chap fig p pp t av apr vol tél janv févr avr juil sept oct nov déc",
    ),
    ("fr", Follows::Anything, "av.j.-c apr.j.-c"),
    (
        "es",
        Follows::Word,
        "ee sr sra srta sres d dña dr dra ud uds vd prof ing lic gral cnel sto sta excmo p.ej ej \
         avda fdo mons arq",
    ),
    (
        "es",
        Follows::Number,
        "núm n.º pág págs art párr párrf cap fig vol tel aprox cra ene feb mar abr ago sept set \
         oct nov \
         dic lun mié jue vie sáb dom",
    ),
    ("es", Follows::Anything, "ee.uu uu s.a a.c d.c mill"),
    ("pt", Follows::Number, "jan fev abr jun jul ago set out nov dez"),
    ("nl", Follows::Number, "jan feb mrt apr jun jul aug sept okt nov dec"),
    ("da", Follows::Number, "jan feb apr jun jul aug sept okt nov dec"),
    ("no", Follows::Number, "jan feb apr jun jul aug sept okt nov des"),
    ("sv", Follows::Number, "jan feb apr jun jul aug sept okt nov dec"),
    (
        "pt",
        Follows::Word,
        "sr sra srta srs dr dra prof profa d ex exmo exma eng arq p.ex av gen cel",
    ),
    ("pt", Follows::Number, "n.º nº pág págs art cap fig vol tel aprox"),
    ("pt", Follows::Anything, "ltda s.a a.c d.c"),
    (
        "it",
        Follows::Word,
        "sig sigg sig.ra dott dott.ssa prof avv ing arch on sen mons gen col cap ten p.es es cfr \
         ecc.mo s sig.na rag geom dir amm psicol egr spett gent.mo dott.ri",
    ),
    (
        "it",
        Follows::Number,
        "art n nn pag pagg p pp cap fig vol tel genn feb mar apr giu lug ago sett ott nov dic",
    ),
    ("it", Follows::End, "ecc"),
    ("it", Follows::Anything, "s.p.a s.r.l a.c d.c mln mld mil"),
    ("ro", Follows::Word, "dl d-l dna d-na dr prof ing gen col lt av acad conf sf str bd şos"),
    ("ro", Follows::Number, "nr art alin pag cap vol tel"),
    ("ro", Follows::Anything, "ș.a s.a s.r.l î.hr d.hr mil mld"),
    (
        "pl",
        Follows::Word,
        "ang niem franc łac wł dr hab prof mgr inż p ks św gen płk kpt por ppłk tzw tj np m.in ul \
         al os im ur zm wg sz pt woj pow gm ds zob red jw abp bp kard",
    ),
    ("pl", Follows::Number, "nr str s art godz ok poz t ust tel"),
    ("pl", Follows::End, "itd itp"),
    ("pl", Follows::Anything, "in zł p.n.e n.e r w tys mln mld godz proc min sek mkw"),
    (
        "cs",
        Follows::Word,
        "angl něm mgr ing bc judr mudr phdr rndr doc dr prof p pí sv tzv tj např resp popř gen plk \
         por tř ul nám kpt vč zn arch red okr",
    ),
    ("cs", Follows::Number, "max č čl str s odst sb cca tel hod obr kap tab vyd roč"),
    ("cs", Follows::End, "atd apod aj"),
    ("cs", Follows::Anything, "mj s.r.o a.s př.n.l n.l tis mil mld bil hod min"),
    (
        "sk",
        Follows::Word,
        "mgr ing bc judr mudr phdr rndr doc dr prof p sv tzv tj napr resp popr gen plk ul nám vr \
         zn arch red okr",
    ),
    ("sk", Follows::Number, "max min č čl str s ods zb cca tel hod obr kap tab vyd roč"),
    ("sk", Follows::End, "atď"),
    ("sk", Follows::Anything, "a pod s.r.o a.s tis mil mld hod min"),
    ("hr", Follows::Word, "dr prof mr g gđa sv tzv tj npr ul inž doc"),
    ("hr", Follows::Number, "br čl str st god tel"),
    ("hr", Follows::End, "itd sl"),
    ("hr", Follows::Anything, "i d.d d.o.o mil mlrd tis"),
    ("sl", Follows::Word, "dr prof mag g ga sv t.i tj npr ul inž doc"),
    ("sl", Follows::Number, "št čl str tel"),
    ("sl", Follows::End, "itd ipd"),
    ("sl", Follows::Anything, "d.d d.o.o mio mrd tis"),
    ("hu", Follows::Word, "dr ifj id özv prof pl ill ún vö stb.-vel st szt"),
    ("hu", Follows::Number, "kb kk old sz tel u"),
    ("hu", Follows::End, "stb"),
    ("hu", Follows::Anything, "kft zrt nyrt bt mrd"),
    ("tr", Follows::Word, "dr prof doç av sn bkz hz alb org.gen yrd cad sok mah apt"),
    ("tr", Follows::Number, "no sf s tel yy"),
    ("tr", Follows::End, "vb vd"),
    ("tr", Follows::Anything, "vs a.ş ltd şti m.ö m.s mn"),
    ("az", Follows::Word, "dr prof akad məs"),
    ("az", Follows::Anything, "s b.e.ə"),
    ("id", Follows::Word, "dr drs prof ir h hj tn ny sdr jl bpk kol letjen mayjen brigjen jend"),
    ("id", Follows::Number, "no hlm tel rp"),
    ("id", Follows::End, "dll dsb"),
    ("id", Follows::Anything, "dst tbk s.h m.h"),
    ("vi", Follows::Word, "ts ths gs pgs tp tx bs tt"),
    ("el", Follows::Word, "κ κα κκ δρ καθ π.χ δηλ βλ αγ αρ"),
    ("el", Follows::Number, "αρ αριθ σελ τηλ άρθρ τόμ"),
    ("el", Follows::End, "κ.λπ κλπ κ.ά κ.τ.λ"),
    ("el", Follows::Anything, "μ.χ α.ε μ.μ π.μ μμ πμ η.π.α εκατ δισ χιλ"),
    (
        "ru",
        Follows::Word,
        "г-н г-жа тов проф акад доц им ул пр пл пер д стр св т.е т.н т.к т.ж ген полк напр см \
         ср гр пос оз т.ч и.о обл р-н о пгт наб бул корп ред изд",
    ),
    ("ru", Follows::Number, "с стр рис табл гл ст п пп т тел ок"),
    ("ru", Follows::End, "т.д т.п др"),
    ("ru", Follows::Anything, "пр г гг в вв н.э руб коп тыс млн млрд долл чел кв мин сек км м кг"),
    (
        "uk",
        Follows::Word,
        "п пан проф акад доц ім вул просп пл св т.з т.зв напр див гр ген смт м с т.ч в.о обл р-н \
         оз о ред вид журн газ чл заст зав",
    ),
    ("uk", Follows::Number, "с стор рис табл ст п пп т тел ок"),
    ("uk", Follows::End, "т.д т.п ін"),
    ("uk", Follows::Anything, "р рр ст н.е грн коп тис млн млрд дол км год хв"),
    (
        "bg",
        Follows::Word,
        "г-н г-жа проф доц д-р инж акад ул бул св т.е т.нар т.н напр гр ген вж обл общ изд пл",
    ),
    ("bg", Follows::Number, "стр фиг табл чл ал т бр тел ок"),
    ("bg", Follows::End, "др"),
    ("bg", Follows::Anything, "т.н и г в лв ст хил млн млрд"),
    ("kk", Follows::Word, "т.б проф акад ж"),
    ("kk", Follows::Anything, "т.б т.с.с млн млрд"),
    ("hy", Follows::Word, "պրոֆ դոկտ"),
    ("he", Follows::Word, "פרופ"),
    ("hi", Follows::Word, "डॉ श्री सुश्री प्रो पं मि मिस सेन स्व कु कि.मी"),
    ("ml", Follows::Word, "ഡോ മി മിസ് പ്രൊ പ്രൊഫ ശ്രീ അഡ്വ ഫാ"),
    ("ta", Follows::Word, "டாக்டர் திரு திருமதி பேரா"),
    ("te", Follows::Word, "డా డాక్టర్ శ్రీ శ్రీమతి ప్రొ"),
    ("kn", Follows::Word, "ಡಾ ಶ್ರೀ ಶ್ರೀಮತಿ ಪ್ರೊ"),
    ("gu", Follows::Word, "ડૉ ડો શ્રી શ્રીમતી પ્રો"),
    ("mr", Follows::Word, "डॉ श्री श्रीमती प्रा सौ कै रु"),
    ("ne", Follows::Word, "डा श्री प्रा"),
    ("ka", Follows::Word, "წმ ბ-ნი ქ-ნი პროფ აკად იხ ე.წ ე.ი მაგ"),
    ("ka", Follows::Anything, "ა.შ"),
    ("ar", Follows::Word, "د أ م"),
    ("fa", Follows::Word, "دکتر"),
    ("ca", Follows::Word, "sr sra dr dra p.ex av pl"),
    ("ca", Follows::Number, "núm pàg art tel"),
    ("ca", Follows::Anything, "s.a a.c d.c mil"),
    ("lt", Follows::Word, "prof doc dr gerb g pr al pvz t.y vad vyr red š.m pan"),
    ("lt", Follows::Number, "nr p psl tel str"),
    ("lt", Follows::End, "t.t"),
    ("lt", Follows::Anything, "m d val min mėn mln mlrd tūkst pr.m.e"),
    ("lv", Follows::Word, "prof dr piem t.i t.s t.sk red"),
    ("lv", Follows::Number, "nr lpp tel plkst"),
    ("lv", Follows::End, "utt u.c u.tml"),
    ("lv", Follows::Anything, "milj mljrd tūkst"),
    ("et", Follows::Word, "nt hr pr dr prof s.t st sh vt nn n.ö"),
    ("et", Follows::Number, "nr lk tel kl"),
    ("et", Follows::End, "jne jms"),
    ("et", Follows::Anything, "mln mld tuh e.kr p.kr"),
    ("is", Follows::Word, "t.d þ.e þ.á.m m.a dr sr hr"),
    ("is", Follows::End, "o.s.frv"),
    ("is", Follows::Anything, "o.fl kr millj"),
    ("sr", Follows::Word, "др проф г гђа св тзв тј нпр ул инж доц dr prof tzv tj npr ul"),
    ("sr", Follows::Number, "бр чл стр тел br čl str tel"),
    ("sr", Follows::End, "итд itd"),
    ("sr", Follows::Anything, "год млн млрд мил god mil mlrd"),
    ("be", Follows::Word, "праф акад вул пр св т.зв напр гл в.а"),
    ("be", Follows::End, "і.г.д"),
    ("be", Follows::Anything, "г гг ст руб тыс млн млрд н.э"),
];

static TABLE: LazyLock<HashMap<(&str, &str), Follows>> = LazyLock::new(|| {
    let rows =
        ANY.iter().map(|&(follows, words)| ("", follows, words)).chain(BY_LANGUAGE.iter().copied());
    let mut table = HashMap::new();
    for (lang, follows, words) in rows {
        for word in words.split(' ') {
            // The first entry is the stricter one.
            table.entry((lang, word)).or_insert(follows);
        }
    }
    table
});

/// Whether the language has an abbreviation of several parts that begins so: `z` and `i.d` of "z.
/// B." and "i. d. R.".
pub(super) fn begins_with(lang: &str, parts: &str) -> bool {
    static BEGINNINGS: LazyLock<HashSet<(&str, &str)>> = LazyLock::new(|| {
        let keys = TABLE.keys().flat_map(|&(lang, word)| {
            word.match_indices('.').map(move |(at, _)| (lang, &word[..at]))
        });
        keys.collect()
    });
    let lang = if matches!(lang, "nb" | "nn") { "no" } else { lang };
    let beginnings: &HashSet<(&str, &str)> = &BEGINNINGS;
    beginnings.contains(&(lang, parts)) || beginnings.contains(&("", parts))
}

/// The continuation after a lower-case word and its full stop; `None` when the word is no
/// abbreviation of the language, nor of all languages.
pub(super) fn follows(lang: &str, word: &str) -> Option<Follows> {
    let lang = if matches!(lang, "nb" | "nn") { "no" } else { lang };
    let table: &HashMap<(&str, &str), Follows> = &TABLE;
    table.get(&(lang, word)).or_else(|| table.get(&("", word))).copied()
}
