//! What was translated before, by people or in this job, is not translated again.

use super::context::read_before;
use super::progress::OnStep;
use super::{Hop, Route, Routed, Settings, Translation, translate_along};
use crate::error::Result;
use crate::generate::{Finish, Generate};
use crate::task::checks;
use crate::text::protect;
use crate::types::{Origin, TranslationMemory};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Version of the key's form, and of what is told by it: raise it where the same settings make
/// another translation in the same version of the program.
const VERSION: u32 = 1;

/// Hash of everything that a segment's translation depends on.
pub type MemoryKey = [u8; 16];

/// Keeps translations of segments, over calls and over runs.
pub trait Memory: Sync {
    /// Where and how precisely the models compute: it is part of every key.
    fn computing(&self) -> &str;

    /// Asks for the translation of a key. Who hears that it is [`Claim::Ours`] has to
    /// [`Memory::put`] it, or to [`Memory::give_up`].
    ///
    /// # Errors
    /// When it cannot be read.
    fn claim(&self, key: &MemoryKey) -> Result<Claim>;

    /// Waits for a translation that is [`Claim::Theirs`]; none where they gave it up. Whoever waits
    /// has put what is their own before, so that no two wait for each other.
    ///
    /// # Errors
    /// When it cannot be read.
    fn wait(&self, key: &MemoryKey) -> Result<Option<Translation>>;

    /// Keeps a translation.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put(&self, key: &MemoryKey, translation: &Translation) -> Result<()>;

    /// Gives up what was claimed, and is not put.
    fn give_up(&self, keys: &[MemoryKey]);

    /// Hears of a call: the segments that models could be asked for, and how many of these were
    /// known, or occur again in the call.
    fn count(&self, asked: usize, known: usize);
}

/// What becomes of a translation that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It was made before: the same in every field.
    Known(Box<Translation>),
    /// It is to be made by whoever asks.
    Ours,
    /// Somebody else is making it at this moment.
    Theirs,
}

/// Claims that are given up where nothing came of them.
struct Claims<'a> {
    memory: &'a dyn Memory,
    keys: Vec<MemoryKey>,
}

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        self.memory.give_up(&self.keys);
    }
}

/// What is known before a model is asked. Nothing, by default.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// Translations that people made; they stand for those of a model.
    pub memory: Option<&'a TranslationMemory>,
    /// Translations that this job made before.
    pub earlier: Option<&'a dyn Memory>,
}

/// Translates texts as [`translate_along`] does, those apart that are known. What a model would
/// write is the same with and without [`Known::earlier`], to the bit.
///
/// # Errors
/// When a model fails, or what is known cannot be read or written.
pub fn translate_known(
    texts: &[Routed<'_>],
    settings: &Settings,
    known: Known<'_>,
    on_done: OnStep<'_>,
) -> Result<Vec<Translation>> {
    let mut results: Vec<Option<Translation>> = texts.iter().map(|t| known.by_people(t)).collect();
    let mut plan = Plan::default();
    let unknown: Vec<usize> = (0..texts.len()).filter(|&i| results[i].is_none()).collect();
    // Alignments are asked for to look at a model's work, and are too large to be kept.
    let earlier = known.earlier.filter(|_| !settings.align);
    let recalled = match earlier {
        Some(earlier) => plan.recall(texts, &unknown, settings, earlier, &mut results),
        None => {
            plan.open = unknown.into_iter().map(|i| (i, None)).collect();
            Ok(())
        }
    };
    let claims = earlier.map(|memory| {
        let keys = plan.open.iter().filter_map(|(_, key)| *key).collect();
        Claims { memory, keys }
    });
    recalled?;
    let open: Vec<Routed<'_>> = plan.open.iter().map(|&(i, _)| texts[i]).collect();
    let found = translate_along(&open, settings, on_done)?;
    for ((i, key), translation) in plan.open.into_iter().zip(found) {
        if let (Some(key), Some(earlier)) = (key, known.earlier) {
            earlier.put(&key, &translation)?;
        }
        results[i] = Some(translation);
    }
    drop(claims);
    for (i, key) in plan.theirs {
        let made = known.earlier.map_or(Ok(None), |earlier| earlier.wait(&key))?;
        // They gave it up: it is made here, and kept by nobody.
        let alone = || translate_along(&[texts[i]], settings, on_done).map(|mut made| made.pop());
        results[i] = made.map_or_else(alone, |made| Ok(Some(made)))?;
    }
    for (i, first) in plan.equal {
        results[i] = results[first].clone();
    }
    Ok(results.into_iter().map(Option::unwrap_or_default).collect())
}

/// What is to be done with texts, by their numbers.
#[derive(Default)]
struct Plan {
    /// Those for a model, with their keys where they are to be kept.
    open: Vec<(usize, Option<MemoryKey>)>,
    /// Those that another call is translating at this moment.
    theirs: Vec<(usize, MemoryKey)>,
    /// Those that are equal to another one.
    equal: Vec<(usize, usize)>,
}

impl Plan {
    /// Looks up those texts whose numbers are `unknown`.
    fn recall(
        &mut self,
        texts: &[Routed<'_>],
        unknown: &[usize],
        settings: &Settings,
        earlier: &dyn Memory,
        results: &mut [Option<Translation>],
    ) -> Result<()> {
        let computing = earlier.computing();
        let mut routes = RouteHashes { settings, computing, known: HashMap::new() };
        let mut numbers: HashMap<MemoryKey, usize> = HashMap::new();
        let (mut asked, mut found) = (0, 0);
        for &i in unknown {
            if !is_asked_for(&texts[i]) {
                self.open.push((i, None));
                continue;
            }
            asked += 1;
            let key = memory_key(&texts[i], &routes.of(texts[i].route), settings);
            match numbers.entry(key) {
                Entry::Occupied(first) => self.equal.push((i, *first.get())),
                Entry::Vacant(new) => {
                    new.insert(i);
                    match earlier.claim(&key)? {
                        Claim::Known(known) => {
                            results[i] = Some(*known);
                            found += 1;
                        }
                        Claim::Ours => self.open.push((i, Some(key))),
                        Claim::Theirs => {
                            self.theirs.push((i, key));
                            found += 1;
                        }
                    }
                }
            }
        }
        earlier.count(asked, found + self.equal.len());
        Ok(())
    }
}

/// Whether a model is asked for a text.
fn is_asked_for(text: &Routed<'_>) -> bool {
    !text.route.hops().is_empty() && protect::is_translatable(text.text)
}

impl Known<'_> {
    /// The translation of a text that people made. It is checked as a model's is.
    fn by_people(&self, text: &Routed<'_>) -> Option<Translation> {
        let memory = self.memory.filter(|_| is_asked_for(text))?;
        let (from, to) = text.route.ends();
        let found = memory.find(from, text.text)?;
        Some(Translation {
            text: found.into(),
            problems: checks::translation(text.text, found, Finish::Stop, from, to),
            origin: Origin::Memory,
            ..Translation::default()
        })
    }
}

/// The key of a text whose route and settings have this hash; see [`RouteHashes`] for those.
fn memory_key(text: &Routed<'_>, route: &[u8], settings: &Settings) -> MemoryKey {
    let context = read_before(text, settings);
    let Routed { text, context: _, route: _, align, kept } = text;
    let mut hash = Sha256::new();
    hash.update(route);
    // Without one, memories that are there already go on to be known.
    if !context.is_empty() {
        hash.update(Sha256::digest(context.as_bytes()));
    }
    // Links between the words are part of a translation where markup needs them.
    hash.update([u8::from(*align)]);
    for part in *kept {
        hash.update(
            [part.start, part.end].map(|at| at as u64).map(u64::to_le_bytes).as_flattened(),
        );
    }
    hash.update(text.as_bytes());
    let mut key = MemoryKey::default();
    key.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    key
}

/// Hashes of what the translations of many texts have in common, each worked out once.
struct RouteHashes<'a> {
    settings: &'a Settings,
    computing: &'a str,
    /// By the places of the routes, which stay where they are during a call.
    known: HashMap<*const (), Vec<u8>>,
}

impl RouteHashes<'_> {
    fn of(&mut self, route: &Route<'_>) -> Vec<u8> {
        let place: *const () = std::ptr::from_ref(route).cast();
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let hash = Sha256::digest(depends_on(route, self.settings, self.computing)).to_vec();
        self.known.insert(place, hash.clone());
        hash
    }
}

/// What a translation depends on besides its text, in words. A setting that is new, and changes
/// translations, belongs here; the pattern asks for it.
fn depends_on(route: &Route<'_>, settings: &Settings, computing: &str) -> String {
    // The sentences before a text are part of its own key.
    let Settings { seed, decoding, align, terms, instruction, context: _ } = settings;
    // Strings and switches alone: this cannot fail.
    let terms =
        terms.as_ref().map(|terms| serde_json::to_string(&terms.parts()).unwrap_or_default());
    let terms = terms.unwrap_or_default();
    let of_model = |model: &dyn Generate| {
        let options = settings.options(model);
        format!("{} {:?} {options:?}", model.fingerprint(), model.capabilities())
    };
    let of_hop = |Hop { model, reverse, to, number: _, why: _ }: &Hop<'_>| {
        let reverse = reverse.map(of_model).unwrap_or_default();
        format!("{to}\n{}\n{reverse}\n", of_model(*model))
    };
    let hops: String = route.hops().iter().map(of_hop).collect();
    let (from, _) = route.ends();
    let program = env!("CARGO_PKG_VERSION");
    // Without one, memories that are there already go on to be known.
    let told = instruction.as_ref().map_or_else(String::new, |own| format!("{own:?}\n"));
    format!(
        "{VERSION}\n{program}\n{computing}\n{seed} {decoding:?} {align}\n{terms}\n{told}{from}\n\
         {hops}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{DecodingOverrides, Output};
    use crate::task::translate::Named;
    use crate::task::translate::route::Router;
    use crate::testing::Stub;
    use crate::types::{Lang, Problem};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    /// A memory that is gone with its test.
    #[derive(Default)]
    struct Held {
        computing: &'static str,
        kept: Mutex<HashMap<MemoryKey, Translation>>,
        counted: Mutex<(usize, usize)>,
    }

    impl Memory for Held {
        fn computing(&self) -> &str {
            self.computing
        }

        fn claim(&self, key: &MemoryKey) -> Result<Claim> {
            let known = self.wait(key)?;
            Ok(known.map_or(Claim::Ours, |known| Claim::Known(Box::new(known))))
        }

        fn wait(&self, key: &MemoryKey) -> Result<Option<Translation>> {
            Ok(self.kept.lock().unwrap().get(key).cloned())
        }

        fn give_up(&self, _: &[MemoryKey]) {}

        fn put(&self, key: &MemoryKey, translation: &Translation) -> Result<()> {
            self.kept.lock().unwrap().insert(*key, translation.clone());
            Ok(())
        }

        fn count(&self, asked: usize, known: usize) {
            *self.counted.lock().unwrap() = (asked, known);
        }
    }

    fn lang(code: &str) -> Lang {
        Lang::parse(code).unwrap()
    }

    /// A model that counts how often it is asked, and the counter.
    fn counting() -> (Stub, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let model = Stub::writing(move |request| {
            counter.fetch_add(1, Ordering::Relaxed);
            Output { score: -0.1, ..Output::of(format!("So {}", request.prompt)) }
        });
        (model, asked)
    }

    fn find(
        model: &dyn Generate,
        (from, to): (&str, &str),
        texts: &[(&'static str, bool)],
        settings: &Settings,
        known: Known<'_>,
    ) -> Vec<Translation> {
        let models = [model];
        let router = Named(&models);
        let route = router.route(&lang(from), &lang(to)).unwrap().unwrap();
        let routed = |&(text, align): &(&'static str, bool)| Routed {
            text,
            context: "",
            route: &route,
            align,
            kept: &[],
        };
        let routed: Vec<Routed<'_>> = texts.iter().map(routed).collect();
        translate_known(&routed, settings, known, &|_| true).unwrap()
    }

    const TEXTS: [(&str, bool); 4] = [
        ("Le pont est fermé.", false),
        ("12.05.", false),
        ("Il pleut.", false),
        ("Il pleut.", false),
    ];

    #[test]
    fn a_segment_is_translated_once_and_the_same_with_and_without_the_memory() {
        let (model, asked) = counting();
        let settings = Settings::default();
        let plain = find(&model, ("fr", "en"), &TEXTS, &settings, Known::default());
        let once = asked.swap(0, Ordering::Relaxed);
        let held = Held::default();
        let known = Known { earlier: Some(&held), ..Known::default() };
        for (asks, counted) in [(once, (3, 1)), (0, (3, 3))] {
            assert_eq!(find(&model, ("fr", "en"), &TEXTS, &settings, known), plain);
            assert_eq!(asked.swap(0, Ordering::Relaxed), asks);
            assert_eq!(*held.counted.lock().unwrap(), counted);
        }
        // Beside others it is the same, too.
        let more = [TEXTS[2], ("Une autre phrase.", false), TEXTS[0]];
        let found = find(&model, ("fr", "en"), &more, &settings, known);
        assert_eq!((&found[0], &found[2]), (&plain[2], &plain[0]));
    }

    #[test]
    fn what_changes_a_translation_is_not_mixed_up() {
        let held = Held::default();
        let elsewhere = Held { computing: "f32", ..Held::default() };
        let mut keys = 0;
        let mut is_new = |held: &Held, model: &Stub, pair, text, settings: Settings| {
            let known = Known { earlier: Some(held), ..Known::default() };
            find(model, pair, &[text], &settings, known);
            let before = std::mem::replace(&mut keys, held.kept.lock().unwrap().len());
            keys > before
        };
        let (model, usual) = (counting().0, Settings::default());
        let text = ("Le pont est fermé.", false);
        assert!(is_new(&held, &model, ("fr", "en"), text, usual.clone()));
        assert!(!is_new(&held, &model, ("fr", "en"), text, usual.clone()));
        let beams = DecodingOverrides { num_beams: Some(3), ..DecodingOverrides::default() };
        let other = counting().0.named("other");
        for (model, pair, text, settings) in [
            (&model, ("fr", "en"), ("Le pont est ouvert.", false), usual.clone()),
            (&model, ("fr", "en"), (text.0, true), usual.clone()),
            (&model, ("it", "en"), text, usual.clone()),
            (&model, ("fr", "de"), text, usual.clone()),
            (&model, ("fr", "en"), text, Settings { seed: 1, ..usual.clone() }),
            (&model, ("fr", "en"), text, Settings { decoding: beams, ..usual.clone() }),
            (&other, ("fr", "en"), text, usual.clone()),
        ] {
            assert!(
                is_new(&held, model, pair, text, settings.clone()),
                "{pair:?} {text:?} {settings:?}"
            );
        }
        let known = Known { earlier: Some(&elsewhere), ..Known::default() };
        find(&model, ("fr", "en"), &[text], &usual, known);
        let kept = elsewhere.kept.lock().unwrap();
        let here = held.kept.lock().unwrap();
        assert!(kept.len() == 1 && kept.keys().all(|key| !here.contains_key(key)));
    }

    #[test]
    fn a_translation_of_people_stands_for_that_of_a_model_and_is_checked() {
        let (model, asked) = counting();
        let mut memory = TranslationMemory::new(&lang("en"));
        let (good, bad) = ("Le pont est fermé depuis 1998.", "Le pont a coûté 40 millions.");
        memory.insert(&lang("fr"), good, &lang("en"), "The bridge has been closed since 1998.");
        memory.insert(&lang("fr"), bad, &lang("en"), "The bridge cost 50 millions.");
        memory.insert(&lang("fr"), "12.05.", &lang("en"), "May 12th");
        let held = Held::default();
        let known = Known { memory: Some(&memory), earlier: Some(&held) };
        let texts = [(good, true), (bad, false), ("12.05.", false), ("Il pleut.", false)];
        let found = find(&model, ("fr", "en"), &texts, &Settings::default(), known);
        let shown: Vec<_> = found.iter().map(|t| (t.text.as_str(), t.origin)).collect();
        assert_eq!(shown[0], ("The bridge has been closed since 1998.", Origin::Memory));
        assert_eq!(shown[1], ("The bridge cost 50 millions.", Origin::Memory));
        // Figures need nobody.
        assert_eq!(shown[2], ("12.05.", Origin::Model));
        assert_eq!(shown[3].1, Origin::Model);
        assert_eq!((&found[0].problems, &found[1].problems), (&vec![], &vec![Problem::Number]));
        assert!(asked.load(Ordering::Relaxed) > 0);
        // What people wrote is not kept as what a model did.
        assert_eq!((held.kept.lock().unwrap().len(), *held.counted.lock().unwrap()), (1, (1, 0)));
    }
}
