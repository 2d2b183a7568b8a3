//! What kinds of text are taken for which language.

use super::detect;
use crate::types::Lang;

fn all_are(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|&(code, text)| (code, text, detect(text)))
        .filter(|(code, _, found)| found.code.as_str() != *code)
        .map(|(code, text, found)| format!("{code}: {text}: {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn near_relatives_have_words_and_letters_of_their_own() {
    all_are(&[
        ("sr", "Predsednik je juče rekao da će vlada usvojiti zakon o bezbednosti saobraćaja."),
        ("sr", "Deca su u školi učila o istoriji sveta, a posle časa su pevala."),
        ("sr", "Председник је јуче рекао да ће влада усвојити закон о безбедности."),
        ("hr", "Predsjednik je jučer rekao da će vlada usvojiti zakon o sigurnosti prometa."),
        ("hr", "U tjednu koji dolazi vlak iz Zagreba vozit će tisuću putnika."),
        ("bs", "Općina je saopćila da će historijski muzej raditi i sljedeće sedmice u julu."),
        ("sl", "Predsednik je včeraj povedal, da bo vlada sprejela zakon o varnosti v prometu."),
        ("da", "Hun sagde, at hun ikke vidste, hvad der var blevet af pengene."),
        ("no", "Hun sa at hun ikke visste hva som hadde blitt av pengene."),
        ("no", "Ho sa at ho ikkje visste kva som hadde vorte av pengane."),
        ("sv", "Hon sade att hon inte visste vad som hade blivit av pengarna."),
        ("id", "Dia mengatakan bahwa uang itu tidak bisa diambil karena kantor sedang tutup."),
        ("ms", "Beliau berkata wang itu tidak boleh diambil kerana pejabat sedang ditutup."),
        ("cs", "Řekla, že neví, co se s penězi stalo, protože tam nebyla."),
        ("sk", "Povedala, že nevie, čo sa s peniazmi stalo, pretože tam nebola."),
        ("sk", "Vláda schválila zákon, pretože rozpočet na budúci rok je v strate."),
        ("sk", "Lanovka je zatvorená."),
        ("sk", "Most bude uzavretý celý rok."),
        ("sk", "Polícia zadržala dvoch mužov."),
        ("sk", "Deti išli včera do školy peši."),
        ("cs", "Lanovka je zavřená."),
        ("cs", "Policie zadržela dva muže."),
        ("sr", "Uveče je u sredu uhapšen jedan muškarac."),
        ("sr", "Ministar privrede je obišao fabriku."),
        ("hr", "Djeca su jučer išla pješice u školu."),
        ("gl", "Os nenos foron onte á escola a pé."),
        ("bg", "Тя каза, че не знае какво се е случило с парите."),
        ("mk", "Таа рече дека не знае што се случило со парите."),
        ("gl", "Ela dixo que non sabía o que acontecera co diñeiro da cidade."),
        ("pt", "Ela disse que não sabia o que tinha acontecido com o dinheiro da cidade."),
        ("es", "Ella dijo que no sabía qué había pasado con el dinero de la ciudad."),
        ("ca", "Ella va dir que no sabia què havia passat amb els diners de la ciutat."),
        ("oc", "Ela diguèt que sabiá pas çò qu'èra arribat amb l'argent de la vila."),
        ("af", "Sy het gesê dat sy nie weet wat met die geld gebeur het nie."),
        ("nl", "Ze zei dat ze niet wist wat er met het geld was gebeurd."),
        ("uk", "Вона сказала, що не знає, що сталося з грошима."),
        ("ru", "Она сказала, что не знает, что случилось с деньгами."),
        ("be", "Яна сказала, што не ведае, што здарылася з грашыма."),
        ("hi", "उसने कहा कि उसे नहीं पता कि पैसों का क्या हुआ।"),
        ("mr", "ती म्हणाली की पैशांचे काय झाले ते तिला माहीत नाही."),
        ("ne", "उनले पैसा के भयो थाहा छैन भनिन्।"),
        ("fa", "او گفت نمی‌داند چه بر سر پول آمده است."),
        ("ur", "اس نے کہا کہ وہ نہیں جانتی کہ پیسوں کا کیا ہوا۔"),
        ("ar", "قالت إنها لا تعرف ماذا حدث للمال."),
        ("ps", "هغې وویل چې نه پوهېږي له پیسو سره څه شوي دي."),
        ("az", "O dedi ki, pulun başına nə gəldiyini bilmir."),
        ("tr", "Paranın başına ne geldiğini bilmediğini söyledi."),
        ("uz", "U pulga nima bo'lganini bilmasligini aytdi."),
        ("kk", "Ол ақшаға не болғанын білмейтінін айтты."),
        ("ky", "Ал эмне болгонун билбейт жана бул тууралуу айткан жок деди."),
        ("tt", "Ул акчага нәрсә булганын белмәвен әйтте."),
        ("jv", "Dheweke kandha yen ora ngerti apa sing kedadeyan karo dhuwit iku."),
        ("zh", "她说她不知道钱怎么了。"),
        ("zh-TW", "她說她不知道錢怎麼了，還沒有問過。"),
    ]);
}

#[test]
fn greetings_of_two_words_are_enough() {
    all_are(&[
        ("de", "Guten Morgen"),
        ("de", "Vielen Dank!"),
        ("fr", "Bonjour madame"),
        ("fr", "Merci beaucoup, Luc"),
        ("es", "Buenos días"),
        ("es", "¡Buenas tardes, Marta!"),
        ("it", "Buona sera"),
        ("pt", "Bom dia"),
        ("nl", "Goede middag"),
        ("pl", "Dzień dobry"),
        ("cs", "Dobrý den"),
        ("sk", "Dobrý deň"),
        ("hu", "Jó reggelt"),
        ("ro", "Bună dimineața"),
        ("sv", "God morgon"),
        ("fi", "Hyvää huomenta"),
        ("tr", "Günaydın arkadaşlar"),
        ("en", "Good morning"),
        ("vi", "Chào buổi sáng"),
        ("ru", "Доброе утро"),
        ("uk", "Добрий день"),
        ("bg", "Добър ден"),
        ("ar", "صباح الخير"),
        ("hi", "नमस्ते दोस्तों"),
    ]);
}

#[test]
fn what_two_relatives_write_alike_is_said_to_be_of_either() {
    for (text, languages) in [("God morgen", ["da", "no"]), ("Selamat malam", ["id", "ms"])] {
        let found = detect(text);
        let sum: f32 = found.candidates.values().sum();
        let named = languages.iter().all(|code| {
            found.candidates.contains_key(&Lang::parse(code).unwrap_or_else(Lang::und))
        });
        assert!(named && found.confidence < 0.8 && sum <= 1.01, "{text}: {found:?}");
    }
    assert!(detect("Der Rat der Stadt hat den Bau beschlossen.").candidates.is_empty());
}

#[test]
fn code_in_prose_does_not_count() {
    all_are(&[
        (
            "es",
            "Antes de borrar la hoja conviene guardarla, como se ve aquí: function save(id) { \
             var out = []; for (var i = 0; i < rows.length; i++) { out.push(rows[i].getName()); } \
             return { data: out, size: out.length }; }",
        ),
        (
            "de",
            "Gezählt wird vorher: SELECT name, opened_at FROM gates WHERE open = TRUE AND zone IN \
             (3, 4) ORDER BY opened_at LIMIT 5; danach darf man schreiben.",
        ),
        (
            "fr",
            "On lance docker run --rm -v \"$PWD\":/data -e MODE=full site.example/app:1 --input \
             /data/in.csv et on attend la fin.",
        ),
        (
            "it",
            "Per aprire il file basta questo: with open(\"elenco.csv\") as f: reader = \
             csv.DictReader(f); rows = [row for row in reader if row[\"state\"] == \"closed\"] e \
             poi si controlla il numero delle righe.",
        ),
        (
            "pt",
            "Depois de instalar, é só correr git clone git@example.org:app/main.git && cd main && \
             npm install --save-dev e esperar que termine.",
        ),
        ("ru", "Сначала выполните sudo apt-get install -y --no-install-recommends libfoo_dev."),
    ]);
}

#[test]
fn gibberish_is_no_language() {
    for text in [
        "asdf jkl qwer tyui zxcv",
        "fjdksl ajfkdls ajfkdl sjfkld jsaklf",
        "xkcd qwrt plmn zvbk trrw",
        "lkjh gfds poiu ytrewq mnbv cxz",
        "hjkl hjkl hjkl",
    ] {
        let found = detect(text);
        assert!(found.code.is_und() && found.romanized.is_none(), "{text}: {found:?}");
    }
}

#[test]
fn a_language_in_latin_letters_instead_of_its_own_is_named() {
    for (own, text) in [
        ("hi", "mujhe nahi pata ki kal kya hoga lekin hum sab saath mein jayenge"),
        ("hi", "yeh film bahut acchi thi, mujhe bahut pasand aayi"),
        ("ru", "Privet, kak dela? Ya segodnya idu v kino s druzyami"),
        ("ru", "Ya ne znayu, chto sluchilos s dengami, no eto bylo vchera"),
        ("ar", "ana mesh 3aref eh elly 7asal imbare7 bas kolena hanroo7"),
        ("ar", "keef halak ya sadiqi, inshallah kol shi tamam 3andak"),
        ("el", "kalimera, ti kaneis simera? pame gia kafe to apogeuma"),
        ("el", "den ksero ti na sou po, alla tha ertho avrio"),
    ] {
        let found = detect(text);
        assert!(found.code.is_und() && found.romanized == Lang::parse(own), "{text}: {found:?}");
    }
}

#[test]
fn greetings_that_relatives_share_are_in_one_of_them() {
    for (text, languages) in [
        ("Dobar dan", ["hr", "sr", "bs"]),
        ("God morgen", ["no", "da", "da"]),
        ("शुभ प्रभात", ["hi", "ne", "mr"]),
    ] {
        let found = detect(text);
        let known = languages.iter().any(|code| found.code.base() == *code);
        assert!(known && found.candidates.len() > 1, "{text}: {found:?}");
    }
    assert!(detect("Dobar Ivan").code.is_und());
    all_are(&[("zh-TW", "謝謝你們"), ("zh-TW", "你昨天在哪裡？請給我電話。"), ("zh", "谢谢你们")]);
}

#[test]
fn kyrgyz_and_tatar_are_not_kazakh() {
    all_are(&[
        ("ky", "Кечээ кайда болдуң? Мен сени шаршемби күнү көрдүм."),
        ("tt", "Кичә кайда булдың? Мин сине чәршәмбе көнне күрдем."),
        ("kk", "Кеше қайда болдың?"),
        (
            "ky",
            "Шейшемби күнү өкмөт мектептердеги балдардын коопсуздугуна \
             көбүрөөк акча бөлөрүн айтты.",
        ),
        (
            "kk",
            "Сейсенбі күні үкімет мектептердегі балалардың қауіпсіздігіне \
             көбірек ақша бөлетінін айтты.",
        ),
    ]);
}

#[test]
fn names_and_latin_words_in_other_scripts_do_not_count() {
    for text in ["Hauptstraße 5, 10115 Berlin", "Anna Schmidt, Peter Müller, Jonas Weber"] {
        assert!(detect(text).code.is_und(), "{text}");
    }
    all_are(&[("ru", "Запустите docker compose up build web и подождите, пока сервер ответит.")]);
}

#[test]
fn japanese_in_latin_letters_is_named() {
    for text in ["watashi no namae wa Tanaka desu", "arigatou gozaimasu, mata ashita"] {
        let found = detect(text);
        assert!(found.code.is_und() && found.romanized == Lang::parse("ja"), "{text}: {found:?}");
    }
}

#[test]
fn what_is_left_of_code_is_no_english() {
    for text in [
        "at com.example.Main.main(Main.java:7) at java.base/java.lang.Thread.run(Thread.java:829)",
        "for i in $(seq 1 10); do echo $i; done",
        "UPDATE gates SET open = TRUE WHERE id = 5;",
    ] {
        assert!(detect(text).code.is_und(), "{text}: {:?}", detect(text));
    }
    all_are(&[("en", "The SELECT committee met on Monday."), ("en", "Run make(1) first.")]);
}
