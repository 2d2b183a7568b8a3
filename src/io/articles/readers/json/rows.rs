//! Articles in one value that is no list of objects: the columns of a table, texts by their ids, a
//! list in a string.

use super::list;
use crate::text::json::path::{at, plain};
use crate::text::json::{blocks, search};
use serde_json::{Map, Value};

/// Elements of a list that are looked at.
const LOOKED_AT: usize = 5;

/// Fewest words of a text that stands for an article, and bytes where no spaces divide it.
const LONG: (usize, usize) = (8, 120);

/// Objects of the articles in a value; `None` where it is one article or something else.
pub(super) fn of_value(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let rows = match serde_json::from_slice(bytes).ok()? {
        Value::String(text) => in_string(&text),
        Value::Object(object) => columns(&object)
            .or_else(|| split(&object))
            .or_else(|| by_id(&object))
            .or_else(|| in_field(&object)),
        _ => None,
    };
    rows?.iter().map(|row| serde_json::to_vec(row).ok()).collect()
}

/// The rows of a table whose columns are members, as `{"title": ["A", "B"], "text": ["X", "Y"]}`:
/// what has several titles, one for each text, is no article with one title.
fn columns(object: &Map<String, Value>) -> Option<Vec<Value>> {
    let of_name = |is: fn(&str) -> bool| {
        object.iter().filter(move |(name, _)| is(name)).find_map(|(_, value)| strings(value))
    };
    let length = of_name(search::is_text_name)?.len();
    let titles = of_name(|name| search::names_a_title(name) || plain(name) == "id")?.len();
    let columns: Vec<(&String, Vec<&Value>)> =
        object.iter().filter_map(|(name, value)| Some((name, column(value)?))).collect();
    // Columns of several lengths are none.
    if length < 2 || titles != length || columns.iter().any(|(_, c)| c.len() != length) {
        return None;
    }
    let row = |i: usize| {
        let cells = columns.iter().map(|(name, values)| ((*name).clone(), values[i].clone()));
        Value::Object(cells.collect())
    };
    Some((0..length).map(row).collect())
}

/// The values of a column: an array, or members by their numbers, as pandas writes it.
fn column(value: &Value) -> Option<Vec<&Value>> {
    let is_cell = |value: &&Value| !value.is_array() && !value.is_object();
    let values: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(rows) if !rows.is_empty() && rows.keys().all(|k| is_number(k)) => {
            rows.values().collect()
        }
        _ => return None,
    };
    values.iter().all(is_cell).then_some(values)
}

/// The same of a column that has strings, or numbers as ids.
fn strings(value: &Value) -> Option<Vec<&Value>> {
    column(value).filter(|values| values.iter().any(|v| v.is_string() || v.is_number()))
}

fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// The rows of a table that is written as the names of its columns and the cells of its rows.
fn split(object: &Map<String, Value>) -> Option<Vec<Value>> {
    let names = object.get("columns")?.as_array()?;
    let names: Vec<&str> = names.iter().map(Value::as_str).collect::<Option<_>>()?;
    let rows = object.get("data")?.as_array()?;
    let row = |row: &Value| {
        let cells = row.as_array().filter(|cells| cells.len() == names.len())?;
        let cells = names.iter().zip(cells).map(|(name, cell)| (name.to_string(), cell.clone()));
        Some(Value::Object(cells.collect()))
    };
    names.iter().any(|name| search::is_text_name(name)).then(|| rows.iter().map(row).collect())?
}

/// Texts by their ids. Names without a figure may be those of the parts of one article.
fn by_id(object: &Map<String, Value>) -> Option<Vec<Value>> {
    let is_text = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.split_whitespace().nth(LONG.0 - 1).is_some() || text.len() >= LONG.1
    };
    let is_id = |name: &str| name.contains(|c: char| c.is_ascii_digit());
    let all = object.iter().all(|(name, value)| is_id(name) && is_text(value));
    let row = |(id, text): (&String, &Value)| serde_json::json!({"id": id, "text": text});
    (object.len() > 1 && all).then(|| object.iter().map(row).collect())
}

/// The articles of a list in the one field of an object that has them as a string of JSON.
fn in_field(object: &Map<String, Value>) -> Option<Vec<Value>> {
    let mut lists = object.iter().filter_map(|(name, value)| {
        let text = value.as_str().filter(|text| text.trim_start().starts_with('['))?;
        Some((name, in_string(text)?))
    });
    let (name, rows) = lists.next()?;
    let text = search::find(object, &search::TEXT_FIELDS);
    let alone = lists.next().is_none() && text.is_none_or(|path| path == [name.clone()]);
    alone.then_some(rows)
}

/// The articles of a list in a string of JSON.
fn in_string(text: &str) -> Option<Vec<Value>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let is_article = |value: &Value| {
        value.as_object().is_some_and(|object| {
            search::depth_of_text(object).is_some()
                && (search::has_title(object) || !blocks::has_block_kind(object))
        })
    };
    let values = match &value {
        Value::Object(object) => at(object, &list::find(&value)?)?.as_array()?,
        value => value.as_array()?,
    };
    let all = !values.is_empty() && values.iter().take(LOOKED_AT).all(is_article);
    all.then(|| values.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(value: &Value) -> Option<Vec<Value>> {
        let rows = of_value(value.to_string().as_bytes())?;
        Some(rows.iter().map(|row| serde_json::from_slice(row).unwrap()).collect())
    }

    const LONG_TEXT: &str = "The bridge stays closed until spring, the council said.";

    #[test]
    fn columns_are_rows() {
        let both = [
            json!({"title": "A", "text": "X", "n": 1}),
            json!({"title": "B", "text": "Y", "n": 2}),
        ];
        for table in [
            json!({"title": ["A", "B"], "text": ["X", "Y"], "n": [1, 2]}),
            json!({
                "title": {"0": "A", "1": "B"}, "text": {"0": "X", "1": "Y"}, "n": {"0": 1, "1": 2},
            }),
            json!({"columns": ["title", "text", "n"], "data": [["A", "X", 1], ["B", "Y", 2]]}),
        ] {
            assert_eq!(rows(&table).unwrap(), both, "{table}");
        }
        for one in [
            json!({"title": ["A"], "text": ["X", "Y"]}),
            json!({"title": "A", "text": ["X", "Y"]}),
            json!({"title": ["A", "B"], "text": ["X", "Y"], "tags": ["a", "b", "c"]}),
            json!({"heading": ["A", "B"], "text": ["X", "Y"]}),
        ] {
            assert_eq!(rows(&one), None, "{one}");
        }
    }

    #[test]
    fn texts_by_their_ids() {
        let value = json!({"a1": LONG_TEXT, "a2": LONG_TEXT});
        assert_eq!(rows(&value).unwrap()[1], json!({"id": "a2", "text": LONG_TEXT}));
        for one in [
            json!({"intro": LONG_TEXT, "body2": LONG_TEXT}),
            json!({"a1": LONG_TEXT}),
            json!({"a1": LONG_TEXT, "a2": "short"}),
        ] {
            assert_eq!(rows(&one), None, "{one}");
        }
    }

    #[test]
    fn lists_in_strings() {
        let articles = json!([{"title": "A", "text": "X"}, {"title": "B", "text": "Y"}]);
        let wrapped = json!({"articles": articles}).to_string();
        for value in [
            json!(articles.to_string()),
            json!(wrapped),
            json!({"status": 200, "body": articles.to_string()}),
        ] {
            assert_eq!(json!(rows(&value).unwrap()), articles, "{value}");
        }
        let blocks = json!([{"type": "paragraph", "text": "One."}]).to_string();
        for one in [
            json!({"title": "T", "body": blocks}),
            json!({"text": LONG_TEXT, "related": articles.to_string()}),
            json!("[1, 2]"),
        ] {
            assert_eq!(rows(&one), None, "{one}");
        }
    }
}
