//! AUTH NTLM on the wire ([MS-OXPOP3] §2.2.1), line by line.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::lab::pop3::Client;
use crate::message::Message;
use crate::speaker::Speaker;

/// What a login that is let in is answered.
pub(crate) const WELCOME: &str = "+OK User successfully logged on.";

/// A message as a line.
pub(crate) fn encode(message: &Message) -> String {
    BASE64_STANDARD.encode(&message.0)
}

/// The message behind `+ `; nothing else may stand in the line.
pub(crate) fn decode(line: &str) -> Message {
    let text = line
        .strip_prefix("+ ")
        .unwrap_or_else(|| panic!("no challenge: {line}"));
    Message(BASE64_STANDARD.decode(text).expect("base64 alone"))
}

/// Sends NEGOTIATE and takes the CHALLENGE.
pub(crate) fn begin(client: &mut Client, negotiate: &Message) -> Message {
    assert_eq!(client.ask("AUTH NTLM"), "+ ");
    decode(&client.ask(&encode(negotiate)))
}

/// A whole login by this speaker; what the server says in the end.
pub(crate) fn login(client: &mut Client, speaker: &mut dyn Speaker) -> String {
    let challenge = begin(client, &speaker.negotiate());
    let authenticate = speaker.authenticate(&challenge);
    client.ask(&encode(&authenticate))
}

/// The same, which must succeed.
pub(crate) fn let_in(client: &mut Client, speaker: &mut dyn Speaker) {
    assert_eq!(login(client, speaker), WELCOME);
    client.ok("STAT");
}
