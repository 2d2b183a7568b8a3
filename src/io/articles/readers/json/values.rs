//! A stream of JSON, cut into values without parsing them.

use super::super::super::reader::Piece;
use super::list::{Way, leads_to};
use std::io::{self, BufRead};

/// Cuts a stream of JSON into values: the elements of arrays at the top, or of the lists to which
/// ways are known in each value at the top, and other values at the top one by one. So an array of
/// any size streams, and a broken element does not take its neighbours with it.
pub(super) struct Values<R> {
    reader: R,
    max: usize,
    /// The ways to the lists in a value at the top; none where it is an article or an array.
    ways: Vec<Way>,
    /// Whether an array at the top is one value.
    is_one: bool,
    /// Whether a call is around the values, which ends with a bracket: `callback(…);`.
    is_called: bool,
    /// The objects and arrays that are open, outermost first.
    open: Vec<Open>,
    count: usize,
}

/// An object or an array that is being read.
struct Open {
    /// Whether it is an object, whose values have names.
    keyed: bool,
    /// Whether it is a list of articles.
    is_list: bool,
    /// Those of the ways that lead through it, by their places.
    ways: Vec<usize>,
}

impl<R: BufRead> Values<R> {
    pub(super) fn new(
        reader: R,
        max: usize,
        ways: Vec<Way>,
        is_one: bool,
        is_called: bool,
    ) -> Self {
        Values { reader, max, ways, is_one, is_called, open: Vec::new(), count: 0 }
    }

    /// Passes over what stands between values, and returns the first byte of what follows.
    fn skip_between(&mut self) -> io::Result<Option<u8>> {
        let ends_call = self.is_called && self.open.is_empty();
        self.skip(|b| b.is_ascii_whitespace() || b == b',' || ends_call && matches!(b, b')' | b';'))
    }

    /// Whether what was read is a value at the top, and nothing but white space is left.
    pub(super) fn is_alone(&mut self) -> bool {
        let whole = self.ways.is_empty() && self.open.is_empty();
        whole && self.skip_between().is_ok_and(|next| next.is_none())
    }

    /// Passes over bytes and returns the first other one, unread.
    fn skip(&mut self, pass: impl Fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let passed = buffer.iter().take_while(|&&b| pass(b)).count();
            let next = buffer.get(passed).copied();
            self.reader.consume(passed);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// The next value and its number from 1. Values in a row that are no objects (an array of
    /// numbers, a page of another format) are one: the first stands for all.
    pub(super) fn next_value(&mut self) -> io::Result<Option<(usize, Piece)>> {
        let number = self.count + 1;
        match self.seek()? {
            None if self.open.last().is_some_and(|open| open.is_list) => {
                self.open.clear();
                Ok(Some((number, Piece::Torn)))
            }
            None => Ok(None),
            Some(b'{') => Ok(Some((number, self.value()?))),
            Some(_) => {
                let first = self.value()?;
                // An object in a string is one all the same.
                if matches!(&first, Piece::Whole(bytes) if bytes.starts_with(b"\"{")) {
                    return Ok(Some((number, first)));
                }
                while self.seek()?.is_some_and(|b| b != b'{') {
                    self.value()?;
                }
                Ok(Some((number, first)))
            }
        }
    }

    /// Goes to the start of the next value and returns its first byte.
    fn seek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let next = self.skip_between()?;
            let keyed = self.open.last().is_some_and(|open| open.keyed);
            let mut name = None;
            let byte = match next {
                None => return Ok(None),
                Some(b'}') if keyed => {
                    self.close();
                    continue;
                }
                Some(b']') => {
                    self.close();
                    continue;
                }
                Some(b'"') if keyed => {
                    name = Some(self.name()?);
                    match self.skip(|b| b.is_ascii_whitespace() || b == b':')? {
                        None => return Ok(None),
                        Some(b',' | b'}' | b']') => continue,
                        Some(byte) => byte,
                    }
                }
                Some(_) if keyed => {
                    self.pass_over_rest()?;
                    continue;
                }
                Some(byte) => byte,
            };
            let (ways, is_list) = self.below(byte, name.as_deref());
            if is_list || !ways.is_empty() && matches!(byte, b'{' | b'[') {
                self.reader.consume(1);
                self.open.push(Open { keyed: byte == b'{', is_list, ways });
                continue;
            }
            // Between the articles of an object there may be numbers about them.
            let of_list = self.open.last().is_none_or(|open| open.is_list);
            if of_list && (!keyed || byte == b'{') {
                return Ok(Some(byte));
            }
            self.pass_value()?;
        }
    }

    /// The ways that lead through the value that begins with a byte, and whether it is a list of
    /// articles. `name`: its name in the object around it.
    fn below(&self, byte: u8, name: Option<&[u8]>) -> (Vec<usize>, bool) {
        let depth = self.open.len();
        let opens = matches!(byte, b'{' | b'[');
        let Some(around) = self.open.last() else {
            // Ways that begin with a name are those of objects.
            let named = self.ways.iter().all(|way| way.first().is_some_and(Option::is_some));
            let is_list = opens && self.ways.iter().any(Vec::is_empty)
                || byte == b'[' && named && !self.is_one;
            return ((0..self.ways.len()).collect(), is_list);
        };
        let through = around.ways.iter().copied();
        let ways: Vec<usize> = through.filter(|&i| leads_to(&self.ways[i], depth, name)).collect();
        let is_list = opens && ways.iter().any(|&i| self.ways[i].len() == depth);
        (ways, is_list)
    }

    /// Leaves an object or an array, or passes over a bracket that closes nothing.
    fn close(&mut self) {
        self.reader.consume(1);
        self.open.pop();
    }

    /// Passes over the rest of an object that is broken.
    fn pass_over_rest(&mut self) -> io::Result<()> {
        let mut scan = Scan { depth: 1, started: true, ..Scan::default() };
        self.pass(|byte| {
            let closes = scan.depth == 1 && !scan.in_string && matches!(byte, b'}' | b']');
            closes || scan.ends_before(byte)
        })?;
        self.close();
        Ok(())
    }

    /// Passes over a value.
    fn pass_value(&mut self) -> io::Result<()> {
        let mut scan = Scan::default();
        self.pass(|byte| {
            let is_bare = scan.depth == 0 && !scan.in_string;
            is_bare && b",}]".contains(&byte) || scan.ends_before(byte)
        })
    }

    /// Passes over bytes up to the one at which `ends` holds, or to the end.
    fn pass(&mut self, mut ends: impl FnMut(u8) -> bool) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|&b| ends(b));
            let (length, empty) = (end.unwrap_or(buffer.len()), buffer.is_empty());
            self.reader.consume(length);
            if end.is_some() || empty {
                return Ok(());
            }
        }
    }

    /// Reads a name up to its closing quotation mark; a long one is no name that is looked for.
    fn name(&mut self) -> io::Result<Vec<u8>> {
        const LONGEST: usize = 1 << 10;
        let mut name = Vec::new();
        let mut scan = Scan::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|&b| {
                scan.ends_before(b);
                scan.closed()
            });
            let length = end.map_or(buffer.len(), |end| end + 1);
            name.extend_from_slice(&buffer[..length.min(LONGEST.saturating_sub(name.len()))]);
            self.reader.consume(length);
            if end.is_some() || length == 0 {
                return Ok(serde_json::from_slice::<String>(&name).map_or(name, String::into_bytes));
            }
        }
    }

    fn value(&mut self) -> io::Result<Piece> {
        self.count += 1;
        let mut value = Vec::new();
        let mut scan = Scan::default();
        let mut large = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if !scan.closed() && !large {
                    self.open.clear();
                    return Ok(Piece::Torn);
                }
                return Ok(if large { Piece::TooLarge } else { Piece::Whole(value) });
            }
            let end = buffer.iter().position(|&b| scan.ends_before(b));
            let length = end.unwrap_or(buffer.len());
            large |= value.len() + length > self.max;
            if large {
                value = Vec::new();
            } else {
                value.extend_from_slice(&buffer[..length]);
            }
            self.reader.consume(length);
            if end.is_some() {
                return Ok(if large { Piece::TooLarge } else { Piece::Whole(value) });
            }
        }
    }
}

/// Where in a value a byte stands.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    started: bool,
}

impl Scan {
    fn closed(&self) -> bool {
        self.started && self.depth == 0 && !self.in_string
    }

    /// Whether the value was over before this byte; takes the byte in otherwise.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        // Objects directly after each other need no separator.
        if self.closed() && (byte.is_ascii_whitespace() || b",[]{});".contains(&byte)) {
            return true;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.started = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, max: usize) -> Vec<Option<String>> {
        values_of("", text, max)
    }

    /// `lists`: the ways to them, divided by spaces; `.` is the value at the top itself.
    fn values_of(lists: &str, text: &str, max: usize) -> Vec<Option<String>> {
        let step = |name: &str| (name != "*").then(|| name.to_string());
        let way = |way: &str| way.split('.').filter(|name| !name.is_empty()).map(step).collect();
        let ways = lists.split_whitespace().map(way).collect();
        // A tiny buffer puts every seam somewhere.
        let reader = io::BufReader::with_capacity(3, text.as_bytes());
        let mut values = Values::new(reader, max, ways, false, false);
        std::iter::from_fn(|| values.next_value().unwrap())
            .map(|(_, piece)| {
                if let Piece::Whole(bytes) = piece {
                    Some(String::from_utf8(bytes).unwrap())
                } else {
                    None
                }
            })
            .collect()
    }

    #[test]
    fn streams_are_cut_into_values() {
        let some = |s: &str| Some(s.to_string());
        assert_eq!(
            values(r#" [ {"a": "]},\"{"} , {"b": [1, {}]}, "x y", 3 ,{}]"#, 99),
            [some(r#"{"a": "]},\"{"}"#), some(r#"{"b": [1, {}]}"#), some("\"x y\""), some("{}"),]
        );
        assert_eq!(values("<html> a page, not JSON {", 99), [some("<html>"), None]);
        assert_eq!(
            values("{\"a\":1}{\"b\":2}\n{\"c\":3}", 99),
            [some("{\"a\":1}"), some("{\"b\":2}"), some("{\"c\":3}")]
        );
        assert_eq!(values("[{\"a\": }, {\"b\":2}]", 99), [some("{\"a\": }"), some("{\"b\":2}")]);
        assert_eq!(values("[{\"a\":1}, {\"b\":", 99), [some("{\"a\":1}"), None]);
        assert_eq!(values("[{\"a\":1}", 99), [some("{\"a\":1}"), None]);
        assert_eq!(values("[{\"a\":\"long long\"}, {}]", 8), [None, some("{}")]);
        assert_eq!(values("  [ ] ", 8), []);
        let packed = [some(r#""{\"a\":1}""#), some(r#""{\"b\":2}""#)];
        assert_eq!(values(r#"["{\"a\":1}", "{\"b\":2}"]"#, 99), packed);
    }

    #[test]
    fn lists_inside_of_objects_stream_too() {
        let some = |s: &str| Some(s.to_string());
        let ab = [some("{\"a\":1}"), some("{\"b\":2}")];
        let list = r#"{"n": 3, "s": "]}\"", "o": {"x": [1]}, "x": [ {"a":1}, {"b":2} ], "y": {}}"#;
        assert_eq!(values_of("x", list, 99), ab);
        let deep = format!("{{\"r\": {{\"e\": true, \"d\": {list} , \"z\": [[]]}}}}");
        assert_eq!(values_of("r.d.x", &deep, 99), ab);
        assert_eq!(
            values_of("r.d.x", &format!("{deep}\n{deep}"), 99),
            [ab.clone(), ab.clone()].concat()
        );
        assert_eq!(values_of("p", r#"{"p": {"1": {"a":1}, "2" : {"b":2}}, "q": 1}"#, 99), ab);
        assert_eq!(
            values_of("x", r#"{"x": [{"a":1}, {"b":2}"#, 99),
            [ab.as_slice(), &[None]].concat()
        );
        assert_eq!(values_of("x", r#"{"y": [{"a":1}, "#, 99), []);
    }
    #[test]
    fn several_lists_and_lists_in_lists() {
        let some = |s: &str| Some(s.to_string());
        let abc = [some("{\"a\":1}"), some("{\"b\":2}"), some("{\"c\":3}")];
        for (lists, text) in [
            ("x y", r#"{"x": [{"a":1}], "z": [{"q":0}], "y": [{"b":2}, {"c":3}]}"#),
            ("*", r#"[[{"a":1}], 3, [{"b":2}, {"c":3}]]"#),
            ("*", r#"{"2025": [{"a":1}, {"b":2}], "n": 2, "2026": [{"c":3}]}"#),
            ("*.x", r#"[{"x": [{"a":1}], "y": [{"q":0}]}, {"x": [{"b":2}, {"c":3}]}]"#),
            (".", r#"{"i": {"a":1}, "n": 3, "j": {"b":2}, "s": "x{", "k": {"c":3}}"#),
            ("p.*.x", r#"{"p": [{"n": 1, "x": [{"a":1}]}, {"x": [{"b":2}, {"c":3}]}], "x": [0]}"#),
        ] {
            assert_eq!(values_of(lists, text, 99), abc, "{lists}: {text}");
        }
        assert_eq!(values_of("x", r#"{3: [{"x": [{"a":1}]}]} {"x": [{"a":1}]}"#, 99), abc[..1]);
    }
}
