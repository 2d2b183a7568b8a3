//! The look of JSON in the first bytes of a file.

/// Whether an object begins there.
pub(in crate::io::articles::readers) fn is_object(head: &[u8]) -> bool {
    matches!(first_two(head), (Some(b'{'), Some(b'"' | b'}')))
}

/// Whether an array of objects begins there.
pub(in crate::io::articles::readers) fn is_array(head: &[u8]) -> bool {
    matches!(first_two(head), (Some(b'['), Some(b'{')))
}

/// Whether the first line is an object by itself, and ends there.
pub(in crate::io::articles::readers) fn first_line_is_object(head: &[u8]) -> bool {
    match head.iter().position(|&b| b == b'\n') {
        Some(end) => {
            serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&head[..end])
                .is_ok()
        }
        None => false,
    }
}

/// The first two bytes that are no white space.
fn first_two(head: &[u8]) -> (Option<u8>, Option<u8>) {
    let mut bytes = head.iter().copied().filter(|b| !b.is_ascii_whitespace());
    (bytes.next(), bytes.next())
}
