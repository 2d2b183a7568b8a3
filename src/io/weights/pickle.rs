//! Python's pickle format, as far as a `state_dict` needs it and no further.
//!
//! A pickle is a program for a small stack machine that may call any function of any Python module.
//! This machine calls nothing: it knows the handful of names that `torch.save` writes for tensors,
//! and refuses the file at any other name. Values are kept in one list and refer to each other by
//! number, so that a value that is used many times is held once, and nesting costs no stack.

use super::stored::Kind;
use std::collections::HashMap;

/// No more values than this; a tensor takes about twenty.
const MAX_VALUES: usize = 1 << 20;
/// No tensor has more dimensions than this.
const MAX_DIMS: usize = 8;

/// Number of a value.
pub(super) type Id = u32;

/// A tensor as it is described: numbers of a storage, which lies elsewhere in the file.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub storage: Storage,
    /// First number in the storage.
    pub offset: u64,
    pub shape: Vec<usize>,
    /// Numbers between neighbours in each dimension.
    pub strides: Vec<usize>,
}

/// A run of numbers of one type.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub kind: Kind,
    pub key: String,
    /// The number of its numbers.
    pub count: u64,
}

/// The names that may be called or referred to.
#[derive(Clone, Copy, Debug)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Kind),
}

impl Global {
    fn find(module: &str, name: &str) -> Option<Global> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
            ("torch", "DoubleStorage") => Global::Storage(Kind::F64),
            ("torch", "FloatStorage") => Global::Storage(Kind::F32),
            ("torch", "HalfStorage") => Global::Storage(Kind::F16),
            ("torch", "BFloat16Storage") => Global::Storage(Kind::BF16),
            ("torch", "LongStorage") => Global::Storage(Kind::Other("int64", 8)),
            ("torch", "IntStorage") => Global::Storage(Kind::Other("int32", 4)),
            ("torch", "ShortStorage") => Global::Storage(Kind::Other("int16", 2)),
            ("torch", "CharStorage") => Global::Storage(Kind::Other("int8", 1)),
            ("torch", "ByteStorage") => Global::Storage(Kind::Other("uint8", 1)),
            ("torch", "BoolStorage") => Global::Storage(Kind::Other("bool", 1)),
            _ => return None,
        })
    }
}

#[derive(Debug)]
enum Value {
    /// None, a float, a number of more than 64 bits: nothing that a tensor depends on.
    Other,
    Bool(bool),
    Int(i64),
    Text(String),
    /// A tuple or list.
    Sequence(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Box<Storage>),
    Tensor(Box<Described>),
}

/// The values of one pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    pub root: Id,
    /// The first byte after it.
    pub end: usize,
}

impl Pickle {
    /// Runs the program that begins at byte `start`. The message says what is wrong with it.
    pub fn load(bytes: &[u8], start: usize) -> Result<Pickle, String> {
        let mut machine = Machine {
            bytes,
            at: start,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        loop {
            let at = machine.at;
            match machine.step() {
                Ok(None) => {}
                Ok(Some(root)) => {
                    return Ok(Pickle { values: machine.values, root, end: machine.at });
                }
                Err(what) => return Err(format!("{what} (at byte {at} of its pickle)")),
            }
        }
    }

    pub fn int(&self, id: Id) -> Option<i64> {
        if let Value::Int(n) = self.value(id) { Some(*n) } else { None }
    }

    pub fn is_true(&self, id: Id) -> bool {
        matches!(self.value(id), Value::Bool(true))
    }

    pub fn text(&self, id: Id) -> Option<&str> {
        if let Value::Text(text) = self.value(id) { Some(text) } else { None }
    }

    pub fn sequence(&self, id: Id) -> Option<&[Id]> {
        if let Value::Sequence(ids) = self.value(id) { Some(ids) } else { None }
    }

    pub fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        if let Value::Dict(entries) = self.value(id) { Some(entries) } else { None }
    }

    /// The value of a text key; the last one, as in Python.
    pub fn entry(&self, dict: Id, key: &str) -> Option<Id> {
        self.dict(dict)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, v)| *v)
    }

    /// All storages that are spoken of.
    pub fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.values.iter().filter_map(|value| {
            if let Value::Storage(storage) = value { Some(&**storage) } else { None }
        })
    }

    pub fn tensor(&self, id: Id) -> Option<&Described> {
        if let Value::Tensor(tensor) = self.value(id) { Some(tensor) } else { None }
    }

    fn value(&self, id: Id) -> &Value {
        // Ids come from this pickle only.
        &self.values[id as usize]
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Machine<'_> {
    /// Does one instruction; the result at the last one.
    fn step(&mut self) -> Result<Option<Id>, String> {
        match self.byte()? {
            // PROTO
            0x80 => match self.byte()? {
                2..=5 => {}
                version => return Err(format!("pickle protocol {version} is not known")),
            },
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            code @ (b't' | 0x85..=0x87 | b'a' | b'e' | b's' | b'u' | b'b') => self.collect(code)?,
            code @ (b'q' | b'r' | b'h' | b'j') => self.memoize(code)?,
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(Value::Storage(Box::new(storage)))?;
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments)?;
            }
            code => {
                let value = self.literal(code)?;
                self.push(value)?;
            }
        }
        Ok(None)
    }

    /// The value that an instruction writes out.
    fn literal(&mut self, code: u8) -> Result<Value, String> {
        Ok(match code {
            b'N' => Value::Other,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            // BINFLOAT
            b'G' => {
                self.take(8)?;
                Value::Other
            }
            b'K' => Value::Int(self.byte()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            // LONG1
            0x8a => {
                let length = self.byte()?;
                long(self.take(length.into())?)
            }
            // BINUNICODE
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                let text = std::str::from_utf8(self.take(length as usize)?)
                    .map_err(|_| "a text is not UTF-8")?;
                Value::Text(text.to_string())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                let global = Global::find(module, name).ok_or_else(|| {
                    let full: String = format!("{module}.{name}").chars().take(100).collect();
                    format!("it calls {full:?}, which has no place among weights. Nothing of it was run; use safetensors files instead")
                })?;
                Value::Global(global)
            }
            b')' | b']' => Value::Sequence(Vec::new()),
            b'}' => Value::Dict(Vec::new()),
            other => return Err(format!("instruction {other:#04x} has no place among weights")),
        })
    }

    /// An instruction that makes a tuple, or adds to a list or dictionary.
    fn collect(&mut self, code: u8) -> Result<(), String> {
        match code {
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Sequence(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.list()?.push(item);
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.list()?.extend(items);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.dict()?.push((key, value));
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                let (pairs, rest) = items.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err("a key has no value".into());
                }
                self.dict()?.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            }
            // BUILD: the attributes of a state dict say which version of each layer wrote it.
            b'b' => {
                self.pop()?;
                self.dict()?;
            }
            // TUPLE1 to TUPLE3
            length => {
                let length = usize::from(length.saturating_sub(0x84));
                let items = self
                    .stack
                    .len()
                    .checked_sub(length)
                    .filter(|&from| from >= self.floor())
                    .ok_or(SHORT)?;
                let items = self.stack.split_off(items);
                self.push(Value::Sequence(items))?;
            }
        }
        Ok(())
    }

    /// An instruction that keeps the topmost value under a number, or brings one back.
    fn memoize(&mut self, code: u8) -> Result<(), String> {
        let key = match code {
            b'q' | b'h' => self.byte()?.into(),
            _ => u32::from_le_bytes(self.array()?),
        };
        match code {
            b'q' | b'r' => self.remember(key),
            _ => self.recall(key),
        }
    }

    fn call(&mut self, function: Id, arguments: Id) -> Result<(), String> {
        let Value::Sequence(arguments) = self.value(arguments) else {
            return Err("a call has no arguments".into());
        };
        match (self.value(function), arguments.as_slice()) {
            (Value::Global(Global::OrderedDict), []) => self.push(Value::Dict(Vec::new())),
            (Value::Global(Global::RebuildTensor), [storage, offset, shape, strides, ..]) => {
                let (Value::Storage(storage), Value::Int(offset)) =
                    (self.value(*storage), self.value(*offset))
                else {
                    return Err("a tensor is described in a way that is not known".into());
                };
                let offset =
                    u64::try_from(*offset).map_err(|_| "a tensor begins before its storage")?;
                let described = Described {
                    storage: (**storage).clone(),
                    offset,
                    shape: self.sizes(*shape)?,
                    strides: self.sizes(*strides)?,
                };
                self.push(Value::Tensor(Box::new(described)))
            }
            (Value::Global(Global::RebuildParameter), [tensor, ..])
                if matches!(self.value(*tensor), Value::Tensor(_)) =>
            {
                self.stack.push(*tensor);
                Ok(())
            }
            (function, _) => {
                Err(format!("a call of {function:?} is not of the form that torch.save writes"))
            }
        }
    }

    /// The storage that a tuple stands for: ('storage', type, key, device, number of elements) and
    /// perhaps None.
    fn storage(&self, id: Id) -> Result<Storage, String> {
        let wrong = || String::from("a storage is described in a way that is not known");
        let Value::Sequence(parts) = self.value(id) else { return Err(wrong()) };
        let [tag, kind, key, _, count, view @ ..] = parts.as_slice() else { return Err(wrong()) };
        let (Value::Text(tag), Value::Global(Global::Storage(kind))) =
            (self.value(*tag), self.value(*kind))
        else {
            return Err(wrong());
        };
        let (Value::Text(key), Value::Int(count)) = (self.value(*key), self.value(*count)) else {
            return Err(wrong());
        };
        let whole = view.iter().all(|&v| matches!(self.value(v), Value::Other));
        let count = u64::try_from(*count).map_err(|_| wrong())?;
        // Keys are short numbers.
        if tag != "storage" || !whole || key.len() > 32 {
            return Err(wrong());
        }
        Ok(Storage { kind: *kind, key: key.clone(), count })
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, String> {
        let Value::Sequence(ids) = self.value(id) else { return Err("a shape is no tuple".into()) };
        if ids.len() > MAX_DIMS {
            return Err(format!("a tensor has {} dimensions", ids.len()));
        }
        let size = |&id: &Id| {
            if let Value::Int(n) = self.value(id) { usize::try_from(*n).ok() } else { None }
        };
        ids.iter()
            .map(size)
            .collect::<Option<_>>()
            .ok_or_else(|| "a shape is not made of sizes".into())
    }

    fn value(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        if self.values.len() >= MAX_VALUES {
            return Err(format!("it has more than {MAX_VALUES} values"));
        }
        self.stack.push(self.values.len() as Id);
        self.values.push(value);
        Ok(())
    }

    /// Height below which the stack belongs to an outer mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, String> {
        if self.stack.len() <= self.floor() {
            return Err(SHORT.into());
        }
        self.stack.pop().ok_or_else(|| SHORT.into())
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len()).ok_or(SHORT)?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Result<&mut Value, String> {
        let id = self.stack.last().filter(|_| self.stack.len() > self.floor()).ok_or(SHORT)?;
        Ok(&mut self.values[*id as usize])
    }

    fn list(&mut self) -> Result<&mut Vec<Id>, String> {
        if let Value::Sequence(items) = self.top()? {
            Ok(items)
        } else {
            Err("something is appended that is no list".into())
        }
    }

    fn dict(&mut self) -> Result<&mut Vec<(Id, Id)>, String> {
        if let Value::Dict(entries) = self.top()? {
            Ok(entries)
        } else {
            Err("an object has attributes that is no dictionary".into())
        }
    }

    fn remember(&mut self, key: u32) -> Result<(), String> {
        let id = *self.stack.last().ok_or(SHORT)?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), String> {
        let id = *self.memo.get(&key).ok_or("it refers to a value that was never stored")?;
        self.stack.push(id);
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| CUT.into())
    }

    fn take(&mut self, length: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(length).ok_or(CUT)?;
        let taken = self.bytes.get(self.at..end).ok_or(CUT)?;
        self.at = end;
        Ok(taken)
    }
}

impl<'a> Machine<'a> {
    /// The text up to the end of the line.
    fn line(&mut self) -> Result<&'a str, String> {
        let rest = self.bytes.get(self.at..).ok_or(CUT)?;
        let length = rest.iter().position(|&b| b == b'\n').ok_or(CUT)?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| "a name is not UTF-8".into())
    }
}

const SHORT: &str = "an instruction lacks its operands";
const CUT: &str = "it ends in the middle of an instruction";

/// A little-endian number in two's complement.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Other;
    }
    let negative = bytes.last().is_some_and(|&b| b >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length() {
        for (bytes, number) in
            [(&[][..], 0), (&[5], 5), (&[0xff], -1), (&[0, 0x80], -32768), (&[0xe9, 3], 1001)]
        {
            assert!(matches!(long(bytes), Value::Int(n) if n == number), "{bytes:?}");
        }
        assert!(matches!(long(&[1; 9]), Value::Other) && matches!(long(&[1; 255]), Value::Other));
    }

    #[test]
    fn a_value_used_many_times_is_held_once() {
        // A pair of the former one, 60 times over: 2^60 values if each use were a copy.
        let mut program = b"\x80\x02]q\x00".to_vec();
        (0..60).for_each(|_| program.extend(b"(h\x00h\x00tq\x00"));
        program.push(b'.');
        let pickle = Pickle::load(&program, 0).unwrap();
        assert!(pickle.values.len() < 100 && pickle.sequence(pickle.root).is_some());
    }

    #[test]
    fn programs_that_torch_does_not_write_are_refused() {
        let deep = [vec![b']'; 100_000], vec![b'.']].concat();
        assert!(Pickle::load(&deep, 0).is_ok());
        let many = vec![b'N'; MAX_VALUES + 1];
        for (program, why) in [
            (&b"cposix\nsystem\n."[..], "posix.system"),
            (b"cbuiltins\neval\n.", "builtins.eval"),
            (b"X\xff\xff\xff\xffab.", "ends in the middle"),
            (b"ctorch._utils\n_rebuild_tensor_v2\n)R.", "not of the form"),
            (b"ctorch\nFloatStorage\n(K\x01tR.", "not of the form"),
            (b"ccollections\nOrderedDict\n(K\x01tR.", "not of the form"),
            (b"K\x01Q.", "storage is described"),
            (b"(K\x01K\x02K\x03t.(", ""),
            (b"t.", "lacks its operands"),
            (b"K\x01(.", "lacks its operands"),
            (b"K\x01(\x85.", "lacks its operands"),
            (b"h\x07.", "never stored"),
            (b"\x8a\xff", "ends in the middle"),
            (b"i", "no place among weights"),
            (b"\x80\x09.", "protocol 9"),
            (b"", "ends in the middle"),
            (&many, "more than"),
        ] {
            match Pickle::load(program, 0) {
                Err(error) => assert!(!why.is_empty() && error.contains(why), "{error}"),
                Ok(_) => assert!(why.is_empty(), "{why}"),
            }
        }
    }
}
