//! Glossaries and what is kept, through the engine and the program: with a tiny student that Marian
//! trained on sentences such as "A cat eats a book", and with random models of each family.

use crate::common::{Sandbox, batches, engine, fixture, fixtures};
use polygist::generate::{Constraint, DecodingOptions, Generate, Output, Request};
use polygist::kernel::Precision;
use polygist::{Glossary, Lang};
use serde_json::Value;
use std::fs;

const SOURCES: [&str; 6] = [
    "A cat eats the old mountain with a euro.",
    "The new king likes a happy dog near the mountain.",
    "A king sells the small government.",
    "A happy king sees the train.",
    "The new house sees a new book.",
    "A big river sells a happy letter with a train.",
];

/// A request to translate a source in which some words have these forms.
fn request(source: &str, terms: &[(&str, &[&str])], num_beams: usize) -> Request {
    let mut from = 0;
    let constraint = |(word, forms): &(&str, &[&str])| {
        let at = from + source[from..].find(word).unwrap();
        from = at + word.len();
        let forms = forms.iter().map(|form| form.to_string()).collect();
        Constraint { source: at..from, forms, ends_word: true, ..Constraint::default() }
    };
    let constraints = terms.iter().map(constraint).collect();
    let options = DecodingOptions { num_beams, ..DecodingOptions::default() };
    Request { prompt: source.into(), constraints, options, ..Request::default() }
}

fn generate(engine: &dyn Generate, requests: &[Request]) -> Vec<Output> {
    engine.generate(requests, &|_, _| true).unwrap()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn terms_stand_where_the_model_would_have_written_others() {
    for precision in [Precision::F32, Precision::Int8] {
        let engine = engine(&fixture("bergamot/firefox"), &batches(precision, 1, 8));
        let translate = |source: &str, terms: &[(&str, &[&str])], beams| {
            generate(&engine, &[request(source, terms, beams)]).remove(0).text
        };
        for beams in 1..=4 {
            let of = |source: &str, terms: &[(&str, &[&str])]| translate(source, terms, beams);
            assert_eq!(
                of(SOURCES[0], &[("cat", &["chien"])]),
                "Un chien mange le montagne vieux avec un euro.",
                "{beams}"
            );
            // One of two forms.
            let found = of(SOURCES[0], &[("cat", &["chien", "roi"])]);
            let count = |wanted: &str| words(&found).iter().filter(|w| **w == wanted).count();
            assert_eq!(count("chien") + count("roi"), 1, "{found}");
            // Its attention was not taught to align, so a term need not stand in its place.
            let found = of(SOURCES[1], &[("mountain", &["maison"])]);
            assert!(words(&found).contains(&"maison"), "{beams}: {found}");
        }
        // What is there by itself stays as it was.
        let plain = translate(SOURCES[0], &[], 4);
        assert_eq!(translate(SOURCES[0], &[("cat", &["matou", "chat"])], 4), plain);
        // Two terms; one twice.
        let found = translate(SOURCES[0], &[("cat", &["chien"]), ("mountain", &["livre"])], 6);
        assert!(words(&found).contains(&"chien") && words(&found).contains(&"livre"), "{found}");
        let found =
            translate("A king sees a king.", &[("king", &["chien"]), ("king", &["chien"])], 6);
        assert_eq!(words(&found).iter().filter(|word| **word == "chien").count(), 2, "{found}");
        // A form that is the beginning of other words ends where it ends.
        let found = translate(SOURCES[3], &[("train", &["tra"])], 4);
        assert!(words(&found).contains(&"tra"), "{found}");
    }
}

#[test]
fn constrained_outputs_do_not_depend_on_the_batch_or_the_threads() {
    let forms: [&[&str]; 3] = [&["chien"], &["livre", "maison"], &["matou"]];
    let nouns = ["cat", "dog", "government", "train", "book", "letter"];
    let all: Vec<Request> = (0..36)
        .map(|n| {
            let (source, noun) = (SOURCES[n % 6], nouns[n % 6]);
            // Some without constraints stand among them.
            let terms: &[(&str, &[&str])] =
                if n % 5 == 0 { &[] } else { &[(noun, forms[n / 6 % 3])] };
            request(source, terms, n % 4 + 1)
        })
        .collect();
    for folder in ["bergamot/firefox", "bergamot/float"] {
        let shortlisted = |request: &Request| {
            let mut request = request.clone();
            request.options.shortlist = true;
            request
        };
        let all: Vec<Request> = all.iter().cloned().chain(all.iter().map(shortlisted)).collect();
        let one = engine(&fixture(folder), &batches(Precision::Int8, 1, 1));
        let alone: Vec<Output> =
            all.iter().map(|r| generate(&one, std::slice::from_ref(r)).remove(0)).collect();
        for (threads, batch) in [(1, 64), (2, 7)] {
            let many = engine(&fixture(folder), &batches(Precision::Int8, threads, batch));
            assert!(generate(&many, &all) == alone, "{folder} {threads} {batch}");
        }
        let met = all.iter().zip(&alone).filter(|(request, output)| {
            let forms = request.constraints.iter().flat_map(|one| &one.forms);
            forms.clone().any(|form| words(&output.text).contains(&form.as_str()))
        });
        let asked = all.iter().filter(|request| !request.constraints.is_empty()).count();
        assert!(met.count() * 10 >= asked * 9, "{folder}");
    }
}

/// With random weights the attention is anywhere: what counts is that nothing breaks.
#[test]
fn every_family_searches_with_constraints() {
    for family in fixtures("seq2seq") {
        let source: Vec<u32> = (0..9).map(|i| 4 + i * 13 % 70).collect();
        let request = |n: usize| Request {
            source: Some(source.clone()),
            prompt: "t4 t17 t30".into(),
            constraints: vec![
                Constraint {
                    source: 0..10,
                    forms: vec!["t9 t7".into()],
                    ends_word: false,
                    ..Constraint::default()
                },
                Constraint {
                    source: 3..6,
                    forms: vec!["t8".into()],
                    ends_word: n.is_multiple_of(2),
                    ..Constraint::default()
                },
            ],
            options: DecodingOptions {
                num_beams: n,
                max_tokens: 16,
                no_repeat_ngram: n % 3,
                coverage_penalty: n as f32 / 10.0,
                ..DecodingOptions::default()
            },
            ..Request::default()
        };
        let requests: Vec<Request> = (1..=4).map(request).collect();
        let together = generate(&engine(&family, &batches(Precision::F32, 2, 64)), &requests);
        let one = engine(&family, &batches(Precision::F32, 1, 1));
        let alone: Vec<Output> =
            requests.iter().map(|r| generate(&one, std::slice::from_ref(r)).remove(0)).collect();
        assert!(together == alone, "{}", family.display());
        assert!(alone.iter().all(|output| output.tokens <= 16), "{}", family.display());
    }
}

/// A sandbox with the student in the folder `student`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["model.enfr.intgemm.alphas.bin", "srcvocab.enfr.spm", "trgvocab.enfr.spm"] {
        let file = fixture("bergamot/firefox").join(name);
        sandbox.write(&format!("student/{name}"), fs::read(file).unwrap());
    }
    sandbox
}

const LINE: &str = "translate --lines --from en --to fr --offline --model student --format json";

fn lines(sandbox: &Sandbox, flags: &str, input: &str) -> Vec<Value> {
    let output = sandbox.run_with(&format!("{LINE} {flags}"), input).expect(0, &[]).stdout;
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_have_the_terms_of_a_glossary() {
    let sandbox = sandbox();
    sandbox.write("g.csv", "source,target\nCat,chien|loup\nmissing,x\nking,人工\n");
    let input = format!("{}\n{}\n{}\n", SOURCES[0], SOURCES[4], SOURCES[3]);
    let found = lines(&sandbox, "--glossary g.csv", &input);
    let plain = lines(&sandbox, "", &input);
    assert!(found[0]["text"].as_str().unwrap().starts_with("Un chien mange"), "{}", found[0]);
    let applied = found[0]["terms"]["applied"].as_array().unwrap();
    assert_eq!((&applied[0]["source"], &applied[0]["target"]), (&"cat".into(), &"chien".into()));
    assert_eq!(found[0]["terms"].get("missed"), None);
    // No term in it: nothing else either.
    assert_eq!(found[1], plain[1]);
    // What the vocabulary cannot write is told.
    assert_eq!(found[2]["text"], plain[2]["text"]);
    assert_eq!(found[2]["terms"]["missed"][0]["target"], "人工");
    for flags in ["--threads 1 --batch 1", "--threads 2 --batch 50"] {
        assert_eq!(lines(&sandbox, &format!("--glossary g.csv {flags}"), &input), found);
    }
    let output = sandbox.run_with(&format!("{LINE} --glossary g.csv --keep old"), SOURCES[0]);
    let kept: Value = serde_json::from_str(output.expect(0, &[]).stdout.trim()).unwrap();
    assert!(kept["text"].as_str().unwrap().contains("old"), "{kept}");
    assert_eq!(kept["problems"], serde_json::json!([]), "{kept}");
}

#[test]
fn what_is_no_glossary_is_told_before_a_model_is_opened() {
    let sandbox = Sandbox::new();
    sandbox.write("g.csv", "source,target\ncat,chat\n,chien\n");
    let line = "translate --lines --from en --to fr --offline --model none";
    sandbox.run_with(&format!("{line} --glossary g.csv"), "x").expect(1, &["g.csv: line 3: "]);
    sandbox.run_with(&format!("{line} --glossary no.csv"), "x").expect(1, &["no.csv: reading"]);
    sandbox.run_with(&format!("{line} --keep ["), "x").expect(1, &["expected a regular"]);
}

#[test]
fn a_batch_tells_its_terms_and_is_done_again_with_others() {
    let sandbox = sandbox();
    let article = "A cat eats a book near the house.\n\nA happy king sees the train.\n";
    sandbox.write("in/a.txt", article);
    let tbx = r#"<tbx type="TBX-Core"><text><body><conceptEntry>
        <langSec xml:lang="en"><termSec><term>cat</term></termSec></langSec>
        <langSec xml:lang="fr"><termSec><term>chien</term></termSec></langSec></conceptEntry>
        <conceptEntry><langSec xml:lang="en"><termSec><term>king</term></termSec></langSec>
        <langSec xml:lang="fr"><termSec><term>人工</term></termSec></langSec></conceptEntry>
        </body></text></tbx>"#;
    sandbox.write("g.tbx", tbx);
    let line = "batch in --out out --from en --to fr --tasks translate --offline --model student";
    sandbox.run(line).expect(0, &["1 done"]);
    let plain = sandbox.records("out").remove(0);
    assert!(plain.translation.as_ref().unwrap().terms.is_empty());
    let json = serde_json::to_value(&plain).unwrap();
    assert_eq!(json["translation"].get("terms"), None);

    let with = format!("{line} --glossary g.tbx");
    sandbox.run(&with).expect(0, &["1 done"]);
    sandbox.run(&with).expect(0, &["1 done before"]);
    let record = sandbox.records("out").pop().unwrap();
    assert_ne!(record.key, plain.key);
    let terms = &record.translation.as_ref().unwrap().terms;
    let shown = |terms: &[polygist::Term]| {
        let show = |t: &polygist::Term| format!("{:?} {}>{}", t.segment, t.source, t.target);
        terms.iter().map(show).collect::<Vec<_>>()
    };
    assert_eq!(shown(&terms.applied), ["Some(0) cat>chien"]);
    assert_eq!(shown(&terms.missed), ["Some(1) king>人工"]);
    let markdown = sandbox.read(&format!("out/{}", record.output.unwrap()));
    assert!(markdown.contains("chien"), "{markdown}");
    assert!(markdown.contains("Sentence 2: “king” should be “人工”"), "{markdown}");
    sandbox.write("g.tbx", tbx.replace("chien", "livre"));
    sandbox.run(&with).expect(0, &["1 done"]);
    sandbox.run(line).expect(0, &[]);
}

#[test]
fn a_library_has_terms_too() {
    let sandbox = sandbox();
    let glossary = Glossary::parse("en,fr\ncat,chien\n".into(), "g").unwrap();
    assert_eq!(glossary.entries[0].to, Lang::parse("fr"));
    let translator = polygist::Translator::builder()
        .model(sandbox.path("student").display().to_string())
        .glossary(glossary)
        .keep("euros?")
        .build()
        .unwrap();
    let found = translator.translate("en", "fr", [SOURCES[0]]).unwrap().remove(0);
    assert!(found.text.contains("chien") && found.text.contains("euro"), "{found:?}");
    assert_eq!((found.terms.applied.len(), found.terms.missed.len()), (2, 0));
    assert_eq!(found.sentences[0].terms, found.terms);
}
