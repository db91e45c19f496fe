//! Whole sessions against the engine.

use postern_auth::RefusalKind;

use super::{Played, open_offer, refusal, settings};
use crate::pop3::{
    Ending, Extent, Next, NotOpened, NotRetrieved, Offer, Order, Profile, Settings, Utf8,
};

fn clear_offer() -> Offer {
    Offer {
        mechanisms: Vec::new(),
        password: false,
        starttls: true,
    }
}

#[test]
fn the_snapshot_answers_stat_list_and_uidl() {
    let mut played = Played::logged_in(settings());
    assert_eq!(played.line("STAT"), "+OK 3 600\r\n");
    assert_eq!(
        played.line("LIST"),
        "+OK\r\n1 100\r\n2 200\r\n3 300\r\n.\r\n"
    );
    assert_eq!(played.line("LIST 2"), "+OK 2 200\r\n");
    assert_eq!(
        played.line("UIDL"),
        "+OK\r\n1 7\r\n2 9\r\n3 AAQDadKAAAQz+HlExtz3sqU2uoxlY1qf\r\n.\r\n"
    );
    assert_eq!(played.line("DELE 2"), "+OK\r\n");
    assert_eq!(played.line("STAT"), "+OK 2 400\r\n");
    assert_eq!(played.line("LIST"), "+OK\r\n1 100\r\n3 300\r\n.\r\n");
    for line in [
        "LIST 2", "UIDL 2", "RETR 2", "TOP 2 0", "DELE 2", "RETR 0", "RETR 4",
    ] {
        assert!(played.line(line).starts_with("-ERR "), "{line}");
    }
    assert_eq!(played.line("RSET"), "+OK\r\n");
    assert_eq!(played.line("STAT"), "+OK 3 600\r\n");
}

/// SET-sort.
#[test]
fn descending_makes_the_newest_number_one() {
    let mut played = Played::logged_in(Settings {
        order: Order::Descending,
        ..settings()
    });
    assert_eq!(
        played.line("LIST"),
        "+OK\r\n1 300\r\n2 200\r\n3 100\r\n.\r\n"
    );
    played.line("DELE 1");
    played.line("QUIT");
    assert!(matches!(&played.asked[1], Next::Update(marked) if marked == &[2]));
}

/// V0006b: exactly what is marked; without a mark there is no UPDATE.
#[test]
fn quit_asks_to_delete_what_is_marked() {
    let mut played = Played::logged_in(settings());
    played.line("DELE 1");
    played.line("DELE 3");
    assert!(played.line("QUIT").starts_with("+OK"));
    assert!(
        played
            .asked
            .iter()
            .any(|next| matches!(next, Next::Update(marked) if marked == &[0, 2]))
    );
    assert!(matches!(played.last(), Some(Next::Close(Ending::Quit))));

    let mut played = Played::logged_in(settings());
    played.line("DELE 1");
    played.line("RSET");
    played.line("QUIT");
    assert!(matches!(played.last(), Some(Next::Close(Ending::Quit))));
}

/// V0003, RFC1939-6b: neither the timer nor the server's end deletes anything.
#[test]
fn only_quit_deletes() {
    for last in [
        super::Session::expired,
        super::Session::stopping,
        super::Session::barred,
        super::Session::line_too_long,
    ] {
        let mut played = Played::logged_in(settings());
        played.line("DELE 1");
        let turn = last(&mut played.session);
        assert!(turn.reply.starts_with(b"-ERR "));
        assert!(matches!(turn.next, Next::Close(_)));
        assert!(matches!(
            played.session.line(b"QUIT", false).next,
            Next::Close(_)
        ));
    }
}

#[test]
fn pass_belongs_directly_behind_user() {
    let mut played = Played::new(settings(), open_offer());
    assert!(played.line("PASS x").starts_with("-ERR"));
    assert_eq!(played.line("USER alice"), "+OK\r\n");
    assert!(played.line("NOOP").starts_with("-ERR"));
    assert!(played.line("PASS x").starts_with("-ERR"));
    played.line("USER alice");
    played.line("USER bob");
    played.line("PASS x");
    assert!(matches!(played.last(), Some(Next::Password { login, .. }) if login == b"bob"));
}

/// V0010, SET-login3: before TLS nothing but STLS, alike for every name.
#[test]
fn a_closed_channel_refuses_alike() {
    let mut played = Played::new(settings(), clear_offer());
    let first = played.line("USER alice");
    assert!(first.starts_with("-ERR "));
    for line in [
        "USER nobody",
        "USER a/b/c",
        "PASS x",
        "AUTH PLAIN AGEAYg==",
        "AUTH PLAIN",
        "AUTH",
    ] {
        assert_eq!(played.line(line), first, "{line}");
    }
    assert_eq!(
        played
            .line("CAPA")
            .lines()
            .filter(|line| line.starts_with("SASL") || *line == "USER")
            .count(),
        0
    );
    assert!(played.line("CAPA").contains("\r\nSTLS\r\n"));
}

/// STLS-inj1, STLS-reset, RFC2595-4c.
#[test]
fn stls_starts_afresh_or_not_at_all() {
    let mut played = Played::new(
        settings(),
        Offer {
            starttls: true,
            ..open_offer()
        },
    );
    let turn = played.session.line(b"STLS", true);
    assert!(turn.reply.starts_with(b"-ERR") && matches!(turn.next, Next::Close(_)));

    let mut played = Played::new(
        settings(),
        Offer {
            starttls: true,
            ..open_offer()
        },
    );
    played.line("USER alice");
    assert!(played.line("STLS").starts_with("+OK"));
    assert!(matches!(played.last(), Some(Next::StartTls)));
    assert!(played.line("PASS x").starts_with("-ERR"));
    assert!(played.line("STLS").starts_with("-ERR"));
    assert!(!played.line("CAPA").contains("STLS"));

    let mut played = Played::new(
        settings(),
        Offer {
            starttls: true,
            ..open_offer()
        },
    );
    played.line("UTF8");
    assert!(played.line("STLS").starts_with("-ERR"));
}

/// OXPOP3-3.2.5: in an exchange a line is a response, never a command.
#[test]
fn an_exchange_executes_nothing() {
    let mut played = Played::new(settings(), open_offer());
    assert_eq!(played.line("auth plain"), "+ \r\n");
    assert!(played.session.is_authenticating());
    assert_eq!(played.session.line_limit(b"x"), 96 * 1024);
    assert!(played.line("CAPA!").starts_with("-ERR"));
    assert!(!played.session.is_authenticating());

    played.line("AUTH PLAIN");
    assert_eq!(
        played.line("*"),
        "-ERR The AUTH protocol exchange was canceled by the client.\r\n"
    );
    played.line("AUTH PLAIN");
    assert!(played.line("AGEAYg==").starts_with("+OK"));
    assert!(played.line("AUTH PLAIN").starts_with("-ERR"));
}

#[test]
fn a_refusal_may_close() {
    let mut played = Played::new(settings(), open_offer());
    played.session.line(b"AUTH PLAIN AGEAYg==", false);
    let turn = played.session.refused(refusal());
    assert_eq!(
        turn.reply,
        b"-ERR [AUTH] Logon failure: unknown user name or bad password.\r\n"
    );
    assert!(matches!(turn.next, Next::Read));

    played.session.line(b"AUTH PLAIN AGEAYg==", false);
    let turn = played.session.refused(postern_auth::Refusal {
        close: true,
        ..refusal()
    });
    assert!(matches!(turn.next, Next::Close(Ending::Closed)));
}

#[test]
fn trouble_is_never_the_password() {
    let mut played = Played::new(settings(), open_offer());
    played.session.line(b"AUTH PLAIN AGEAYg==", false);
    let unavailable = postern_auth::Refusal {
        kind: RefusalKind::Unavailable,
        close: false,
    };
    assert!(
        played
            .session
            .refused(unavailable)
            .reply
            .starts_with(b"-ERR [SYS/TEMP] ")
    );
    played.session.line(b"AUTH PLAIN AGEAYg==", false);
    assert!(
        played
            .session
            .not_opened(NotOpened::InUse)
            .reply
            .starts_with(b"-ERR [IN-USE] ")
    );
    assert!(played.line("STAT").starts_with("-ERR"));
}

#[test]
fn retr_and_top_say_how_much() {
    let mut played = Played::logged_in(Settings {
        utf8: Utf8::Strict,
        ..settings()
    });
    played.line("RETR 2");
    assert!(matches!(
        played.last(),
        Some(Next::Retrieve {
            index: 1,
            extent: Extent::Whole,
            ascii_header: true
        })
    ));
    played.line("TOP 3 0");
    assert!(matches!(
        played.last(),
        Some(Next::Retrieve {
            index: 2,
            extent: Extent::Top(0),
            ..
        })
    ));
    assert!(
        played
            .session
            .not_found(NotRetrieved::Utf8)
            .reply
            .starts_with(b"-ERR [UTF8] ")
    );
}

/// C0001: whatever is echoed or configured, the status line has at most 512 octets.
#[test]
fn status_lines_are_bounded() {
    let greeting = "x".repeat(600);
    let played = Played::new(
        Settings {
            greeting,
            ..settings()
        },
        open_offer(),
    );
    let line = played.session.greeting();
    assert_eq!(line.len(), 512);
    assert!(line.ends_with(b"x\r\n"));
}

/// A listing of 100,000 messages comes in portions.
#[test]
fn long_listings_come_in_portions() {
    let mut listing = crate::store::Listing::default();
    for uid in 1..=100_000 {
        listing.push(1000, uid, None);
    }
    let mut played = Played::new(settings(), open_offer());
    played.session.line(b"AUTH PLAIN AGEAYg==", false);
    played.session.opened(listing.into());
    let first = played.session.line(b"UIDL", false);
    assert!(first.reply.len() < 40_000 && matches!(first.next, Next::Resume));
    let all = played.line("UIDL");
    assert_eq!(all.lines().count(), 100_002);
    assert!(all.ends_with("\r\n100000 100000\r\n.\r\n"));
}

#[test]
fn exchange_profiles_speak_as_exchange() {
    let texts = |profile| {
        let settings = Settings {
            profile,
            response_codes: false,
            utf8: Utf8::Off,
            lang: false,
            ..settings()
        };
        let mut played = Played::new(settings, open_offer());
        let unknown = played.line("XYZZ");
        let absent = played.line("UTF8");
        let long = String::from_utf8(played.session.line_too_long().reply).unwrap();
        let mut played = Played::new(
            Settings {
                profile,
                response_codes: false,
                ..super::settings()
            },
            open_offer(),
        );
        played.session.line(b"AUTH PLAIN AGEAYg==", false);
        let refused = String::from_utf8(played.session.refused(refusal()).reply).unwrap();
        (unknown, absent, long, refused, played.line("QUIT"))
    };
    let (unknown, absent, long, refused, quit) = texts(Profile::Exchange2010);
    assert_eq!(unknown, "-ERR Protocol error. 19\r\n");
    assert_eq!(absent, unknown);
    assert_eq!(long, "-ERR Protocol error. Connection is closed. 10\r\n");
    assert_eq!(
        refused,
        "-ERR Logon failure: unknown user name or bad password.\r\n"
    );
    assert_eq!(
        quit,
        "+OK Microsoft Exchange Server 2010 POP3 server signing off.\r\n"
    );
    assert_eq!(
        texts(Profile::Exchange2016).3,
        "-ERR Authentication failure: unknown user name or bad password.\r\n"
    );
}

/// HTTP verbs close at once, so that no web page can speak POP3 behind them.
#[test]
fn a_browser_is_sent_away() {
    for line in ["GET / HTTP/1.1", "POST /x HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        let mut played = Played::new(settings(), open_offer());
        assert!(played.line(line).starts_with("-ERR"));
        assert!(
            matches!(played.last(), Some(Next::Close(Ending::Closed))),
            "{line}"
        );
    }
}

/// C0005: a scanner may not go on for ever; a client may try a few commands that are not there.
#[test]
fn many_bad_lines_before_login_close() {
    let mut played = Played::new(settings(), open_offer());
    for _ in 0..19 {
        assert!(played.line("XYZZ").starts_with("-ERR"));
        assert!(played.line("CAPA").starts_with("+OK"));
        assert!(played.last().is_none());
    }
    played.line("XYZZ");
    assert!(matches!(played.last(), Some(Next::Close(Ending::Closed))));

    let mut played = Played::logged_in(settings());
    for _ in 0..100 {
        assert!(played.line("XYZZ").starts_with("-ERR"));
    }
    assert!(played.line("STAT").starts_with("+OK"));
}
