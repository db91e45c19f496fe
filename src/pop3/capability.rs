//! What the client may use here and now: CAPA, the bare AUTH, and LANG.
//!
//! CAPA never names what the connection may not use, and names the same before and after login
//! except STLS (RFC 2449 §5).

use super::reply::{self, Say};
use super::session::Context;
use super::settings::{Profile, Utf8};
use super::turn::{Next, Turn};

/// CAPA. `logged_in` adds what is nobody's business before.
pub(super) fn capa(context: &Context, logged_in: bool) -> Turn {
    let settings = &context.settings;
    let offer = &context.offer;
    let own = settings.profile == Profile::Postern;
    let mut lines = vec!["TOP".to_owned(), "UIDL".to_owned()];
    let mut add = |present: bool, tag: &str| {
        if present {
            lines.push(tag.to_owned());
        }
    };
    add(
        !offer.mechanisms.is_empty(),
        &format!("SASL {}", offer.mechanisms.join(" ")),
    );
    add(offer.password, "USER");
    add(offer.starttls && !logged_in, "STLS");
    add(settings.response_codes, "RESP-CODES");
    add(settings.response_codes, "AUTH-RESP-CODE");
    add(settings.pipelining, "PIPELINING");
    add(settings.utf8 != Utf8::Off, "UTF8");
    add(settings.lang, "LANG");
    add(own && logged_in, "IMPLEMENTATION Postern");
    multi_line(lines)
}

/// AUTH without a mechanism (\[MS-OXPOP3\] §1.7): the names, or `-ERR` where none may be used.
pub(super) fn mechanisms(context: &Context) -> Turn {
    if context.offer.mechanisms.is_empty() {
        return context.answer(Say::WrongState);
    }
    multi_line(context.offer.mechanisms.clone())
}

/// LANG (RFC 6856 §3). There is English; `*` asks for the administrator's choice, which is that.
pub(super) fn lang(tag: Option<&str>, context: &Context) -> Turn {
    match tag {
        None => multi_line(vec!["en English".to_owned()]),
        Some(tag) if tag == "*" || tag.eq_ignore_ascii_case("en") => Turn::new(
            reply::status_line(format_args!("+OK en The language is English.")),
            Next::Read,
        ),
        Some(_) => context.answer(Say::BadArguments),
    }
}

fn multi_line(lines: Vec<String>) -> Turn {
    let mut text = reply::ok();
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b".\r\n");
    Turn::new(text, Next::Read)
}
