//! Firefox's models: the registry, the records of Remote Settings, a mirror, and what goes wrong
//! with them, against a server of our own.

use crate::common::{Outcome, Sandbox};
use crate::hub::{Mozilla, Reply, Server, gz, plain, sha256, zst};
use polygist::CancelToken;
use polygist::error::Error;
use polygist::io::catalog::{Catalog, Model, Release};
use polygist::io::fetch::{
    FetchOptions, Fetcher, FirefoxRegistry, Lookup, Progress, ResolvedModel, Session,
};
use polygist::io::store::{Manifest, State, Store};
use polygist::types::Lang;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const ID: &str = "firefox-fr-en-base-memory";

/// A machine: its cache folder and what it knows of the network.
struct World {
    dir: tempfile::TempDir,
    options: FetchOptions,
    notes: Mutex<Vec<String>>,
}

impl Progress for World {
    fn start(&self, _: &str, _: u64) {}
    fn position(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.into());
    }
    fn finish(&self) {}
}

impl World {
    /// One that knows this place of models, and records at the same server.
    fn new(place: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let options = FetchOptions {
            endpoint: Some("http://127.0.0.1:9".into()),
            hub_cache: Some(dir.path().join("hub-cache")),
            firefox_models: Some(place.into()),
            firefox_records: Some(format!("{place}/v1")),
            pip: Vec::new(),
            connect_timeout: Duration::from_millis(700),
            stall_timeout: Duration::from_secs(5),
            retry_pause: Duration::from_millis(5),
            ..FetchOptions::default()
        };
        World { dir, options, notes: Mutex::default() }
    }

    fn store(&self) -> Store {
        Store::open(Some(self.dir.path())).unwrap()
    }

    fn registry(&self) -> FirefoxRegistry<'_> {
        FirefoxRegistry::new(&self.options, self.dir.path())
    }

    /// The catalog after the registry was asked.
    fn catalog(&self) -> Catalog {
        let fresh = self.registry().refresh(self, &CancelToken::new()).unwrap();
        let models = fresh.unwrap_or_else(|| self.registry().at_hand());
        Catalog::builtin().unwrap().with(models)
    }

    fn get(&self, name: &str) -> Result<ResolvedModel, Error> {
        let (store, catalog) = (self.store(), self.catalog());
        Fetcher { store: &store, catalog: &catalog, options: &self.options }.get(
            name,
            self,
            &CancelToken::new(),
        )
    }

    fn manifest(&self, id: &str) -> Manifest {
        match self.store().state(id).unwrap() {
            State::Ready(manifest) => manifest,
            state => panic!("{id}: {state:?}"),
        }
    }

    fn notes(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }

    /// The file in which the copy of the registry lies.
    fn copy(&self) -> PathBuf {
        self.dir.path().join("firefox-models.copy")
    }
}

/// A server with one model, from French to English, and its records.
fn french() -> Mozilla {
    let mut mozilla = Mozilla::new();
    mozilla.add("fr-en", "base-memory", Some("Release"), gz);
    mozilla.record("fr-en", "3.0", |_| ());
    mozilla
}

/// What was asked for below a path.
fn asked(server: &Server, below: &str) -> usize {
    server.gets().iter().filter(|line| line.starts_with(&format!("GET {below}"))).count()
}

fn lang(code: &str) -> Lang {
    Lang::parse(code).unwrap()
}

fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_model_comes_packed_in_any_way_and_is_what_was_packed() {
    for pack in [gz, zst, plain] {
        let mut mozilla = Mozilla::new();
        mozilla.add("fr-en", "base-memory", Some("Release"), pack);
        mozilla.record("fr-en", "3.0", |_| ());
        let server = mozilla.serve();
        let world = World::new(&server.url);
        let model = world.get(ID).unwrap();
        for (kind, name) in [
            ("model", "model.fren.intgemm.alphas.bin"),
            ("srcVocab", "srcvocab.fren.spm"),
            ("trgVocab", "trgvocab.fren.spm"),
        ] {
            let found = fs::read(model.file(name).unwrap()).unwrap();
            assert_eq!(found, Mozilla::bytes("fr-en", kind), "{name}");
        }
        let manifest = world.manifest(ID);
        assert_eq!(manifest.licence.as_deref(), Some("MPL-2.0"));
        assert_eq!(
            (manifest.from.clone(), manifest.to.clone()),
            (vec![lang("fr")], vec![Lang::en()])
        );
        assert!(manifest.notes[0].contains("version 3.0"), "{manifest:?}");
        let notice = fs::read_to_string(model.folder.join("NOTICE.txt")).unwrap();
        for credit in ["Mozilla", "Bergamot", "HPLT", "OPUS-MT", "MPL/2.0"] {
            assert!(notice.contains(credit), "{credit}: {notice}");
        }
        // Nothing is asked for twice, and nothing is left behind.
        let before = server.log().len();
        assert_eq!(world.get("firefox-fr-en").unwrap(), model);
        assert_eq!(server.log().len(), before);
        let left = world.dir.path().join("models/.partial").join(ID);
        assert!(!left.exists());
    }
}

#[test]
fn the_registry_is_asked_once_a_day_and_by_its_etag() {
    let server = french().serve();
    let world = World::new(&server.url);
    assert!(world.catalog().get(ID).is_some());
    assert!(world.catalog().get(ID).is_some());
    assert_eq!(asked(&server, "/db"), 1);
    // The copy grows old: it is asked whether it is still the same, and it is.
    age(&world.copy());
    let refreshed = world.registry().refresh(&world, &CancelToken::new()).unwrap();
    assert!(refreshed.is_none());
    assert_eq!(asked(&server, "/db"), 2);
    assert!(world.catalog().get(ID).is_some());
    assert_eq!(asked(&server, "/db"), 2);
    // A damaged copy is no copy.
    fs::write(world.copy(), "{}\nnonsense").unwrap();
    assert!(world.registry().at_hand().is_empty());
    assert!(world.catalog().get(ID).is_some());
    assert_eq!(asked(&server, "/db"), 3);
}

/// Makes the copy of the registry days old.
fn age(copy: &Path) {
    let text = fs::read_to_string(copy).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
    head["seen"] = json!(1_000_000);
    fs::write(copy, format!("{head}\n{body}")).unwrap();
}

#[test]
fn an_old_copy_serves_without_a_network() {
    let server = french().serve();
    let mut world = World::new(&server.url);
    world.catalog();
    age(&world.copy());
    world.options.offline = true;
    let before = server.log().len();
    let catalog = world.catalog();
    assert_eq!(catalog.find("firefox-fr-en").unwrap().id, ID);
    let error = world.get(ID).unwrap_err().to_string();
    assert!(error.contains("--offline") && error.contains(ID), "{error}");
    assert_eq!(server.log().len(), before);
    // What is installed stays usable when there is no registry at all.
    world.options.offline = false;
    world.get(ID).unwrap();
    world.options.offline = true;
    fs::remove_file(world.copy()).unwrap();
    assert_eq!(world.get(ID).unwrap().id, ID);
}

#[test]
fn a_network_that_is_not_there_is_tried_once_and_named_once() {
    let silent: Vec<std::net::TcpListener> =
        (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let address = |n: usize| format!("http://{}", silent[n].local_addr().unwrap());
    let mut world = World::new(&address(0));
    world.options.firefox_records = Some(address(1) + "/v1");
    world.options.endpoint = Some(address(2));
    world.options.connect_timeout = Duration::from_millis(2500);
    let start = Instant::now();
    let catalog = world.catalog();
    assert!(catalog.get(ID).is_none() && catalog.get("gemma-3-270m").is_some());
    for name in ["gemma-3-270m", "opus-mt-fr-en", "gemma-3-270m"] {
        assert!(world.get(name).is_err());
    }
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let notes = world.notes();
    let silent = |line: &&str| line.contains("no answer") || line.contains("cannot be reached");
    assert_eq!(notes.lines().filter(silent).count(), 1, "{notes}");
    assert!(notes.contains("going on with what there is"), "{notes}");
}

#[test]
fn a_refusal_names_the_setting_for_a_mirror() {
    let server = french().serve_with(|_| Some(Reply::status(403)));
    let world = World::new(&server.url);
    assert!(world.catalog().get(ID).is_none());
    assert!(world.notes().contains("POLYGIST_FIREFOX_MODELS"), "{}", world.notes());
    assert!(world.notes().contains("403"), "{}", world.notes());
}

#[test]
fn where_the_registry_is_refused_the_records_serve_as_one() {
    let mut mozilla = french();
    mozilla.record("fr-en", "2.9", |record| record["architecture"] = json!("base"));
    mozilla.record("zh-en", "3.0", |record| {
        record["sourceLanguage"] = json!("zh-Hant");
        record["filter_expression"] = json!("env.appinfo.OS != 'Android'");
    });
    mozilla.record("de-en", "3.1", |record| {
        record["attachment"]["location"] = json!("../../secret");
    });
    mozilla.record("es-en", "3.0a1", |record| {
        record["filter_expression"] = json!("env.channel == 'default' || env.channel == 'nightly'");
    });
    let blocked = |request: &crate::hub::Request| {
        let path = &request.path;
        (path.starts_with("/db") || path.starts_with("/models")).then(|| Reply::status(403))
    };
    let server = mozilla.serve_with(blocked);
    let mut world = World::new(&server.url);
    let catalog = world.catalog();
    assert!(world.notes().contains("going on with Firefox's own records"), "{}", world.notes());
    let ids: Vec<&str> = catalog.models().iter().map(|m| m.id.as_str()).collect();
    let new: Vec<&&str> = ids.iter().filter(|id| id.ends_with("base-memory")).collect();
    let expected = [
        &"firefox-es-en-base-memory",
        &"firefox-fr-en-base-memory",
        &"firefox-zh-TW-en-base-memory",
    ];
    assert_eq!(new, expected);
    assert_eq!(catalog.get("firefox-es-en-base-memory").unwrap().release, Release::Nightly);
    let model = world.get(ID).unwrap();
    let found = fs::read(model.file("model.fren.intgemm.alphas.bin").unwrap()).unwrap();
    assert_eq!(found, Mozilla::bytes("fr-en", "model"));
    assert!(world.manifest(ID).notes[0].ends_with("version 3.0"));
    // The copy serves as any other.
    world.options.offline = true;
    assert!(world.catalog().get("firefox-zh-TW-en-base-memory").is_some());
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let turn = AtomicUsize::new(0);
    let body = gz(&Mozilla::bytes("fr-en", "model"));
    let half = body.len() / 2;
    let server = french().serve_with(move |request| {
        let is_model = request.path.contains("exported/model.");
        (is_model && turn.fetch_add(1, Ordering::SeqCst) == 0)
            .then(|| Reply::file(&body, request).cut(half))
    });
    let world = World::new(&server.url);
    world.get(ID).unwrap();
    let gets = server.gets();
    assert!(
        gets.iter().any(|l| l.contains("model.fren") && l.ends_with(&format!("from {half}"))),
        "{gets:?}"
    );
}

#[test]
fn a_busy_server_is_asked_again_and_a_dead_one_gives_way_to_the_attachments() {
    let turn = AtomicUsize::new(0);
    let server = french().serve_with(move |request| {
        let is_model = request.path.contains("exported/model.");
        (is_model && turn.fetch_add(1, Ordering::SeqCst) < 2).then(|| Reply::status(503))
    });
    World::new(&server.url).get(ID).unwrap();
    assert_eq!(asked(&server, "/attachments"), 0);
    let server = french()
        .serve_with(|request| request.path.contains("exported").then(|| Reply::status(500)));
    let world = World::new(&server.url);
    let model = world.get(ID).unwrap();
    assert_eq!(asked(&server, "/attachments"), 3);
    let found = fs::read(model.file("model.fren.intgemm.alphas.bin").unwrap()).unwrap();
    assert_eq!(found, Mozilla::bytes("fr-en", "model"));
    assert!(world.manifest(ID).files[0].source.contains("/attachments/"));
}

#[test]
fn a_wrong_or_truncated_file_is_not_installed() {
    // Another file than the registry says; the attachments have the right one.
    let mut mozilla = french();
    let path = "/models/fr-en/run_base-memory/exported/model.fren.intgemm.alphas.bin.gz";
    mozilla.files.insert(path.into(), gz(b"something else"));
    let world = World::new(&mozilla.serve().url);
    world.get(ID).unwrap();
    assert!(world.notes().contains("14 of"), "{}", world.notes());

    for (broken, why) in [
        (gz(&Mozilla::bytes("fr-en", "model"))[..9000].to_vec(), "cut off or damaged"),
        (gz(&[7; 200_000]), "unpacks to more than"),
        (gz(&vec![7; Mozilla::bytes("fr-en", "model").len()]), "SHA-256 should be"),
    ] {
        let mut mozilla = Mozilla::new();
        mozilla.add("fr-en", "base-memory", Some("Release"), gz);
        mozilla.files.insert(path.into(), broken);
        let world = World::new(&mozilla.serve().url);
        let error = world.get(ID).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
        assert_eq!(world.store().state(ID).unwrap(), State::Absent);
    }
}

#[test]
fn without_records_the_form_of_the_other_files_is_checked() {
    let mut mozilla = Mozilla::new();
    mozilla.add("fr-en", "base-memory", Some("Release"), gz);
    let world = World::new(&mozilla.serve().url);
    world.get(ID).unwrap();
    let note = world.manifest(ID).notes.join(" ");
    assert!(note.contains("srcvocab.fren.spm") && note.contains("form only"), "{note}");
    assert!(world.notes().contains("form only"), "{}", world.notes());
    assert_eq!(world.manifest(ID).files.len(), 3);

    for (broken, why) in [
        (gz(b"<html>blocked</html>"), "expected a SentencePiece model"),
        (gz(&Mozilla::bytes("fr-en", "srcVocab"))[..500].to_vec(), "cut off or damaged"),
    ] {
        let mut mozilla = Mozilla::new();
        mozilla.add("fr-en", "base-memory", Some("Release"), gz);
        let path = "/models/fr-en/run_base-memory/exported/srcvocab.fren.spm.gz";
        mozilla.files.insert(path.into(), broken);
        let world = World::new(&mozilla.serve().url);
        let error = world.get(ID).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn files_are_compared_with_the_records_of_the_models_own_version() {
    let mut mozilla = french();
    // An old vocabulary, another variant, and the telephone's files lie about.
    mozilla.record("fr-en", "2.1", |record| {
        record["decompressedHash"] = json!("0".repeat(64));
    });
    mozilla.record("fr-en", "3.0a1", |record| {
        if record["fileType"] != "model" {
            record["decompressedHash"] = json!("1".repeat(64));
        }
    });
    mozilla.record("fr-en", "3.0", |record| {
        record["variant"] = json!("small");
        if record["fileType"] != "model" {
            record["decompressedHash"] = json!("2".repeat(64));
        } else {
            record["filter_expression"] = json!("env.appinfo.OS == 'no such'");
        }
    });
    let world = World::new(&mozilla.serve().url);
    world.get(ID).unwrap();
    assert!(world.manifest(ID).notes[0].ends_with("version 3.0"));

    // A vocabulary that is not what its record says is refused.
    let mut mozilla = Mozilla::new();
    mozilla.add("fr-en", "base-memory", Some("Release"), gz);
    mozilla.record("fr-en", "3.0", |record| {
        if record["fileType"] == "trgvocab" {
            record["decompressedHash"] = json!("3".repeat(64));
        }
    });
    let error = World::new(&mozilla.serve().url).get(ID).unwrap_err().to_string();
    assert!(error.contains(&"3".repeat(64)), "{error}");

    // The collection before that of today, whose files are plain.
    let mut mozilla = Mozilla::new();
    mozilla.add("fr-en", "base-memory", Some("Release"), gz);
    mozilla.record("fr-en", "2.1", |record| {
        let hash = record["decompressedHash"].clone();
        let name = record["name"].clone();
        let (kind, size) = (record["fileType"].clone(), record["decompressedSize"].clone());
        *record = json!({"collection": "translations-models", "name": name, "hash": hash,
            "version": "2.1", "fileType": kind, "fromLang": "fr", "toLang": "en",
            "attachment": {"location": "main-workspace/x", "size": size}});
    });
    let world = World::new(&mozilla.serve().url);
    world.get(ID).unwrap();
    assert!(world.manifest(ID).notes[0].ends_with("version 2.1"));
}

#[test]
fn languages_have_our_codes_and_the_best_of_a_pair_its_short_name() {
    let mut mozilla = Mozilla::new();
    for (pair, architecture, status) in [
        ("zh-en", "base", Some("Release Desktop")),
        ("zh-en", "base-memory", Some("Release Android")),
        ("zh-en", "tiny", None),
        ("zh_hant-en", "base-memory", Some("Release")),
        ("en-zh_hant", "base-memory", Some("Release")),
        ("hbs-en", "base-memory", Some("Release")),
        ("hr-en", "tiny", None),
        ("nb-en", "tiny", Some("Release")),
        ("nn-en", "tiny", Some("Nightly")),
        ("pt-en", "base-memory", Some("Release")),
        ("pt-en", "tiny", Some("Release")),
        ("cs-en", "tiny", None),
    ] {
        mozilla.add(pair, architecture, status, gz);
    }
    let same = mozilla.registry["models"]["nb-en"].clone();
    mozilla.registry["models"]["no-en"] = same;
    mozilla.registry["models"]["no-en"][0]["sourceLanguage"] = json!("no");
    let world = World::new(&mozilla.serve().url);
    let catalog = world.catalog();
    let found = |name: &str| catalog.find(name).map_or("none", |model| &model.id);
    for (name, id) in [
        ("firefox-zh-en", "firefox-zh-en-base"),
        ("firefox-zh-en-tiny", "firefox-zh-en-tiny"),
        ("firefox-zh-TW-en", "firefox-zh-TW-en-base-memory"),
        ("firefox-en-zh-TW", "firefox-en-zh-TW-base-memory"),
        ("firefox-hr-en", "firefox-hbs-en-base-memory"),
        ("firefox-sr-en", "firefox-hbs-en-base-memory"),
        ("firefox-hr-en-tiny", "firefox-hr-en-tiny"),
        ("firefox-nb-en", "firefox-no-en-tiny"),
        ("firefox-nb-en-tiny", "firefox-no-en-tiny"),
        ("firefox-nn-en", "firefox-nn-en-tiny"),
        ("firefox-pt-en", "firefox-pt-en-base-memory"),
        ("firefox-cs-en", "none"),
        ("firefox-cs-en-tiny", "firefox-cs-en-tiny"),
        ("firefox-en-cs", "none"),
    ] {
        assert_eq!(found(name), id, "{name}");
    }
    // What the program lists itself stays what it is.
    assert!(catalog.get("firefox-pt-en-tiny").unwrap().loose.is_empty());
    let fits = |from: &str, to: &str| -> Vec<&str> {
        let models = catalog.recommended(None, Some(&lang(from)), Some(&lang(to)));
        let firefox = models.into_iter().filter(|model| model.id.starts_with("firefox-"));
        firefox.map(|model| model.id.as_str()).collect()
    };
    assert_eq!(fits("en", "zh-TW"), ["firefox-en-zh-TW-base-memory"]);
    assert!(fits("en", "zh").is_empty());
    assert!(!fits("zh", "en").contains(&"firefox-zh-TW-en-base-memory"));
    assert_eq!(fits("hr", "en"), ["firefox-hbs-en-base-memory", "firefox-hr-en-tiny"]);
    assert_eq!(fits("cs", "en"), ["firefox-cs-en-tiny"]);
    let unreleased = catalog.get("firefox-cs-en-tiny").unwrap();
    assert_eq!(unreleased.release, Release::Unreleased);
    assert!(unreleased.note.as_ref().unwrap().contains("only when it is named"));
    let scores = &catalog.get("firefox-zh-en-base").unwrap().scores[0];
    assert_eq!((scores.by.as_str(), scores.bleu, scores.chrf), ("Mozilla", Some(40.5), 65.1));
    assert_eq!(world.get("firefox-cs-en-tiny").unwrap().id, "firefox-cs-en-tiny");
}

/// Makes an entry of the registry wrong.
type Spoil = fn(&mut serde_json::Value);

#[test]
fn entries_that_cannot_be_trusted_are_left_out() {
    let bad: Vec<(&str, Spoil)> = vec![
        ("model/path", |e| e["files"]["model"]["path"] = json!("../../etc/model.x.bin.gz")),
        ("model/path", |e| e["files"]["model"]["path"] = json!("/etc/model.x.bin.gz")),
        ("model/path", |e| e["files"]["model"]["path"] = json!("models/a?b/model.x.bin.gz")),
        ("model/path", |e| e["files"]["model"]["path"] = json!("models/x/passwd.gz")),
        ("size", |e| e["files"]["model"]["uncompressedSize"] = json!(1u64 << 60)),
        ("size", |e| e["files"]["model"]["uncompressedSize"] = json!(0)),
        ("size", |e| e["files"]["model"]["uncompressedSize"] = json!(-5)),
        ("hash", |e| e["files"]["model"]["uncompressedHash"] = json!("abc")),
        ("vocab", |e| e["files"]["srcVocab"]["path"] = json!("models/x/..%2f..")),
        ("vocab", |e| {
            e["files"].as_object_mut().unwrap().remove("trgVocab");
        }),
        ("language", |e| e["sourceLanguage"] = json!("../..")),
        ("architecture", |e| e["architecture"] = json!("tiny/../..")),
        ("type", |e| *e = json!([1, 2])),
    ];
    for (what, spoil) in bad {
        let mut mozilla = french();
        mozilla.add("de-en", "tiny", Some("Release"), gz);
        spoil(&mut mozilla.registry["models"]["de-en"][0]);
        let world = World::new(&mozilla.serve().url);
        let catalog = world.catalog();
        assert!(catalog.get(ID).is_some(), "{what}");
        assert!(catalog.get("firefox-de-en-tiny").is_none(), "{what}");
        assert!(world.notes().contains("1 left out: de-en"), "{what}: {}", world.notes());
    }
    for text in ["", "[]", "{\"models\": 3}", "<html>"] {
        let reply = move || Some(Reply::json(text));
        let server = french().serve_with(move |_| reply());
        let world = World::new(&server.url);
        assert!(world.catalog().get(ID).is_none());
        assert!(world.notes().contains("expected Mozilla's registry"), "{}", world.notes());
        assert!(!world.copy().exists());
    }
}

#[test]
fn a_folder_serves_as_a_mirror_without_any_network() {
    let mozilla = french();
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("db/models.json", mozilla.registry.to_string().as_bytes());
    mozilla.files.iter().for_each(|(path, bytes)| write(&path[1..], bytes));
    let mut world = World::new(folder.path().to_str().unwrap());
    world.options.firefox_records = None;
    world.options.offline = true;
    let model = world.get("firefox-fr-en").unwrap();
    assert_eq!(model.id, ID);
    assert!(world.manifest(ID).notes[0].contains("form only"));
    assert!(world.manifest(ID).files[0].source.starts_with(folder.path().to_str().unwrap()));
}

#[test]
fn two_that_fetch_at_once_do_no_harm() {
    let server = french().serve();
    let world = World::new(&server.url);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| world.get(ID).unwrap())).collect();
        let models: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(models.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert_eq!(asked(&server, "/models/fr-en/run_base-memory/exported/model."), 1);
}

#[test]
fn a_newer_model_of_the_registry_leaves_the_installed_one_usable() {
    let server = french().serve();
    let mut world = World::new(&server.url);
    world.get(ID).unwrap();
    let mut newer = french();
    newer.registry["models"]["fr-en"][0]["files"]["model"]["uncompressedHash"] =
        json!(sha256(b"newer"));
    let newer = newer.serve();
    world.options.firefox_models = Some(newer.url.clone());
    world.options.session = Session::default();
    let catalog = world.catalog();
    let store = world.store();
    let fetcher = Fetcher { store: &store, catalog: &catalog, options: &world.options };
    assert!(matches!(fetcher.lookup(ID).unwrap(), Lookup::Ready(_)));
    assert_eq!(asked(&newer, "/models"), 0);
}

/// The program on a machine that knows this server.
fn program(sandbox: &Sandbox, place: &str, line: &str) -> Outcome {
    let variables = [
        ("POLYGIST_FIREFOX_MODELS", place.to_string()),
        ("POLYGIST_FIREFOX_RECORDS", format!("{place}/v1")),
        ("HF_ENDPOINT", nowhere()),
    ];
    sandbox.run_in(line, &variables)
}

#[test]
fn a_machine_is_prepared_for_pairs_and_translates_offline() {
    let mut mozilla = french();
    mozilla.add("en-de", "tiny", Some("Release"), zst);
    mozilla.add("en-pl", "tiny", None, gz);
    let server = mozilla.serve();
    let sandbox = Sandbox::new();
    let pulled = program(&sandbox, &server.url, "models pull --from fr,en --to de,pl").expect(
        2,
        &["fr → de: firefox-fr-en-base-memory, firefox-en-de-tiny", "en → pl: no model"],
    );
    assert!(pulled.stderr.contains("fr → pl"), "{}", pulled.stderr);
    assert_eq!(pulled.stdout.lines().count(), 2, "{}", pulled.stdout);
    // The terms are the same, and are shown once.
    assert_eq!(pulled.stderr.matches("Bergamot").count(), 1, "{}", pulled.stderr);
    let before = server.log().len();
    program(&sandbox, &server.url, "models pull --from fr --to de").expect(0, &[]);
    assert_eq!(server.log().len(), before);
    let line = "translate --offline --lines --from fr --to en --model firefox-fr-en --beam 1";
    let out = sandbox.run_with(line, "Bonjour.\n").expect(0, &[]).stdout;
    assert_eq!(out.lines().count(), 1);
    program(&sandbox, &server.url, "models pull --from fr").expect(1, &["--to"]);
    program(&sandbox, &server.url, "models pull x --from fr --to en").expect(1, &["--from"]);
}

#[test]
fn models_for_a_pair_are_listed_with_scores_and_fit_a_narrow_terminal() {
    let mut mozilla = french();
    mozilla.add("fr-en", "tiny", None, gz);
    mozilla.add("de-en", "tiny", Some("Release"), gz);
    let server = mozilla.serve();
    let sandbox = Sandbox::new();
    let list = |line: &str| program(&sandbox, &server.url, line).expect(0, &[]);
    let french = list("models list --from fr --to en").stdout;
    let row = |id: &str| {
        french.lines().find(|line| line.starts_with(id)).unwrap_or_else(|| panic!("{french}"))
    };
    for part in ["40.5 65.1 .865", "MPL-2.0", "about 2 MB", "fr → en"] {
        assert!(row(ID).contains(part), "{part}: {french}");
    }
    assert!(row("firefox-fr-en-tiny").ends_with("unreleased"), "{french}");
    assert!(!french.contains("firefox-de-en"), "{french}");
    let all = list("models list");
    assert!(!all.stdout.contains(ID), "{}", all.stdout);
    assert!(all.stderr.contains("2 pairs of Firefox's models"), "{}", all.stderr);
    list(&format!("models pull {ID}"));
    assert!(list("models list").stdout.contains(ID));
    let narrow = [("COLUMNS", "80".to_string())];
    for line in ["models list", "models list --from fr --to en", "models list --from en"] {
        let table = sandbox.run_in(&format!("{line} --offline"), &narrow).expect(0, &[]).stdout;
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(table.lines().count() > 3 && table.contains("LICENCE"), "{table}");
    }
    let info = list("models info firefox-fr-en").stdout;
    for part in [
        "name          firefox-fr-en-base-memory\n",
        "BLEU 40.5, chrF 65.1, COMET-22 0.865 on FLORES-200+, measured by Mozilla",
        "installed in",
        "compared with Mozilla's records, version 3.0",
        "MPL-2.0, https://www.mozilla.org/MPL/2.0/",
        &format!("{}/models/fr-en/", server.url),
    ] {
        assert!(info.contains(part), "{part}: {info}");
    }
    let info = list("models info firefox-fr-en-tiny").stdout;
    assert!(info.contains("used only when it is named"), "{info}");
    assert!(list("models verify").stdout.contains("ok"));
    list("models rm firefox-fr-en");
    assert!(!list("models list --installed").stdout.contains(ID));
}

#[test]
fn a_newer_version_is_fetched_when_it_is_pulled() {
    let server = french().serve();
    let sandbox = Sandbox::new();
    program(&sandbox, &server.url, &format!("models pull {ID}")).expect(0, &[]);
    let mut newer = Mozilla::new();
    newer.add("fr-en", "base-memory", Some("Release"), gz);
    let mut bytes = Mozilla::bytes("fr-en", "model");
    let middle = bytes.len() / 2 + 1;
    bytes[middle] ^= 1;
    newer.registry["models"]["fr-en"][0]["files"]["model"]["uncompressedHash"] =
        json!(sha256(&bytes));
    let path = "/models/fr-en/run_base-memory/exported/model.fren.intgemm.alphas.bin.gz";
    newer.files.insert(path.into(), gz(&bytes));
    let newer = newer.serve();
    program(&sandbox, &newer.url, &format!("models pull {ID}")).expect(0, &[]);
    let installed = format!("cache/models/{ID}/model.fren.intgemm.alphas.bin");
    assert_eq!(fs::read(sandbox.path(&installed)).unwrap(), bytes);
    // One that cannot be had leaves what is there.
    let mut broken = french();
    broken.files.clear();
    let broken = broken.serve();
    program(&sandbox, &broken.url, &format!("models pull {ID}")).expect(0, &["stays"]);
    assert_eq!(fs::read(sandbox.path(&installed)).unwrap(), bytes);
}

#[test]
fn folders_of_firefox_and_translatelocally_are_imported_with_their_languages() {
    let sandbox = Sandbox::new();
    let put = |folder: &str, files: &[(&str, &str)]| {
        for (name, kind) in files {
            let bytes = Mozilla::bytes("en-es", kind);
            let bytes = if name.ends_with(".gz") { gz(&bytes) } else { bytes };
            sandbox.write(&format!("{folder}/{name}"), bytes);
        }
    };
    let run = |line: &str, code: i32, says: &[&str]| {
        sandbox.run(&format!("models {line} --offline")).expect(code, says)
    };
    put(
        "download",
        &[
            ("model.enes.intgemm.alphas.bin.gz", "model"),
            ("srcvocab.enes.spm.gz", "srcVocab"),
            ("trgvocab.enes.spm.gz", "trgVocab"),
        ],
    );
    let out = run("import download", 0, &["translates en → es"]).stdout;
    assert!(out.starts_with("firefox-en-es\t"), "{out}");
    let installed = "cache/models/firefox-en-es/model.enes.intgemm.alphas.bin";
    assert_eq!(fs::read(sandbox.path(installed)).unwrap(), Mozilla::bytes("en-es", "model"));
    let list = run("list --from en --to es", 0, &[]).stdout;
    assert!(list.contains("firefox-en-es") && list.contains("installed"), "{list}");
    assert!(!run("list --from es --to en", 0, &[]).stdout.contains("firefox-en-es"));
    run("import download", 1, &["is in the store already", "--force"]);
    run("import download --force", 0, &[]);
    let line = "translate --offline --lines --to es --from en --model firefox-en-es --beam 1";
    sandbox.run_with(line, "Hello.\n").expect(0, &[]);

    // A mirror's folder says which Chinese it is.
    put(
        "mirror/en-zh_hant",
        &[
            ("model.enzh.intgemm.alphas.bin", "model"),
            ("srcvocab.enzh.spm", "srcVocab"),
            ("trgvocab.enzh.spm", "trgVocab"),
        ],
    );
    let out = run("import mirror/en-zh_hant", 0, &["en → zh-TW"]).stdout;
    assert!(out.starts_with("firefox-en-zh-TW\t"), "{out}");

    // translateLocally's files have no pair in their names.
    put(
        "en-is-tiny",
        &[
            ("model.intgemm.alphas.bin", "model"),
            ("srcvocab.spm", "srcVocab"),
            ("trgvocab.spm", "trgVocab"),
        ],
    );
    sandbox.write("en-is-tiny/config.intgemm8bitalpha.yml", "relative-paths: true\n");
    sandbox.write(
        "en-is-tiny/model_info.json",
        r#"{"modelName":"English-Icelandic tiny","shortName":"en-is-tiny","srcTags":{"en":"English"},"trgTag":"is"}"#,
    );
    sandbox.write("en-is-tiny/catalog-entry.yml", "license: CC-BY-SA-NC-4.0\n");
    let out = run("import en-is-tiny", 0, &["en → is", "non-commercial"]).stdout;
    assert!(out.starts_with("en-is-tiny\t"), "{out}");
    assert!(sandbox.exists("cache/models/en-is-tiny/model.enis.intgemm.alphas.bin"));
    let info = run("info en-is-tiny", 0, &[]).stdout;
    assert!(info.contains("CC-BY-NC-SA-4.0 (non-commercial)"), "{info}");
    let line = "translate --offline --lines --to is --from en --model en-is-tiny --beam 1";
    sandbox.run_with(line, "Hello.\n").expect(0, &[]);

    sandbox.write("broken/model.enes.bin.gz", &gz(&[1; 5000])[..20]);
    sandbox.write("broken/vocab.enes.spm", "x");
    run("import broken --name b", 1, &["cannot be unpacked"]);
    assert!(!sandbox.exists("cache/models/b"));
}

#[test]
fn what_is_misspelt_is_told_what_was_meant() {
    let sandbox = Sandbox::with([("a.txt", "Bonjour.")]);
    for (line, says) in [
        ("models info opus-mt-fr-ne", "did you mean opus-mt-fr-en"),
        ("models pull Firefox-pt-en-tyny --offline", "did you mean firefox-pt-en-tiny"),
        ("translate --offline --to en --model ./nofolder a.txt", "no such folder"),
        ("translate --offline --to en --model ./no.gguf a.txt", "no such file"),
        ("translate --offline --to en --from ua a.txt", "did you mean uk (Ukrainian)"),
        ("translate --offline --to jp a.txt", "did you mean ja (Japanese)"),
        ("models list --from cz", "did you mean cs (Czech)"),
        ("models pull --from dk --to en", "did you mean da (Danish)"),
    ] {
        let outcome = sandbox.run(line).expect(1, &[says]);
        assert!(outcome.stderr.len() < 600, "{}", outcome.stderr);
    }
}

/// The registry as Mozilla had it in March 2026, where the machine has a copy of it.
#[test]
fn mozillas_own_registry_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/firefox/models.json");
    let Ok(text) = fs::read(&path) else {
        eprintln!("{} is not there: nothing to compare", path.display());
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("db")).unwrap();
    fs::write(folder.path().join("db/models.json"), text).unwrap();
    let world = World::new(folder.path().to_str().unwrap());
    let models: Vec<Model> = world.registry().at_hand();
    // 130 entries, of which `nb` and `no` are the same in both directions.
    assert_eq!(models.len(), 128);
    let count = |release: Release| models.iter().filter(|m| m.release == release).count();
    assert_eq!([Release::Released, Release::Nightly, Release::Unreleased].map(count), [98, 4, 26]);
    let pairs: std::collections::HashSet<_> =
        models.iter().map(|m| (m.from.clone(), m.to.clone())).collect();
    assert_eq!(pairs.len(), 101);
    assert!(models.iter().all(|m| m.size() < 80_000_000 && m.licence.name == "MPL-2.0"));
    let catalog = Catalog::builtin().unwrap().with(models);
    for (name, id) in [
        ("firefox-fr-en", "firefox-fr-en-base-memory"),
        ("firefox-pt-en", "firefox-pt-en-base-memory"),
        ("firefox-zh-en", "firefox-zh-en-base"),
        ("firefox-en-zh-TW", "firefox-en-zh-TW-base-memory"),
        ("firefox-bs-en", "firefox-hbs-en-base-memory"),
        ("firefox-de-en", "firefox-de-en-base-memory"),
        ("firefox-ru-en", "firefox-ru-en-tiny"),
    ] {
        assert_eq!(catalog.find(name).unwrap().id, id);
    }
    let french = &catalog.get("firefox-fr-en-base-memory").unwrap().scores[0];
    assert!((french.bleu.unwrap() - 48.0).abs() < 6.0 && french.comet.unwrap() > 0.85);
    assert_eq!(catalog.get("firefox-en-zh-base-memory").unwrap().scores[0].bleu, None);
}
