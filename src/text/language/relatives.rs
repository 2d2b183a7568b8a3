//! Near relatives among languages, and words by which they are told apart that are no function
//! words: each is usual in the one and unusual or wrong in the others.

use super::function_words::{LanguagesOf, by_word};
use std::sync::LazyLock;

/// Languages and their telling words in lower case; a word may tell several from the rest.
const WORDS: &[(&str, &str)] = &[
    (
        "hr",
        "tjedan tjedna tjednu tjednima povijest povijesti povijesni tisuću tisuća tisuće vlak \
         vlaka znanost znanosti siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza \
         rujna listopada studenoga studenog prosinca priopćio priopćila priopćenju priopćenje \
         uvjeti uvjeta tko nitko netko svatko gospodarstvo gospodarstva nogomet glazba glazbe \
         sveučilište sveučilišta zrakoplov zračna europa europi europe europska europske \
         europskoj vijeće vijeća sustav sustava sukladno obavijest obavijesti izvješće izvješću \
         tijekom također promidžba postrojba nogometaš nogometaši kruh kruha zrak zraka \
         tvrtka tvrtke tvrtki zbroj prosvjed prosvjeda prosvjednici ravnatelj ravnateljica \
         sudionik sudionici kazneno razina razini vlakom svijet svijeta svijetu djeca djece djecu mlijeko mlijeka snijeg \
         snijega njemačka njemačke njemački njemačkoj rijeka rijeke cijena cijene cijenu mjesto \
         mjesta mjestu dvije uvijek gdje ovdje negdje čovjek čovjeka riječ riječi rješenje \
         ponedjeljak ponedjeljka srijeda srijedu nedjelja nedjelju pobjeda pobjede pobijedio \
         pobijedila promjena promjene promijenili uspjeh vrijeme",
    ),
    (
        "bs",
        "sedmica sedmice sedmicu sedmici historija historije historiju historijski historijska \
         kahva kahvu uopće općina općine općini lahko hiljadu hiljada saopćeno saopćio saopćila \
         saopćenju saopćenje kazao kazala kazali uradio uradila uraditi januara februara marta \
         augusta septembra oktobra novembra decembra evropa evropi evrope evropska evropske \
         vijeće uslovi obavještenje bosne hercegovine bosni bih entitet entiteta federacije \
         nauka nauke vremena također univerzitet univerziteta takođe voz sretan fabrika fabrike \
         fabriku fabrici uhapšen uhapšena uhapšeni tokom svijet svijeta svijetu djeca djece djecu mlijeko mlijeka snijeg \
         snijega njemačka njemačke njemački njemačkoj rijeka rijeke cijena cijene cijenu mjesto \
         mjesta mjestu dvije uvijek gdje ovdje negdje čovjek čovjeka riječ riječi rješenje \
         ponedjeljak ponedjeljka srijeda srijedu nedjelja nedjelju pobjeda pobjede pobijedio \
         pobijedila promjena promjene promijenili uspjeh vrijeme",
    ),
    (
        "sr",
        "vreme vremenu svet sveta svetu svetski svetska svetske uslovi uslova uslove hiljadu \
         hiljada hiljade saopštio saopštila saopštili saopštenju saopštenje saopšteno \
         obaveštenje obaveštenja obavešteni evropa evropi evrope evropska evropske evropskoj \
         šta niko neko svako predsednik predsednika predsednica deca dece decu lepo lepa mleko \
         mleka pre posle ovde gde negde nedelja nedelje nedelju sednica sednici sednice \
         bezbednost bezbednosti juče takođe opština opštine opštini vek veka reka reke čovek \
         čoveka januara februara avgusta septembra oktobra novembra decembra istorija istorije \
         istoriju nauka nauke ministarka srbije srbiji srpski srpske dve devojka devojke pesma \
         pesme video videla uspeh uspeha cena cene mesto mesta mestu deo dela delu rešenje \
         rešenja treba hteo htela smeo sledi sledeći sledeće primer primera zahtev zahteva \
         savet saveta odnos obezbediti promeni promenili promena promene voz voza fudbal hleb \
         uopšte opšti fudbaler fudbaleri pobeda pobede pobedu pobedio pobedili \
         odsto vazduh sreda sredu stepen uveče uhapšen uhapšena uhapšeni privreda privrede \
         privredi privredni privredne hleba hlebom fabrika fabrike fabriku fabrici platu sneg \
         snega lekara lekari lekova nemačka nemačke nemački nemačkoj poslednji poslednja \
         poslednje poslednjih verovatno osećaj oseća živeo želeo devojčica zamenik zamenika \
         izveštaj izveštaja izveštaju savetnik posetio poseta posete odeljenje procenjuje pretnja \
         pevač pevačica umesto ponedeljak ponedeljka sedište primena primenu tokom bezbedan \
         bezbedno obavestio obaveštava prestonica prestonici pešice peške povređen povređena \
         povređeni",
    ),
    ("sl", "povedal povedala povedali prišla prišli sneg snega poslednji poslednja poslednje hleb"),
    (
        "sk",
        "pretože budúci budúcom budúceho budúcej budúca budú uzavretý uzavretá uzavreté zatvorený \
         zatvorená zatvorené otvorený otvorená otvorené povedal povedala povedali polície políciu \
         deti detí detský kvôli ktorí ktorej ktorých ktorým ktorému týždeň týždňa týždni týždňov \
         mesiac mesiaca mesiacov nedeľa nedeľu piatok štvrtok utorok pondelok stredu apríl jún júl \
         ľudia ľuďom peniaze peňazí spoločnosť spoločne hovorca hovorkyňa nemocnica lekár lekári \
         obyvateľ obyvatelia obyvateľov riaditeľ riaditeľka učiteľ rozhodnutie vyhlásenie \
         podujatie počasie zdravie územie umenie prišiel prišla prišli odišiel našiel chcú majú \
         idú robiť hovoriť vidieť byť ísť menej najviac zajtra nikto niekto niečo prečo odkiaľ \
         okrem počas cez voči hoci keďže preto mužov žien rokov bolo mestá predseda predsedu \
         slovenska slovenský slovenskej",
    ),
    (
        "cs",
        "protože příští uzavřen uzavřena uzavřený zavřený zavřená otevřený řekla řekli policie \
         policii děti dětí kvůli kteří kterých kterým týden týdne týdnu měsíc měsíce měsíců neděle \
         neděli pátek čtvrtek úterý pondělí středu březen duben květen červen červenec říjen lidé \
         lidí peníze peněz společnost společnosti mluvčí nemocnice lékař lékaři obyvatelé obyvatel \
         ředitel ředitelka učitel rozhodnutí prohlášení počasí přišel přišla přišli odešel chtějí \
         mají dělat mluvit vidět být jít méně nejvíce zítra nikdo někdo něco proč kromě během přes \
         vůči jestli mužů žen budou jsou předseda česko česká české",
    ),
    (
        "da",
        "hedder af hvad nogen noget nogle meget mig dig sig ud blev blevet være sagde siger gør gøre \
         mand mænd kvinde skete sket tog spil lige kun mere bruge bruger uge bliver havde \
         spørgsmål oplyser fået nødt penge tilbage både behov bagefter mod måde måtte truer \
         synes altså",
    ),
    (
        "no",
        "heter hva noen noe mye meg deg etter ble blitt sier gjør gjøre mann menn skjedde skjer spill \
         bare bruke uke igjen fått penger måte virksomhet nå opplyser spørsmål dere flere \
         nødvendig politiet ønsker mens ikkje eit ein dei frå kva korleis nokon noko berre \
         seier hjå vart vore meir kvar kvifor eg dykk òg saman synest skal veit visste pengane \
         vorte",
    ),
    (
        "id",
        "jembatan bahwa karena bisa kamu anda adalah merupakan sedang mobil kantor uang sepeda \
         kapan kabar bisnis televisi rumah sakit polisi perusahaan pemerintah sekolah tapi saja \
         usianya mencetak gol tahun lalu pekan senin kamis jumat minggu maret april mei juni \
         juli agustus september november desember dikatakan mengatakan ujar jelas masing \
         menjadi menunjukkan lokasi bangunan kota daripada setelah semakin justru pertandingan \
         kulit melawan sebuah seorang para kini tim skor foto udara wanita pria saat ketika \
         sementara hingga dapat harus usai nanti senilai resmi",
    ),
    (
        "ms",
        "jambatan bahawa kerana boleh awak ialah beliau kereta wang basikal bila khabar perniagaan \
         hospital polis syarikat kerajaan sahaja menjaringkan isnin khamis jumaat ahad mac jun \
         julai ogos disember berkata ujarnya manakala menerusi mahupun sebarang turut \
         perlawanan menentang semasa sehingga mesti bandar bandaraya negara malaysia datuk seri \
         encik puan cik dibuat telah antara sesebuah mereka pelbagai pasukan kejohanan rm \
         program murid memaklumkan dimaklumkan",
    ),
    (
        "ja-Latn",
        "desu masu watashi watashitachi boku anata kanojo arigatou arigato gozaimasu konnichiwa \
         konbanwa ohayou ohayo sayonara namae kyou ashita kinou kudasai imasu arimasu shimasu \
         shimashita deshita mashita ikimasu tabemasu wakarimasen totemo hontou ogenki sensei \
         nihongo nihon sumimasen gomen",
    ),
    (
        "kk",
        "мен пен бен және үшін туралы емес бойынша деді қазақстан дейді болды болған тұр болып \
         еді жоқ кейін қарай",
    ),
    (
        "ky",
        "менен жана үчүн тууралуу эмес боюнча деди кыргызстан дейт болду болгон турат турган \
         болуп эле жок кийин карай эмне анын бул экен экени кыргыз жылы башка ал болот",
    ),
    ("mk", "денес луѓе луѓето веќе повеќе претседател претседателот министерот оваа бидејќи"),
    (
        "bg",
        "един днес хората вече повече президентът които която също министърът правителството бъде",
    ),
    ("ne", "हुनेछ गर्नेछ रहनेछ गरिनेछ जानेछ हुन्छ गर्छ छैन भएका गरेका उनीहरू बताए"),
    (
        "gl",
        "non unha unhas dous dixo dixeron polo coa súa tamén xa hai moi moito moitos diñeiro co \
         nenos nenas onte hoxe xente goberno mellor foron pechada pechado despois aínda máis",
    ),
    ("pt", "não uma dois disse pelo com sua também já há muito dinheiro"),
    ("nl", "een niet zijn werd worden hij zij heeft hebben gezegd deze kunnen wordt"),
    ("af", "die nie sy hy hulle gesê hierdie kan dat ek ons jy baie"),
    (
        "sv",
        "heter och att som inte är från efter också hade när bara mycket något någon själv hur vad \
         säger sade blev fått genom där här nu mer sedan ska skulle mellan eller är varit vid \
         utan många pengar polisen",
    ),
];

static LANGUAGES: LazyLock<LanguagesOf> = LazyLock::new(|| by_word(WORDS));

/// The languages that a lower-case word tells from their relatives.
pub(super) fn languages(word: &str) -> &'static [&'static str] {
    LANGUAGES.get(word).map_or(&[], Vec::as_slice)
}

/// Languages that are so close that the detection takes one for the other.
const CLOSE: &[&[&str]] = &[
    &["da", "no", "nb", "nn", "sv"],
    &["hr", "sr", "bs", "sh", "sl", "mk", "bg"],
    &["id", "ms", "jv"],
    &["cs", "sk"],
    &["es", "pt", "gl", "ca", "oc"],
    &["ru", "uk", "be"],
    &["zh", "yue"],
    &["tr", "az", "tk"],
    &["kk", "ky", "tt"],
    &["tn", "st"],
    &["xh", "zu"],
    &["af", "nl"],
    &["hi", "mr", "ne"],
    &["fa", "ps", "ur"],
];

/// Whether two languages, by their codes, are so close that the detection takes one for the other.
pub fn are_close(a: &str, b: &str) -> bool {
    a == b || CLOSE.iter().any(|group| group.contains(&a) && group.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_lower_case_and_known_by_their_language() {
        for (lang, words) in WORDS {
            for word in words.split(' ') {
                assert!(!word.is_empty() && word == word.to_lowercase(), "{lang}: {word}");
            }
        }
        assert_eq!(languages("tjedan"), ["hr"]);
        assert_eq!(languages("hiljadu"), ["bs", "sr"]);
    }
}
