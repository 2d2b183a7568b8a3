//! Sentences by kind of what makes them hard. `‖` stands where one ends.

use super::split;
use crate::types::Lang;

fn check(code: &str, cases: &[&str]) {
    let lang = Lang::parse(code).unwrap();
    for case in cases {
        let text = case.replace('‖', "");
        let found: Vec<String> = split(&text, &lang).into_iter().map(|s| s.text + &s.gap).collect();
        assert_eq!(found.join("‖"), *case, "{code}");
    }
}

#[test]
fn no_space_between_sentences() {
    check(
        "en",
        &[
            "The council met on Friday.‖The budget passed.",
            "It was late.‖\"Nobody objects,\" she said.",
            "It rose 3.5 per cent.‖Mr. Bailey said more would follow.‖“We must act,”he said.",
            "Acme.com and ASP.NET and Node.js, java.util.List and Math.Max(3) at St.John's.",
            "The site port.example.org opens at 8.30 p.m. and closes at 9.15.",
            "Hello!‖Goodbye.‖I am late.‖“You must.” ‖He left at 5 p.m.‖The end.",
            "Dr.Smith met Prof.Dr.Hans in Game No.5 of v1.2.‖The next one is 3.",
            "It was built with Vue.js.‖It helped.‖J. K. Rowling wrote it.‖Node.js runs it.",
            "Nobody came.‖(It rained.)‖Dr.Smith left.‖St.Louis won.‖Prices fell 5%.‖Sales rose.",
            "Read plan.v2.pdf.‖Write to info@example.org.‖We answer before 10:30.‖Version 2 is out.",
        ],
    );
    check("el", &["Η ίδια έμεινε.‖Ο Μάιος έρχεται.‖Τι έγινε;‖Κανείς δεν ξέρει."]);
    check("uk", &["Усе працює на Node.js.‖Ремонт коштує 3,5 млн грн.‖Її звіт готовий."]);
    check("hi", &["कौन देगा?‖कोई नहीं जानता।"]);
    check(
        "ru",
        &["Мост закрыт.‖Паромы ходят.‖«Никто не забыт», — обещал мэр.‖Он ушёл.‖Я остался."],
    );
    check(
        "fr",
        &[
            "Le pont est fermé.‖Les bateaux attendent.‖« C'est long », dit le maire.",
            "Cela prendra un an.‖À midi, le bac part.‖Qu’en dit-elle ?‖Rien.",
        ],
    );
    check(
        "de",
        &[
            "Der Rat tagt am 3. Mai.‖Die Sitzung beginnt.‖„Wir sind da“, sagte Dr. Hof.",
            "Er kam.‖„Ja.“‖Dann ging er.",
        ],
    );
    check(
        "es",
        &["El puente está cerrado.‖¿Quién paga?‖Nadie lo sabe.‖Compre 1.Pan, 2.Vino, 3.Sal."],
    );
    check("ko", &["그는 왔다.‖그녀는 갔다. ‖\"누구야?\"라고 물었다. ‖값은 3.5이다."]);
    check("ar", &["وصل الرئيس.‖هل غادر؟ ‖نعم! ‖قال د. أحمد إنه عاد."]);
}

#[test]
fn quotations_in_a_sentence() {
    check(
        "en",
        &[
            "\"Who pays?\" Tolland asked. ‖\"We do,\" Smith said.",
            "\"It's over!\" Mayor Jones told reporters. ‖Police said the man fled.",
            "\"Stop!\" ‖Police officers ran. ‖“Yes.” ‖“No.” ‖She held out the book.",
            "\"The laws [...] of the river [...]\" (Brown 12). ‖It is so.",
            "He came (late!) and left. ‖(It rained.) ‖He left (at last!). ‖She stayed.",
        ],
    );
    check(
        "zh",
        &[
            "他说：“来吧。”‖大家都笑了。‖“你去哪儿？”老师问。‖“回家！”小明大声喊道。",
            "他看了《你好，李焕英！》和《什么？没有》。‖价格是３．５元。",
            "「誰來付錢？」她問。‖「我。」他說。‖他們看了《跑吧！》。",
            "“今天不行。”王主任表示。‖“好的。”‖“那就这样。”‖他说，“走吧。”",
        ],
    );
    check(
        "ja",
        &[
            "「誰が払うの？」と彼女は聞いた。‖「本当？」‖彼は笑った。‖気温は３．５度だ。",
            "彼は「やめろ！今すぐ！」と叫んだ。‖映画『走れ！太郎』を見た。",
        ],
    );
}

#[test]
fn words_that_look_abbreviated() {
    check(
        "en",
        &[
            "The rope is 12 ft. ‖The mast is 3 m. ‖The cargo was 12 mt.",
            "The wait was 200 ms. ‖Users left. ‖She did ten reps. ‖Then she sat.",
            "Ft. Worth and Mt. Everest are far.",
            "Ms. Jones met Rep. Smith on Wall St. ‖They talked.",
            "The U.K. and the U.S. agreed. ‖They trade with the E.U. ‖Nobody objects.",
            "The U.S. Senate met.",
            "At 6 a.m. Jane woke. ‖The train left at 7 a.m. ‖Jane missed it.",
            "It is at 4 p.m. Monday.",
            "He lives in D.C. ‖The house is old. ‖She has a Ph.D. ‖Her brother has none.",
            "They asked you and I. ‖Did you answer?",
            "So he took vitamin C. ‖The cold went. ‖Samuel L. Jackson came.",
            "It cost $5. ‖20 people paid. ‖In 2016. ‖12 more came. ‖See No. 8 on p. 4 and Ext. 12.",
            "See N°. 12.34.5. ‖It is No. 7.",
        ],
    );
    check(
        "de",
        &["Er wohnt in der Hauptstr. 5. ‖Das Haus ist alt. ‖Er lief 20 Min. ‖Danach schlief er."],
    );
    check("nl", &["Het regent in de VS. ‖Morgen is het droog. ‖Jansen vs. Bakker."]);
    check("fr", &["Il est né le 3 janv. 1980. ‖Il a 20 ans. ‖12 personnes sont venues."]);
    check("vi", &["Theo báo cáo.‖Ai sẽ trả tiền? ‖Trên Booking.Com còn chỗ."]);
    check("vi", &["Ông TS. Nam đến. ‖Bà đi TP. Hồ Chí Minh."]);
    check("hi", &["वह यू.एस. में है। ‖डॉ. शर्मा आए। ‖वह 5 कि.मी. दूर है। ‖हाँ।"]);
    check("am", &["በ፲፱፻ ዓ.ም. መጣ።‖እሷ ሄደች፧‖አዎ።"]);
}

#[test]
fn names_with_marks() {
    check(
        "en",
        &[
            "The FRITZ!Box 7590 runs FRITZ!App Fon. ‖Yahoo! News had it.",
            "He left Yahoo! ‖It was sold.",
            "She likes E! News. ‖We used Kahoot! in class. ‖Yahoo!'s shares fell.",
            "The Guess? Jeans are back. ‖She won Jeopardy! twice. ‖The !Kung people live there.",
        ],
    );
}

#[test]
fn items_in_one_line() {
    check(
        "en",
        &[
            "1. Buy bread. ‖2. Buy milk. ‖3. Go home.",
            "1.) Bread ‖2.) Milk",
            "a) wash ‖b) dry ‖c) fold",
            "a. Wash the cups ‖b. Dry the plates ‖c. Fold the towels",
            "i) First point. ‖ii) Second point.",
            "• Bread ‖• Milk ‖• 2 eggs",
            "• 9. Bread ‖• 10. Milk",
            "The rules: ‖1) be kind ‖2) be honest. ‖That is all.",
            "We need (1) money and (2) time. ‖See section 2. ‖It explains all.",
        ],
    );
    check("de", &["1. FC Köln spielt in der 2. Bundesliga. ‖Er kam zum 1. FC Köln."]);
}

#[test]
fn a_dash_after_a_full_stop_begins_a_sentence() {
    check("hu", &["„Nem tudom – mondta Kovács. ‖– Ezt még nem láttam.” ‖Elment – mondta – 5-kor."]);
    check("pl", &["Nie wiem – powiedział. ‖– Przyjdę jutro. ‖To prof. – Nowak."]);
    check("de", &["Er ging. ‖— Danach regnete es. ‖Es war 5–6 Uhr – und kalt."]);
    check("ru", &["«Что это? – спросила мама. – Завтра ведь выходной»."]);
}

#[test]
fn a_quotation_may_close_with_the_mark_that_opens_others() {
    check(
        "zh",
        &[
            "他说：\"桥关了。“‖没人反对。",
            "他说：“桥关了。”‖“谁来付钱？”她问。",
            "她写道：“天亮了。“‖市长没有回答。‖“谁来付钱？”她问。",
        ],
    );
}

#[test]
fn omissions() {
    check(
        "en",
        &[
            "Well . . . I don't know. ‖He said it was over. ‖. . . Then he left. ‖Wait... what?",
            "And so on... ‖Then it rained. ‖I never said that.... ‖She left.",
        ],
    );
    check("nl", &["Het was laat. ‖...en toen begon het."]);
}

#[test]
fn headings_without_a_mark() {
    check(
        "en",
        &[
            "Three men arrested after attack on shop ‖There was no the street.",
            "Three men held after attack in London ‖They were found on Monday.",
            "He read The Times in The Hague. ‖The singer of The Who was there.",
            "We all watched the new Doctor Who special and the Formula One race.",
            "The theatre showed a film of As You Like It yesterday, and the film It was bad.",
            "How The West Was Won was on. ‖She met Kim Jong Un in May.",
        ],
    );
    // A word that the text also writes small has its capital from the beginning of a sentence.
    check(
        "en",
        &[
            "Divers find old wreck near harbour ‖Divers of the port came. ‖Nobody paid the divers.",
            "Divers find wreck near the port of Oslo ‖And that was not all. ‖Nobody knew, and it sank.",
            "The chairman of the new Harbour Party was late. ‖Her party and the harbour lost.",
            "The contract begins with the renting Supplier. ‖A supplier of boats left.",
            "The crew left the crowded Harbour at noon on Friday. ‖The harbour is the Harbour.",
        ],
    );
    check("es", &["Un barco choca contra muelle ‖Barcos y grúas se pararon. ‖Los barcos esperan."]);
    check("de", &["Haben Sie heute schon gegessen? ‖Ich wollte Ihnen das sagen."]);
    check("es", &["Vimos la serie La casa de papel en casa."]);
}

#[test]
fn marks_of_single_languages() {
    check("hy", &["Նա եկավ: ‖2 մարդ գնաց: ‖Նա ասաց. «Վերջ»: ‖Նա` այո, և նա` ոչ: ‖Վերջ:"]);
    check("el", &["Ήρθε ο κ. Παππάς; ‖Ναι! ‖Έφυγε."]);
    check("ur", &["وہ آیا۔ ‖کیا وہ گیا؟ ‖ہاں۔"]);
    check("my", &["သူ လာသည်။ ‖သူမ သွားသည်။‖ဘယ်သွားမလဲ။"]);
    check("bo", &["ང་འགྲོ་གི་ཡིན། ‖ཁྱེད་རང་ག་པར་འགྲོ།"]);
    check("km", &["គាត់មក។ ‖នាងទៅ។"]);
    check("mr", &["आज सुट्टी आहे. ‖उद्या नाही."]);
}

#[test]
fn marks_of_direction_are_no_letters() {
    check(
        "en",
        &["He left at 5 \u{202a}p.m.\u{202c} ‖The end.", "It is \u{202a}I\u{202c}. ‖He left."],
    );
    check("ar", &["قال د\u{202a}.\u{202c} أحمد نعم. ‖ثم عاد."]);
}

#[test]
fn hostile_text_takes_linear_time() {
    for piece in [
        "1) ",
        ": 1) ",
        "a. b. ",
        "《",
        "「",
        "\"",
        ". ",
        ".A",
        "! ",
        "• ",
        "The a ",
        "bridge Bridge stays ",
        "「あ！」",
        "“啊。",
        ".Log",
        ".'s A",
        "[1]",
        ".[1]",
        "⁷",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        // Anything but linear time would not end.
        for code in ["en", "nl", "zh"] {
            assert!(!split(&text, &Lang::parse(code).unwrap()).is_empty(), "{code}: {piece:?}");
        }
    }
}

#[test]
fn words_and_units_that_are_abbreviations_elsewhere() {
    check("fr", &["Le mur fait 30 m. ‖Il est haut. ‖C'est un ex. ‖Il est parti avec M. Petit."]);
    check("ru", &["Это мой ген. ‖Она его нашла. ‖Длина 5 км. ‖Путь долог, сказал ген. Иванов."]);
    check("nl", &["Hij wachtte 5 min. ‖Daarna ging hij. ‖Het was max. ‖Meer kon niet."]);
    check("pl", &["Czekał 5 min. ‖Potem wyszedł na ul. Długą nr 5. ‖Pani dr Nowak też."]);
}

#[test]
fn decimals_end_sentences_and_dates_do_not() {
    check("en", &["The toll is 3.5. ‖Boats pay $2.50. ‖Nobody pays.", "3.5. The harbour"]);
    check("fi", &["Kokous on 14.6. Helsingissä."]);
}

#[test]
fn full_stops_of_names_in_japanese() {
    check("ja", &["モーニング娘。のライブがあった。‖のびた枝を切った。"]);
}

#[test]
fn references_stay_with_their_sentence() {
    check(
        "en",
        &[
            "The bridge was built in 1910.[14] ‖Nobody objected.[2][3] ‖Traffic grew,[4] then fell.",
            "It is a gas. [1][2] [3] ‖It burns! [note 4] ‖Really?[citation needed] ‖It does.",
            "The tower fell.⁷ ‖It was rebuilt.² ³ ‖The floor is 20 m².",
            "He left.‖[Applause] She stayed. ‖The list [1] is long. ‖See [1].",
            "Read it.[1](https://example.org/a) It is new.",
        ],
    );
    check("pt", &["O rio subiu.[13] ‖A ponte caiu em 17 de maio de 1910.[35]"]);
    check("ja", &["橋は閉鎖された[1]。‖船が待つ。[2]‖彼は来た。"]);
}

#[test]
fn measures_in_two_units() {
    check(
        "en",
        &["He is 5 ft. 6 in. tall. ‖The bag held 2 lb. 4 oz. of nuts. ‖It is 5 ft. ‖6 men."],
    );
    check("uk", &["Зустріч о 10 год. 30 хв. ранку. ‖Лист вийшов у журн. «Наука»."]);
}

#[test]
fn degrees_and_years() {
    check(
        "en",
        &[
            "She earned her Ph.D. ‖Tom was impressed. ‖We met Jane Hart Ph.D. Student Services ran it.",
            "He noted: In 44 B.C. Caesar died. ‖That was long ago.",
        ],
    );
}

#[test]
fn titles_and_initials_of_indic_languages() {
    check("ml", &["ഇത് ഡോ. ശിവൻ. ‖ഇത് പ്രൊ. കെ. പി. മോഹനൻ."]);
    check("ta", &["டாக்டர். குமார் வந்தார். ‖அவர் நேற்று வந்தார்."]);
}

#[test]
fn a_capital_after_an_enumeration_begins_a_sentence() {
    check("en", &["They sell ropes, sails, etc. ‖Prices are high. ‖Acme Inc. Chief Jones left."]);
    check("pt", &["Cordas, velas, etc. ‖Preços subiram."]);
    check("cs", &["Lana, plachty atd. ‖Ceny rostou."]);
    check("pl", &["Liny, żagle itp. ‖Ceny rosną."]);
    check("sv", &["Rep, segel m.m. ‖Priserna stiger."]);
    check("ru", &["Канаты, паруса и т. д. ‖Цены высокие. ‖Канаты и др. ‖Цены растут."]);
    check("de", &["Seile, Segel usw. Preise steigen."]);
    // Streets and titles, whose names follow.
    check("ru", &["Он живёт на пр. Ленина."]);
    check("be", &["Ён жыве на пр. Леніна."]);
    check("sr", &["То је рекао др. Петровић."]);
}

#[test]
fn a_sentence_goes_on_after_what_it_quotes() {
    check(
        "zh",
        &[
            "他大喊“救命！”并跳进河里。‖她走了。",
            "他大喊“救命！”然后跳进河里。‖就在这时，门开了。",
            "他念了一句“天亮了。”就睡着了。‖“谁？谁来付钱？”她问。‖没人回答。",
            "“水里有鲨鱼！”Hammel 说道。‖“我看见了！”‖Hammel 走了。",
            "“今天很忙。”‖就在这时，门开了。‖“进来。‖请坐。”",
            "桥边写着“小心！有裂缝。”的牌子。",
            "比赛以“桥，你好！”为主题。‖他问“谁？”时，没人理他。",
            "网友评论“太棒了！”“加油！”等。",
            "他点点头（他其实不懂。）就走了。‖（她也走了。）‖他来了。",
            "“桥要塌了！”一名目击者告诉记者。‖“我们付不起。”王市长在星期一举行的新闻发布会上说。",
            "他说“来吧。”‖大家都笑了。",
            "“这太贵了！”王先生表示，“我们付不起。”‖「你來嗎？」他問，「我等你。」",
            "“走吧。”‖他说，“再见。”‖“救命！”‖他喊：“快来！”",
            "她写了“完。”两个字。‖他称桥为“怪物。”‖根据报道，没人知道。",
            "网站上有问题“谁来付钱？”‖市长是这样回答的：“我们。”",
        ],
    );
    check(
        "ja",
        &[
            "彼女は（少し怒っていた。）黙って出て行った。",
            "「橋は閉まった。」市長は言った。‖皆が驚いた。",
            "市民は「困る！」「早く直して！」と訴えた。‖値段は1.5倍（税込み。）になった。",
            "彼は来た。‖「行こう。」‖彼女は行った。",
            "『来るな！』『帰れ！』『出ろ！』と叫ぶ声がした。‖「行くの？」‖「うん。」と彼は言った。",
        ],
    );
}
