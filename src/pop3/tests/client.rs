//! What a client makes of a message that was sent to it (RFC 1939 §3). The fuzzer has it, too.

/// The message behind the status line of RETR, without what the wire needs.
pub(crate) fn unstuffed(wire: &[u8]) -> Vec<u8> {
    let body = wire.strip_suffix(b".\r\n").expect("the final dot");
    let mut message = Vec::new();
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        assert_ne!(line, b".\r\n", "a line that ends the message too early");
        assert!(line.ends_with(b"\r\n"), "a bare LF, or no line end");
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    message
}

/// A stored message as a client has to get it: line ends are CRLF, and there is one at the end of
/// what is not empty.
pub(crate) fn normal(message: &[u8]) -> Vec<u8> {
    let mut normal = Vec::new();
    for octet in message {
        if *octet == b'\n' && normal.last() != Some(&b'\r') {
            normal.push(b'\r');
        }
        normal.push(*octet);
    }
    if !normal.is_empty() && !normal.ends_with(b"\n") {
        normal.extend_from_slice(b"\r\n");
    }
    normal
}
