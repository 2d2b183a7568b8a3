//! The commonest words of languages: evidence for the language of a short text, and for the
//! beginning of a sentence.

use crate::text::hash::FixedMap;
use crate::types::Lang;
use std::sync::LazyLock;

/// Languages and their function words in lower case. Close relatives are distinguished by these
/// words, so each list holds the words in which they differ.
const WORDS: &[(&str, &str)] = &[
    (
        "af",
        "die en van is het nie in te wat dit om sy aan was met vir op hy ook sal kan word deur as \
         ons hulle maar een by na oor uit meer sê gesê baie hierdie wees",
    ),
    (
        "az",
        "və bu ilə bir üçün də olan o ki edib olub daha deyil görə ki hər də da ilə kimi onlar biz \
         siz mən bizim sonra çox isə idi onun olduğunu kimi hər həmin öz deyib bildirib edir qədər \
         artıq lakin əgər yalnız",
    ),
    (
        "bg",
        "на и за да се в от с е са по че не като това който която до които през си ще към при след \
         който беше или има още бъде също има той тя ни няма според между само след",
    ),
    (
        "be",
        "і ў не на што з да як гэта для па якія ад каб ён яна быў таксама але пра яго гэтага было \
         толькі калі пасля якая беларусі",
    ),
    (
        "ca",
        "de la i el que a els per les en un amb del una és no al es més va ha són com aquest \
         aquesta però també pel dels han fins ser seva seu anys entre perquè quan molt sobre",
    ),
    (
        "cs",
        "a v se na je že to s z do o i jako za by ve pro podle po ale které který jsou který byl \
         jeho od už která nebo při také však jsem bude není před jeho aby když ze byla bylo řekl \
         další mezi svou své svůj má ho mu jí jejich protože tak tím kde co ani ještě může mohou \
         měl několik proti až jen let roce uvedl musí této tohoto bez lidí první nové",
    ),
    (
        "cy",
        "y yn a i o ar yr ei mae ac wedi bod am gan fod sydd hwn oedd eu nad nid hefyd fel ond \
         ddim cael",
    ),
    (
        "da",
        "i og at af er det en til på for den med de som der har ikke et fra om han var sig efter \
         blev men kan vil være havde ved også skal mere nu hvor hun jeg havde ud blive efter \
         mellem over siger nogle hvad mod bliver blevet sagde sige nogen deres hende meget uden \
         gør lige selv måske sammen tidligere ifølge mand kvinder dag sidste anden andre siden \
         flere tilbage to tre os dig mig noget ind ned igen endnu gik fik inden skete tage give \
         både skulle ville kunne hele første samme altid aldrig hvem hvordan hvorfor sådan mænd \
         børn dansk danske får gik hans ifølge stadig derfor stået taget givet skulle kvinde \
         lørdag søndag år uge",
    ),
    (
        "de",
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es \
         an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so \
         zum war haben nur oder aber vor zur bis mehr durch man ich wir wurde diese dieser",
    ),
    (
        "el",
        "και το να του η της την με που των για από είναι στο θα στην τον οι σε τα ότι δεν μια \
         αυτό ένα έχει ήταν τους στη τις κατά ως μετά αλλά όπως πως",
    ),
    (
        "en",
        "the of and to in a is that for it was on with as he be by at are this have from or his \
         had not but which they an were has been said will their would who its she can more we you \
         about when also after there i if what one so up out",
    ),
    (
        "eo",
        "la de kaj en estas al por kiu ne kun ĝi sed oni kiel estis pri ankaŭ tiu unu aŭ tio ili \
         pli ĉiu havas mi vi iuj",
    ),
    (
        "es",
        "de la que el en y a los del se las por un para con una su no al es lo como más pero sus \
         le ya este ha sí porque esta son entre cuando muy sin sobre también me hasta hay donde \
         desde todo nos durante fue ser años según él",
    ),
    (
        "et",
        "ja on ei et ka see mis oli kui ta oma aga või kes nii siis seda ning oleks veel välja \
         tema olid pole mida üle pärast juba rohkem eesti ütles peale ma selle",
    ),
    (
        "eu",
        "eta da du ez ere bat izan zen dira dute dela baina egin hori dituzte beste egiten zuen \
         diren behar honek horrek",
    ),
    (
        "fi",
        "ja on ei että se oli hän myös ovat mutta joka kun kuin mukaan ole sen hänen ollut jos \
         niin tai vain jo nyt sitä olivat mitä jotka tämä sekä sanoi olisi jälkeen vielä kanssa \
         hän ne me minä eivät ennen koska tämän voi jossa joita sitten kuitenkin tässä siitä sillä \
         kaikki hänelle vuonna vuoden ensimmäinen toinen yksi kaksi saada sai silloin miten",
    ),
    (
        "fr",
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il \
         sont avec son ont été aux cette mais comme ses ou elle leur y fait deux même aussi après \
         entre ces sans était nous sa je selon être",
    ),
    (
        "fa",
        "و در به از که این را با است برای آن یک خود تا بر او هم نیز می شد شده اند های ها آنها گفت \
         کرد بود دارد باید پس اما وی",
    ),
    (
        "ar",
        "في من على أن إلى التي الذي هذا هذه كان مع عن لا ما بعد قد بين قال كما ذلك أو وقد إن كانت \
         هو هي لم خلال حتى غير",
    ),
    (
        "ur",
        "کے میں کی ہے اور سے کا کو نے پر یہ کہ ہیں اس بھی ایک تھا نہیں کیا ہو وہ کر جو گیا تھے تھی \
         لیے بعد کہا",
    ),
    ("ps", "د په چې او کې ته له دا سره هم شوي نه یې به وي دي خو"),
    (
        "hi",
        "के है में की से का और को पर ने यह कि एक हैं भी इस नहीं था लिए कर वह जो अपने तो कहा हो बाद \
         साथ उन्होंने किया थे रहे उनके गया थी इसके हुए मैं हम उस दो रहा गई होने",
    ),
    (
        "mr",
        "आहे आणि या व ते ही हे होते असे केली केला नाही तर त्या मध्ये करण्यात आले म्हणून साठी होता \
         आहेत की होती त्यांनी आता",
    ),
    (
        "ne",
        "छ र मा ले भएको पनि गरेको छन् लागि यो हो गर्न थियो भन्ने बाट तथा हुने गरे सहित अनुसार \
        गरी उनले भने",
    ),
    (
        "ga",
        "an agus na ar a le is go i sé atá bhí ag do siad nach don faoi ní chuig tá gur aige mar \
         sin",
    ),
    (
        "gl",
        "de a que o e do da en os un para con unha por no na as non máis dos ao é se súa como pero \
         foi das polo seu tamén pola nos esta este são entre despois está hai",
    ),
    (
        "hr",
        "i u je na se da za su od s a kako koji koje što bi će nije iz o ne koja ali biti do sve \
         bio može samo prema nakon te već kao ili još bila bilo također zbog gdje tijekom tko \
         rekao",
    ),
    (
        "hu",
        "a az és hogy nem is egy ez volt meg de csak szerint mint már el még vagy ki azt lesz \
         amely sem ha én után kell minden így pedig aki között ezt van között nagyon mert akkor \
         lehet amikor voltak majd ami több",
    ),
    (
        "id",
        "yang dan di dengan untuk dari dalam ini tidak itu pada akan juga ke karena bisa mereka \
         ada tersebut oleh saat telah kami lebih sebagai bahwa adalah saya menjadi orang tahun dia \
         sudah atau seorang kata tetapi setelah banyak para namun antara",
    ),
    (
        "is",
        "og að í á sem er til við um var með ekki en það af hann fyrir þess eru verið eftir hefur \
         segir frá þeir hún þetta ég sé upp",
    ),
    (
        "it",
        "di e il la che in a per un è del della non una i sono con le da si dei come più nel anche \
         al ha lo alla gli ma delle dal suo sua dalla questo essere stato hanno o loro tra quando \
         nella era dopo molto cui quello questa degli suoi anni ci",
    ),
    (
        "kk",
        "және бұл мен үшін деп да де болып бір осы ол қазақстан туралы еді болған жылы емес \
         бойынша оның кейін керек барлық бар деді екі олар көп бірақ өз қарай сондай жаңа жыл адам \
         ретінде арасында арқылы сол оны біз сіз мен ал жоқ тек енді егер қатар бірге айтты дейді \
         болады болатын еткен алған",
    ),
    (
        "jv",
        "lan ing sing iki saka kanggo karo uga ora ana dadi kang marang wis iku menyang bisa luwih \
         nalika tau",
    ),
    (
        "ku",
        "û li ji bi de ku di wê vê ne jî yên ew wî hat bû dike çi dibe xwe bo gelek hemû kurdî îro \
         got me nav hewl",
    ),
    (
        "ky",
        "жана бул менен үчүн деп эмес болуп ал бир болгон керек анын эле тууралуу дагы өз кийин деди",
    ),
    (
        "la",
        "et in est non cum ad ut sed qui quae quod ex ab esse sunt etiam atque enim hoc per quam",
    ),
    (
        "lt",
        "ir kad į iš su tai yra buvo bet kaip ne apie jo už dėl po nuo taip apie dar jis tik prie \
         kurie jau arba metų prieš būti pat pasak buvo iki tačiau kai gali kuris",
    ),
    (
        "lv",
        "un ir ka ar no uz par tas bija kas arī nav gan pēc tā kā lai bet pie vai to viņš tika \
         līdz vēl jau tikai gadā kurš savu teica būs tiek",
    ),
    (
        "mk",
        "на и во да се од за со е не што го дека ја ги ќе беше по како но тоа кој ова која сите \
         или биде ни при само може нема уште",
    ),
    (
        "ms",
        "yang dan di untuk dengan ini dalam kepada tidak itu pada adalah akan dari ialah kerana \
         telah beliau boleh oleh juga lebih mereka tersebut kata bagi sebagai negara bahawa \
         apabila selepas antara menerusi wang",
    ),
    (
        "mt",
        "li ta ma hija huwa għal biex minn dan din kif mhux kien għandu fuq dwar qal lil wara kienet \
         jew aktar qalet",
    ),
    (
        "nl",
        "de van het een in en is op dat te zijn voor met die niet aan er om als ook door maar bij \
         naar werd uit nog over tot heeft worden dan hij wordt meer hebben kan was zich deze of ze \
         wel geen haar onder ik we mijn hun wat omdat zei zou tegen na",
    ),
    (
        "no",
        "i og det er på som en for at å av til med de har ikke den om et fra var seg han men kan \
         vil etter ble være skal hun jeg opp ved også hadde over nå mer når bare hva eller ut må \
         mellom sier noen blir vi sin alle gjør mot to enn hvor dette vært blitt si deres henne \
         mye uten gjøre bli selv kanskje sammen tidligere ifølge mann kvinner dag siste annen \
         andre siden flere tilbake to tre hvordan oss deg meg noe inn ned igjen ennå gikk fikk \
         innen skjedde ta gi både skulle ville kunne hele første samme alltid aldri hvem hvorfor \
         slik slike menn barn norsk norske får hans ifølge stadig derfor stått tatt gitt kvinne \
         lørdag søndag år uke ikkje ein eit dei frå vert eg meir kva korleis nokon berre gjer \
         seier hadde samstundes",
    ),
    (
        "pl",
        "w i na z się do nie że to o jest za po jak od dla ale jego czy które przez oraz tym przed \
         także był co już być tego który są ich która tylko jako tak było ze może też pod podczas \
         jednak przy roku została powiedział",
    ),
    (
        "pt",
        "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das \
         à seu sua ou quando muito nos já eu também só pelo pela até isso ela entre depois sem \
         mesmo aos seus quem nas está foi são ser há anos você disse",
    ),
    (
        "ro",
        "de și în a la care cu că o pe nu din un se pentru mai este sunt fi ce al ca au fost am \
         sau dar lui fost după prin această acest ei ale între când dintre până doar ar într era \
         fără cum iar foarte spus astfel",
    ),
    (
        "ru",
        "и в не на что с он как это по но из у за от о для было был же его к до вы бы так мы или \
         также после она они только при была все еще ещё были если уже который этого чем сказал \
         когда их быть будет чтобы может нет более со во я",
    ),
    (
        "sk",
        "a v na sa je že do to s z o aj ako za by ktoré ktorý pre po ale podľa sú bol od už ktorá \
         alebo pri však som bude nie pred aby keď zo bola bolo jeho medzi vo viac len môže ešte \
         uviedol bude sme tiež boli jej svoju svoje mu ich pretože tak tým kde čo ani môžu mal \
         niekoľko proti až len rokov roku uviedla musí tejto tohto bez ľudí prvý nové povedal dnes \
         veľmi",
    ),
    (
        "sl",
        "in je na se da v za so ki pa ne z s kot tudi bi po do od bo še pri bil ali kar iz lahko \
         bila več to ter le jih med ko že tem samo pred zaradi kako smo nekaj",
    ),
    (
        "sq",
        "e të në dhe për me një që nga së më është nuk ka si do u kjo ai por ishte janë kanë edhe \
         ky pas pasi duke mund",
    ),
    (
        "sr",
        "и у је на се да за су од са а који не као што би ће из о није али до које која може само \
         према након већ или још била било ово овај",
    ),
    (
        "sv",
        "och i att det som en på är av för med till den har de inte om ett han men var jag från vi \
         så kan när sig efter vid nu hon också skulle där över ut upp vara eller hade alla under \
         mycket mot detta säger dem bli blev utan mer vad mellan har deras henne mycket själv \
         kanske tillsammans tidigare enligt kvinnor dag sista annan andra sedan fler flera \
         tillbaka två tre hur bara vid finns får säger sade sa år nya första ta göra gör ska få \
         alltid varit",
    ),
    (
        "sw",
        "na ya wa kwa ni katika za la kuwa cha hiyo huo watu baada hii alisema lakini wakati kama \
         yake nchi hilo",
    ),
    (
        "tk",
        "we bu bilen üçin bir hem diýip bolup onuň däl şeýle ýaly olar öz soň köp ýok ol näme diýdi \
         aýtdy edip",
    ),
    (
        "tl",
        "ang ng sa na mga at ay ni si para hindi ito siya kay mula may kanyang din ako nito nang \
         isang",
    ),
    (
        "tr",
        "ve bir bu da de için ile çok olarak daha olan gibi en sonra kadar ne ama ise değil var o \
         kendi olduğunu göre her olduğu ancak ya mi içinde dedi iki oldu zaman onun yeni diye önce \
         tarafından nasıl şey ben biz",
    ),
    (
        "tt",
        "һәм бу белән өчен дип түгел булып ул бер аның да өч булган кирәк турында шул соң диде әйтте",
    ),
    (
        "uk",
        "і в на що не з до та у за як для це його від про але після він є які був також або була \
         було ще який вже бути його вони чи під так коли яка того лише через між буде при вона я \
         ми",
    ),
    (
        "uz",
        "va bu bilan uchun bir ham deb edi kerak emas haqida bo'lgan bo'lib uning o'z yil qilish \
         qilgan bo'yicha esa shu keyin",
    ),
    (
        "vi",
        "và của là có các được trong cho một không người này với những đã khi đến từ ở về tại vào \
         ra sẽ năm đó cũng như ông để theo trên sau tôi bị nhiều hơn lại nhưng đang họ",
    ),
];

static LANGUAGES: LazyLock<LanguagesOf> = LazyLock::new(|| by_word(WORDS));

/// The languages of each word.
pub(super) type LanguagesOf = FixedMap<&'static str, Vec<&'static str>>;

/// Turns a table of languages and their words, divided by spaces, round.
pub(super) fn by_word(table: &'static [(&'static str, &'static str)]) -> LanguagesOf {
    let mut languages = LanguagesOf::default();
    for &(lang, words) in table {
        for word in words.split(' ') {
            let known = languages.entry(word).or_default();
            if !known.contains(&lang) {
                known.push(lang);
            }
        }
    }
    languages
}

/// Whether a lower-case word is a function word of a language.
pub fn is_function_word(word: &str, lang: &Lang) -> bool {
    languages(word).contains(&lang.base())
}

/// The languages (ISO 639) in which a lower-case word is a function word.
pub(in crate::text) fn languages(word: &str) -> &'static [&'static str] {
    LANGUAGES.get(word).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_lower_case_words() {
        for (lang, words) in WORDS {
            assert!(words.split(' ').all(|w| !w.is_empty() && w == w.to_lowercase()), "{lang}");
        }
        assert_eq!(languages("sagt"), [] as [&str; 0]);
        assert!(languages("og").contains(&"da") && languages("og").contains(&"no"));
    }
}
