//! Paths to fields of a JSON object: `content.rendered`, `data.0.body`, `data[0].body`.

use serde_json::{Map, Value};

/// The names and numbers that lead to a field.
pub(crate) type Path = Vec<String>;

/// The path that a user's name for a field means in this object, if it leads anywhere. A field
/// whose own name has dots comes first.
pub(crate) fn resolve(object: &Map<String, Value>, name: &str) -> Option<Path> {
    if object.contains_key(name) {
        return Some(vec![name.into()]);
    }
    let steps = steps(name);
    at(object, &steps).is_some().then_some(steps)
}

fn steps(name: &str) -> Path {
    let name = name.strip_prefix('$').unwrap_or(name);
    let steps = name.split(['.', '[', ']']).map(|step| step.trim_matches(['\'', '"']));
    steps.filter(|step| !step.is_empty()).map(String::from).collect()
}

/// The end of a user's path that leads somewhere in this object, where the whole does not.
pub(crate) fn resolve_end(object: &Map<String, Value>, name: &str) -> Option<String> {
    let steps = steps(name);
    (1..steps.len()).map(|i| &steps[i..]).find(|end| at(object, end).is_some()).map(shown)
}

/// The value that a path leads to.
pub(crate) fn at<'a>(object: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(object.get(first)?, |value, step| match value {
        Value::Object(object) => object.get(step),
        Value::Array(values) => values.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Takes a field out, and with it the objects that have nothing else.
pub(crate) fn remove(object: &mut Map<String, Value>, path: &[String]) {
    match path {
        [] => {}
        [last] => drop(object.shift_remove(last)),
        [first, rest @ ..] => {
            if let Some(Value::Object(inner)) = object.get_mut(first) {
                remove(inner, rest);
                if inner.is_empty() {
                    object.shift_remove(first);
                }
            }
        }
    }
}

/// A path as a user writes it.
pub(crate) fn shown(path: &[String]) -> String {
    path.join(".")
}

/// A field's name for comparing: in lower case without `_` and `-`.
pub(crate) fn plain(key: &str) -> String {
    let letters = key.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | ':'));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_fields() {
        let value = serde_json::json!({
            "a.b": 1, "a": {"b": {"c": 2}, "d": 3}, "list": [{"body": 4}, {"body": 5}]
        });
        let Value::Object(mut object) = value else { unreachable!() };
        let get = |name: &str| at(&object, &resolve(&object, name)?).cloned();
        for (name, found) in [
            ("a.b", Some(1)),
            ("a.b.c", Some(2)),
            ("list.0.body", Some(4)),
            ("$.list[1]['body']", Some(5)),
            ("list.2.body", None),
            ("", None),
        ] {
            assert_eq!(get(name), found.map(Value::from), "{name}");
        }
        assert_eq!(resolve_end(&object, "data.0.a.d"), Some("a.d".into()));
        remove(&mut object, &["a".into(), "b".into(), "c".into()]);
        assert_eq!(object["a"], serde_json::json!({"d": 3}));
    }
}
