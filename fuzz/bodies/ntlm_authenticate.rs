//! AUTHENTICATE: every part lies within the message and behind its header, names are read as was
//! agreed, and written again the message says the same.
//!
//! Input: an octet that says whether names are UTF-16 or OEM, and the message.

use postern_auth::NtlmForm;
use postern_auth::readers::{Authenticate, ntlm_authenticate};

use super::ntlm::{self, Answer, utf16};

/// Reads the message, and compares with a reader of its own.
pub fn run(input: &[u8]) {
    let Some((choice, message)) = input.split_first() else {
        return;
    };
    let unicode = choice & 1 != 0;
    let read = ntlm_authenticate(message, unicode);
    let answer = ntlm::answer(message, unicode);
    assert_eq!(read.is_ok(), answer.is_some(), "{read:?}");
    let (Ok(read), Some(answer)) = (read, answer) else {
        return;
    };
    same(&read, &answer);
    code(&read, &answer, message);
    bounded(&read, message);
    again(read, &answer, unicode);
}

fn same(read: &Authenticate, answer: &Answer<'_>) {
    assert_eq!(read.user, answer.user);
    assert_eq!(read.domain, answer.domain);
    assert_eq!(read.workstation, answer.workstation);
    assert_eq!(read.flags, answer.flags);
    assert_eq!(
        read.session_key.as_ref().map(<[u8; 16]>::as_slice),
        Some(answer.key).filter(|key| key.len() == 16)
    );
    let nobody = answer.user.is_empty() && matches!(answer.lm, [] | [0]);
    let form = match answer.nt.len() {
        0 if nobody => NtlmForm::Anonymous,
        0 => NtlmForm::Lm,
        24 => NtlmForm::V1,
        _ => NtlmForm::V2,
    };
    assert_eq!(read.form, form);
    assert_eq!(read.v1.is_some(), form == NtlmForm::V1);
    assert_eq!(read.v2.is_some(), form == NtlmForm::V2);
    if let Some((response, client)) = &read.v1 {
        assert_eq!(response, answer.nt);
        let extended = answer.lm.len() == 24 && answer.lm[8..] == [0; 16];
        let expected = Some(answer.lm).filter(|_| extended).map(|lm| &lm[..8]);
        assert_eq!(client.as_ref().map(<[u8; 8]>::as_slice), expected);
    }
    if let Some((proof, temp)) = &read.v2 {
        assert_eq!([&proof[..], temp].concat(), answer.nt);
    }
}

/// The code stands before the payload, and nothing else is blanked.
fn code(read: &Authenticate, answer: &Answer<'_>, message: &[u8]) {
    assert_eq!(read.code.is_some(), answer.code_at().is_some());
    if let (Some((code, blank)), Some(at)) = (&read.code, answer.code_at()) {
        assert!(at + 16 <= answer.payload);
        assert_eq!(code, &message[at..at + 16]);
        let mut expected = message.to_vec();
        expected[at..at + 16].fill(0);
        assert_eq!(blank, &expected);
    }
}

/// No more is kept than the message has: fields may lie over each other, but each is kept once, and
/// a name has at most three octets for two.
fn bounded(read: &Authenticate, message: &[u8]) {
    let names = [&read.user, &read.domain, &read.workstation];
    for name in names {
        assert!(name.len() <= message.len() * 3 / 2 && name.len() <= 768);
        assert!(!name.chars().any(char::is_control));
    }
    let temp = read.v2.as_ref().map_or(0, |(_, temp)| temp.capacity());
    assert!(temp <= message.len());
}

/// Written with every part in a place of its own, it is read as the same.
fn again(mut read: Authenticate, answer: &Answer<'_>, unicode: bool) {
    let encode = |text: &String| {
        if unicode {
            utf16(text)
        } else {
            text.clone().into_bytes()
        }
    };
    let names = [&read.domain, &read.user, &read.workstation].map(encode);
    let [domain, user, workstation] = &names;
    let parts = [answer.lm, answer.nt, domain, user, workstation, answer.key];
    let written = ntlm::write(parts, answer.flags);
    match ntlm_authenticate(&written, unicode) {
        Ok(mut twice) => {
            let code = twice.code.take();
            assert!(code.is_some_and(|(code, _)| code == [0; 16]));
            read.code = None;
            assert_eq!(twice, read);
        }
        // Parts that lay over each other need more room than there may be.
        Err(_) => assert!(written.len() > 16 * 1024),
    }
}
