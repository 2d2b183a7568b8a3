//! Records for the tests: many languages and both writing directions, long and short, doubtful and
//! failed, and one that attacks.

mod parallel;

use crate::types::*;

/// What differs from record to record.
struct Sample {
    id: &'static str,
    from: &'static str,
    to: &'static str,
    title: (&'static str, &'static str),
    summary: &'static str,
    body: &'static str,
}

fn lang(code: &str) -> Lang {
    Lang::parse(code).unwrap()
}

impl Sample {
    fn record(&self) -> Record {
        let (from, to) = (lang(self.from), lang(self.to));
        let translated = from != to;
        let route = if from != Lang::en() && to != Lang::en() {
            vec![from.clone(), Lang::en(), to.clone()]
        } else {
            vec![from.clone(), to.clone()]
        };
        Record {
            passages: Vec::new(),
            id: self.id.into(),
            key: "9f2c".into(),
            target: None,
            source: Source {
                path: format!("articles/{}", self.id),
                format: Format::Text,
                bytes: 5120,
                sha256: "ab".repeat(32),
                notes: Vec::new(),
            },
            language: Detection::new(from, 0.97),
            title: Some(TitleRecord {
                source: self.title.0.into(),
                translation: translated.then(|| self.title.1.into()),
            }),
            translation: translated.then(|| TranslationRecord {
                language: to.clone(),
                text: self.body.into(),
                model: "gemma-3-270m".into(),
                route,
                steps: Vec::new(),
                alignments: Vec::new(),
                terms: Default::default(),
                blocks: Vec::new(),
            }),
            segments: None,
            summary: Some(SummaryRecord {
                language: to,
                text: self.summary.into(),
                sentences: vec![SummarySentence {
                    text: self.summary.into(),
                    support: vec![0],
                    origin: SummaryMethod::Extractive,
                }],
                method: SummaryMethod::Extractive,
                model: None,
                ranked_by: Some(SummaryRecord::BY_WORDS.into()),
                quarters: None,
            }),
            checks: Checks { segments: 24, retried: 1, ..Checks::default() },
            stats: Stats {
                source_tokens: 812,
                read_tokens: 812,
                output_tokens: 934,
                truncated: false,
                seconds: 6.4,
            },
            status: Status::Ok,
            error: None,
            output: Some(format!("{}.en.md", self.id)),
            document: None,
            removed: Vec::new(),
            excerpt: None,
            extra: serde_json::Map::new(),
        }
    }
}

const FRENCH: &str = "The city council of Lyon voted on Thursday to close three more streets near \
    schools to cars from September. Parents' associations had asked for the measure for two \
    years.\n\nThe deputy mayor for transport said that air quality in the affected districts had \
    improved by 14 percent since the first closures. Shopkeepers fear for deliveries and ask for a \
    loading zone at both ends of Rue Garibaldi.\n\n## What changes\n\n- Residents keep access with \
    a permit.\n- Deliveries are allowed from 6 to 10 a.m.\n- The number 27 bus is rerouted through \
    Avenue Berthelot.\n\n> “We are not against cars,” said Claire Fontaine of the parents' \
    association. “We are for children.”\n\nA first assessment is planned for March.";

const ARABIC: &str = "The Ministry of Water and Irrigation announced on Sunday that work on the \
    new desalination plant in Aqaba will begin next spring. The plant is to supply 300 million \
    cubic metres of drinking water a year.\n\nThe minister told journalists that the project would \
    be the largest of its kind in the country. A pipeline of 450 kilometres will carry the water \
    to Amman.";

const SAMPLES: [Sample; 11] = [
    Sample {
        id: "france/lyon-écoles.html",
        from: "fr",
        to: "en",
        title: (
            "Lyon ferme trois nouvelles rues aux voitures devant les écoles",
            "Lyon closes three more streets outside schools to cars",
        ),
        summary: "Lyon will close three more streets near schools to cars from September. Air \
            quality has improved by 14 percent since the first closures. A first assessment is \
            planned for March.",
        body: FRENCH,
    },
    Sample {
        id: "middle-east/aqaba.html",
        from: "ar",
        to: "en",
        title: (
            "الأردن يبدأ بناء محطة تحلية المياه في العقبة الربيع المقبل",
            "Jordan to begin building the Aqaba desalination plant next spring",
        ),
        summary: "Work on a desalination plant in Aqaba will begin next spring. It is to supply \
            300 million cubic metres of drinking water a year.",
        body: ARABIC,
    },
    Sample {
        id: "asia/快讯/高铁.txt",
        from: "zh",
        to: "en",
        title: (
            "新高铁线路开通，两城之间车程缩短至四十分钟",
            "New high-speed line opens, cutting travel between the two cities to forty minutes",
        ),
        summary: "A new high-speed railway line opened on Monday. The journey between the two \
            cities now takes forty minutes.",
        body: "A new high-speed railway line opened on Monday morning. The first train left at \
            6:30 with 1,100 passengers on board.\n\nThe journey between the two cities now takes \
            forty minutes instead of two hours.",
    },
    Sample {
        id: "asia/solar.jsonl#jp-0412",
        from: "ja",
        to: "en",
        title: (
            "農地の上に太陽光パネル 農家の収入が安定",
            "Solar panels above the fields bring farmers a steady income",
        ),
        summary: "Farmers in Chiba grow vegetables under raised solar panels. The sale of \
            electricity steadies their income.",
        body: "Farmers in Chiba Prefecture grow vegetables under solar panels that stand three \
            metres above the ground.\n\nThe sale of electricity steadies their income in years of \
            bad harvests.",
    },
    Sample {
        id: "ukraine/libraries.txt",
        from: "uk",
        to: "de",
        title: ("Харків відбудовує свої бібліотеки", "Kharkiv rebuilds its libraries"),
        summary: "Vier Bibliotheken sind wieder offen.",
        body: "Vier Bibliotheken sind wieder offen.\n\n## Die Kosten\n\n- Fenster: 40 Millionen \
            Hrywnja\n- Bücher: noch offen\n",
    },
    Sample {
        id: "latin-america/glaciar.md",
        from: "es",
        to: "en",
        title: (
            "El último glaciar de Venezuela pierde su nombre",
            "Venezuela's last glacier loses its name",
        ),
        summary: "Scientists no longer count the Humboldt glacier among the glaciers: it has \
            shrunk to less than two hectares.",
        body: "Scientists no longer count the Humboldt glacier among the glaciers. It has shrunk \
            to less than two hectares.\n\nVenezuela is thus probably the first country in the \
            Andes to have lost all its glaciers.",
    },
    Sample {
        id: "india/मानसून.txt",
        from: "hi",
        to: "en",
        title: (
            "मानसून समय से पहले पहुँचा, किसानों को राहत",
            "Monsoon arrives early, to the relief of farmers",
        ),
        summary: "The monsoon reached the coast of Kerala five days early. Farmers hope for a good \
            rice harvest.",
        body: "The monsoon reached the coast of Kerala five days earlier than usual, the weather \
            service said.\n\nFarmers hope for a good rice harvest after two dry years.",
    },
    Sample {
        id: "world/wahl.txt",
        from: "en",
        to: "he",
        title: ("Voters go to the polls in the capital", "הבוחרים בבירה הולכים לקלפיות"),
        summary: "הקלפיות בבירה נפתחו בשבע בבוקר.",
        body: "הקלפיות בבירה נפתחו בשבע בבוקר. לפי ועדת הבחירות, עד הצהריים הצביעו 31% מבעלי זכות \
            הבחירה.",
    },
    Sample {
        id: "europe/rail.md",
        from: "en",
        to: "en",
        title: ("Night trains return to the Baltic coast", ""),
        summary: "Night trains will run to the Baltic coast again from May. Tickets go on sale in \
            January.",
        body: "",
    },
    Sample {
        id: "turkey/zeytin.txt",
        from: "tr",
        to: "en",
        title: ("Zeytin üreticileri kuraklıktan şikâyetçi", "Olive growers complain of drought"),
        summary: "Olive growers on the Aegean coast expect half of last year's harvest.",
        body: "Olive growers on the Aegean coast expect half of last year's harvest because of the \
            drought.",
    },
    Sample {
        id: "<img src=x onerror=alert(1)>.txt",
        from: "ru",
        to: "en",
        title: ("</title><script>alert('source')</script>", "<script>alert(\"title\")</script>"),
        summary: "</p></article><script>alert(2)</script><b onclick='x'>Bold & \"quoted\"</b>",
        body: "<iframe src=javascript:alert(3)></iframe>\n\n# <svg onload=alert(4)>\n\n- <a \
            href='javascript:alert(5)'>item</a>\n\n```\n</pre><script>alert(6)</script>\n```",
    },
];

/// Twelve records; the last one failed.
pub(super) fn records() -> Vec<Record> {
    let mut records: Vec<Record> = SAMPLES.iter().map(Sample::record).collect();
    for record in &mut records {
        record.segments = parallel::segments(record);
        let Some(segments) = &record.segments else { continue };
        record.checks.segments = segments.len();
        record.checks.confidence = Some(0.61 + segments.len() as f32 / 40.0);
        for (segment, one) in segments.iter().enumerate() {
            let flag = |&problem| Flag { problem, segment, text: one.target.clone() };
            record.checks.flagged.extend(one.problems.iter().map(flag));
            if one.source == one.target {
                record.checks.untranslated.push(segment);
            }
        }
    }
    let flag = |problem, segment, text: &str| Flag { problem, segment, text: text.into() };

    let summary = records[0].summary.as_mut().unwrap();
    let parts = ["from September. ", "first closures. ", "for March."];
    let mut rest = summary.text.as_str();
    summary.sentences = (parts.iter().zip([&[1, 2][..], &[3], &[10]]))
        .map(|(end, support)| {
            let at = rest.find(end).unwrap() + end.len();
            let (text, after) = rest.split_at(at);
            rest = after;
            SummarySentence {
                text: text.trim().into(),
                support: support.to_vec(),
                origin: SummaryMethod::Abstractive,
            }
        })
        .collect();
    summary.method = SummaryMethod::Mixed;
    summary.model = Some("smollm2-135m-instruct".into());
    records[0].extra.insert("url".into(), "https://example.org/lyon?rue=1&x='2'".into());
    records[0].extra.insert("published".into(), "2026-03-09T10:00:00+01:00".into());
    records[0].removed = vec![Removed {
        reason: Removal::Related,
        parts: 3,
        characters: 412,
        start: "À lire aussi : les pistes cyclables".into(),
    }];
    records[0].checks.rejected =
        vec![flag(Problem::Number, 1, "Air quality has improved by 40 percent.")];
    records[1].extra.insert("date".into(), "Mon, 02 Feb 2026 08:00:00 GMT".into());

    records[2].stats = Stats {
        source_tokens: 18_204,
        read_tokens: 12_000,
        truncated: true,
        ..records[2].stats.clone()
    };
    records[4].checks.flagged = vec![flag(Problem::Number, 2, "Fenster: 40 Millionen Hrywnja")];
    records[9].language.confidence = 0.43;
    records[10].extra.insert("url".into(), "javascript:alert(7)".into());
    records[10].output = Some("../../outside.md".into());
    records[10].segments = Some(vec![SegmentRecord {
        source: "<script>alert(8)</script> 5".into(),
        target: "</noscript><script>alert(9)</script> 6".into(),
        place: Place::Paragraph(0),
        language: None,
        confidence: None,
        problems: vec![Problem::Number],
        origin: Origin::Model,
    }]);

    let mut failed = records[0].clone();
    failed.id = "scraped/scan-0007.txt".into();
    failed.source.path = "articles/scraped/scan-0007.txt".into();
    failed.language = Detection::new(lang("sw"), 0.88);
    failed.checks = Checks::default();
    failed.stats = Stats::default();
    (failed.segments, failed.translation, failed.summary, failed.output) = (None, None, None, None);
    failed.title =
        Some(TitleRecord { source: "Barabara mpya yafunguliwa".into(), translation: None });
    failed.removed = Vec::new();
    failed.extra = serde_json::Map::new();
    failed.status = Status::Failed;
    failed.excerpt =
        Some("Barabara mpya kati ya miji miwili ilifunguliwa Jumatatu. Waziri …".into());
    failed.error = Some(ErrorRecord {
        kind: "input".into(),
        message: "scraped/scan-0007.txt: it is in Swahili (sw), and no model translates that; if \
            the language was guessed wrong, state it with --from"
            .into(),
    });
    records.push(failed);
    records
}

/// As many records as are wanted, as different from each other as those of a job: of the size of
/// short news, in many languages, one in twenty with a doubt and one in a hundred failed.
pub(super) fn many(count: usize) -> impl Iterator<Item = Record> {
    let samples = records();
    let sound: Vec<Record> = samples.iter().take(9).cloned().collect();
    let failed = samples.into_iter().next_back();
    (0..count).map(move |number| {
        let mut record = match &failed {
            Some(failed) if number % 100 == 99 => failed.clone(),
            _ => sound[number % sound.len()].clone(),
        };
        record.id = format!("wire/{:03}/{number:06}.html", number / 1000);
        record.output = record.output.is_some().then(|| format!("{}.en.md", record.id));
        record.source.sha256 = format!("{number:064x}");
        record.extra.insert("published".into(), format!("2026-0{}-11", 1 + number % 9).into());
        let title = record.title.as_mut().unwrap();
        title.source = format!("{} ({number})", title.source);
        title.translation = title.translation.as_ref().map(|text| format!("{text} ({number})"));
        record.checks.confidence = Some((number * 7919 % 1000) as f32 / 1000.0);
        record.stats.seconds = 4.0 + (number * 31 % 17) as f64 / 4.0;
        if let Some(segments) = &mut record.segments {
            if number % 20 != 0 {
                record.checks.flagged.clear();
                record.checks.untranslated.clear();
                segments.iter_mut().for_each(|segment| segment.problems.clear());
            }
            // About 24 sentences, as in short news.
            let body = segments[1..].to_vec();
            for again in 1..24_usize.div_ceil(body.len()) {
                segments.extend(body.iter().cloned().map(|mut segment| {
                    segment.place = Place::Paragraph(10 * again);
                    segment.source = format!("{number}.{again} {}", segment.source);
                    segment.problems.clear();
                    segment
                }));
            }
        }
        record
    })
}
