//! The people and the mail that every test finds: fixed names, fixed octets, fixed unique ids.
//!
//! A maildrop carries its unique ids in a `dovecot-uidlist`, so that the same numbers are seen
//! in a Maildir behind Postern, in the same Maildir behind Dovecot, and in memory.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// One person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    /// The name of the account.
    pub(crate) name: &'static str,
    /// The password.
    pub(crate) password: &'static str,
    /// Its hash (sha256-crypt with few rounds: tests log in often).
    pub(crate) hash: &'static str,
    /// Its SCRAM keys, with the fewest iterations that there may be.
    pub(crate) scram: &'static str,
    /// Where the mailbox lives; the server stands in `london`.
    pub(crate) site: &'static str,
    /// Whether the account is disabled.
    pub(crate) disabled: bool,
    /// Whether POP3 is off for the mailbox.
    pub pop3_off: bool,
    /// Who else may open the mailbox.
    pub(crate) delegates: &'static [&'static str],
}

const PERSON: User = User {
    name: "",
    password: "",
    hash: "",
    scram: "",
    site: "london",
    disabled: false,
    pop3_off: false,
    delegates: &[],
};

/// Everybody. alice's maildrop is the one a test chooses; pierre's and paula's are `two`; the
/// others' are empty.
pub(crate) const USERS: &[User] = &[
    User {
        name: "alice",
        password: "correct horse",
        hash: "$5$rounds=1000$saltalice$aPcFwG5fQMNqQZ0i5K4Bh9fr/TlkaCfcSDa2aHrb7V5",
        scram: "SCRAM-SHA-256$4096:K9gGyX8OAK8aH8Myj6djqQ==$4kYMu+YN3Jt4ydlLp3/ysPzjA4jm+hLfBLSCa3Npw4E=:5pk4LPl0Mq/mZWwVJwaIuE4jGuhJf9U57AhMlA9XWzs=",
        delegates: &["dan"],
        ..PERSON
    },
    User {
        name: "blanks",
        password: "a b  c",
        hash: "$5$rounds=1000$saltblanks$5gFCXIsn0f0LaqhAHaoer6HdmfnvOBTUVxIdbUJpTr1",
        scram: "SCRAM-SHA-256$4096:eEW86mkv98CmPSA/W4hHpA==$qQDUSbcrwws1MfcI1jHgKPbNJS9/LfWYBRq8N9wQDjA=:vUfaSFPWsWvszEg5woCrPkYPdGlGxebsOjQHU1dgkSc=",
        ..PERSON
    },
    User {
        name: "leading",
        password: " begins with a blank",
        hash: "$5$rounds=1000$saltleading$8ODF/MjanE9PyKoL8tLvVrN.6QW7eFJIPd57xKFJlhB",
        scram: "SCRAM-SHA-256$4096:MK3GBvzj1rdYN8Wpw8ECDw==$IZV0Ym2tBAmK432VivTVFRGC9NZ3PyUehofS/1yqkI0=:vTz/dQhCcprC3BUuIMyXxI/cm7MQJ6Nv9m5mqajvyNs=",
        ..PERSON
    },
    User {
        name: "trailing",
        password: "ends with a blank ",
        hash: "$5$rounds=1000$salttrailing$ZSnVfAz/mjoBPQkcVAwezwooUo71vIgPQZI1TlFnL.D",
        scram: "SCRAM-SHA-256$4096:bTiNKc167jt3+4ZGJ0XcjA==$wKpCvHDitLMBYglWZRhfm4YLj/vdOu9Cs5+0Cyr15/k=:p234Ktk9JEPFJ4qYB2d9xXciCnZghjBtGQlSoRfjjRw=",
        ..PERSON
    },
    User {
        name: "dan",
        password: "delegate dan",
        hash: "$5$rounds=1000$saltdan$WbctkOuVHSQqSrQeI89eWIIxTCbCXGD29PAm/F3uzr3",
        scram: "SCRAM-SHA-256$4096:7E8tuzsUAJVVDJr7u2m11g==$5qLFd0CodkmXmcaFIfQBb1gxHmlAqrQTMym7hv9Nnzg=:GQQH/mRxBnPvzaJFbV07g82QUidbAaF16r9EFGdnXzE=",
        ..PERSON
    },
    User {
        name: "dora",
        password: "closed door",
        hash: "$5$rounds=1000$saltdora$Wu.odZdAyc/0j8wfp2exheb8S.s2AfOg4WX6iwNojNB",
        scram: "SCRAM-SHA-256$4096:adsxl26tN7hcxCpJyV/Qbg==$bhn8xzmq/Q/7ejkASUZv+A1q6eKurKQhQAoEC6A3h9E=:uO4fXeI21UfjamjARtrx9bEowUdfjrrIQAipWcTrJis=",
        disabled: true,
        ..PERSON
    },
    User {
        name: "polly",
        password: "no post office",
        hash: "$5$rounds=1000$saltpolly$BrMA6XZYCbavf9RzCxkbLPbB4mRaQGPAJ7wnOru6/y3",
        scram: "SCRAM-SHA-256$4096:7kpNLQ8QtfisNIiP+7jsHw==$SZgNnaWA09YBHjdAbzP7zhp6N1GtVf9LoGfjdqJG8rU=:/GG6y/5KQOR1I1ERS2LAwYM2+T9xvf+AWGALvjXu270=",
        pop3_off: true,
        ..PERSON
    },
    User {
        name: "pierre",
        password: "outre manche",
        hash: "$5$rounds=1000$saltpierre$4frU3XpYo9n8MI1Ds7sBmfYFdHT7rVBdQJrwhrqSiT9",
        scram: "SCRAM-SHA-256$4096:1aXWa5To2gz2PUzW1mzUiQ==$XQKBRk0cLyELfssJAj2IBJOZHlLEemCUUxOWjM9nwOk=:FLn9MQ2E9ReWEDG7qbebmCU/AXfHn1ZDE1Dy1HzNVn4=",
        site: "paris",
        delegates: &["dan"],
        ..PERSON
    },
    User {
        name: "paula",
        password: "two of us",
        hash: "$5$rounds=1000$saltpaula$lg0ABgRoVxLnpbEHeIhBrvCYiLIhnElx089cmh.YX/8",
        scram: "SCRAM-SHA-256$4096:DAhs3HcqpXlQb9F6c1r25w==$PnVyTufaEEjM3EA8ANIy+FXcUfp5KjZMVaRVw4jl2fA=:3lHd1pn9kqBH+Be1yLTzLNGJSfICCdYq0pDVBg+S/Ao=",
        ..PERSON
    },
    User {
        name: "administrator",
        password: "domain boss",
        hash: "$5$rounds=1000$saltadminist$JmuUvusJfoEvJNG4duBPkqu6zk7sbM6K/FlgtzXqejB",
        scram: "SCRAM-SHA-256$4096:QZTRcG7R9AjV4C1nJ3cBnw==$7DFO/WlQZanNokDzWa9CfJvxAA60g74RdI5o5v7DkQs=:M15ld4x5yFcheLoDiELNit/Y39LGNvo0rWeWcy48Rgc=",
        ..PERSON
    },
];

/// One message of a maildrop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    /// The name of its octets: see [`message`].
    pub(crate) message: &'static str,
    /// Its unique id.
    pub(crate) uid: u32,
    /// The unique id it brought from another server (C0009).
    pub(crate) imported: Option<&'static str>,
}

const fn stored(message: &'static str, uid: u32) -> Stored {
    Stored {
        message,
        uid,
        imported: None,
    }
}

/// An id of the form that Exchange 2003 gave.
pub(crate) const IMPORTED: &str = "AAADadKAAAQz+HlExtz3sqU2uoxlY1qf";

const DROPS: &[(&str, &[Stored])] = &[
    ("empty", &[]),
    ("two", &[stored("first", 101), stored("second", 205)]),
    (
        "three",
        &[
            stored("first", 101),
            stored("second", 205),
            stored("third", 499),
        ],
    ),
    ("dots", &[stored("dots", 101), stored("lone-dot", 102)]),
    (
        "ends",
        &[
            stored("lf", 101),
            stored("crlf", 102),
            stored("mixed", 103),
            stored("open", 104),
        ],
    ),
    (
        "bare",
        &[
            stored("headers", 101),
            stored("no-body", 102),
            stored("nothing", 103),
        ],
    ),
    (
        "eight",
        &[
            stored("first", 101),
            stored("eight-headers", 102),
            stored("eight-body", 103),
        ],
    ),
    ("twins", &[stored("first", 101), stored("first", 102)]),
    (
        "imported",
        &[
            stored("first", 101),
            Stored {
                message: "second",
                uid: 205,
                imported: Some(IMPORTED),
            },
            stored("third", 499),
        ],
    ),
];

/// The messages of a maildrop.
pub(crate) fn maildrop(name: &str) -> Option<&'static [Stored]> {
    DROPS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, stored)| *stored)
}

/// The octets of a message as they are stored.
pub(crate) fn message(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "first" => b"From: ann@example.test\nTo: alice@example.test\nSubject: first\n\nOne line.\n",
        "second" => b"From: ben@example.test\nSubject: second\n\nBody one\nBody two\nBody three\n",
        "third" => b"From: cat@example.test\nSubject: third\n\nThe third.\n",
        "dots" => b"Subject: dots\n.header: dotted\n\n.\n..\n.x\nx.\n.\n",
        "lone-dot" => b"Subject: lone dot\n\n.",
        "lf" => b"Subject: lf\n\na\nb\n",
        "crlf" => b"Subject: crlf\r\n\r\na\r\nb\r\n",
        "mixed" => b"Subject: mixed\r\n\na\nb\r\nc",
        "open" => b"Subject: open\n\nno line end",
        "headers" => b"Subject: headers\nX-Last: yes\n",
        "no-body" => b"Subject: no body\n\n",
        "nothing" => b"",
        "eight-headers" => b"From: J\xc3\xb6rg <joerg@example.test>\nSubject: eight\n\nHello.\n",
        "eight-body" => b"Subject: body\n\nGr\xc3\xbc\xc3\x9fe\n",
        _ => return None,
    })
}

/// Writes a maildrop as a Maildir with its index of unique ids.
pub(crate) fn write_maildir(folder: &Path, stored: &[Stored]) {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join(part)).expect("a folder of the Maildir");
    }
    let next = stored.last().map_or(1, |last| last.uid + 1);
    let mut index = format!("3 V1700000000 N{next} G0123456789abcdef0123456789abcdef\n");
    for (number, one) in (1..).zip(stored) {
        let octets = message(one.message).expect("a message of the fixture");
        let name = base_name(number, octets);
        fs::write(folder.join("cur").join(format!("{name}:2,S")), octets)
            .expect("writing a message");
        let imported = one.imported.map(|id| format!(" P{id}")).unwrap_or_default();
        index.push_str(&format!("{}{imported} :{name}\n", one.uid));
    }
    fs::write(folder.join("dovecot-uidlist"), index).expect("writing the index");
}

fn base_name(number: usize, octets: &[u8]) -> String {
    format!("17000000{number:02}.M{number}P1.pop,S={}", octets.len())
}

/// Delivers a message into `new`, as an MTA does: written in `tmp`, then renamed.
pub(crate) fn deliver(folder: &Path, octets: &[u8], number: usize) {
    let name = format!("18000000{number:02}.M{number}P2.pop");
    fs::write(folder.join("tmp").join(&name), octets).expect("writing a message");
    let owner = fs::metadata(folder).expect("the Maildir").uid();
    std::os::unix::fs::chown(folder.join("tmp").join(&name), Some(owner), None).expect("chown");
    fs::rename(
        folder.join("tmp").join(&name),
        folder.join("new").join(&name),
    )
    .expect("delivering a message");
}

/// The file of the message with this number, wherever it is and whatever its flags are.
pub(crate) fn file(folder: &Path, number: usize) -> Option<std::path::PathBuf> {
    let start = format!("17000000{number:02}.");
    ["cur", "new"].iter().find_map(|part| {
        let entries = fs::read_dir(folder.join(part)).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&start))
        })
    })
}
