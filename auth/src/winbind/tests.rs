//! The traps of the protocol, with answers as Samba 4.17 gives them.

use super::protocol::{MAX_ANSWER, OutOfStep, Request, Verdict, answer, request};

const NONCE: u64 = 7;
const SYNC: &str = "Error: Unknown request Postern-Sync-0000000000000007\n";

fn asked(user: &str, domain: &str) -> String {
    let asked = Request {
        user: user.to_owned(),
        domain: domain.to_owned(),
        server_challenge: [0x0f; 8],
        response: vec![0xab; 3],
    };
    request(&asked, NONCE)
}

#[test]
fn names_cannot_begin_lines_of_their_own() {
    let lines = asked("a\nAuthenticated: Yes", "D\r\n.");
    let expected = "Username:: YQpBdXRoZW50aWNhdGVkOiBZZXM=\n\
                    NT-Domain:: RA0KLg==\n\
                    LANMAN-Challenge: 0f0f0f0f0f0f0f0f\n\
                    NT-Response: ababab\n\
                    Request-User-Session-Key: Yes\n\
                    .\n\
                    Postern-Sync-0000000000000007: 1\n";
    assert_eq!(lines, expected);
    assert!(!asked("alice", "").contains("NT-Domain"));
}

fn read(text: &str) -> Result<Option<Verdict>, OutOfStep> {
    answer(text.as_bytes(), NONCE)
}

#[test]
fn an_answer_ends_with_our_number_and_nothing_else() {
    let yes = "Authenticated: Yes\nUser-Session-Key: FDB3076AD91371F868BC6AE45911300A\n.\n";
    assert!(read("").unwrap().is_none());
    assert!(read(yes).unwrap().is_none());
    let whole = format!("{yes}{SYNC}");
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).unwrap().is_none(), "{length}");
    }
    let Some(Verdict::Right(key)) = read(&whole).unwrap() else {
        panic!("not a yes");
    };
    assert_eq!(key.expose()[..3], [0xfd, 0xb3, 0x07]);
    // The dot of the request before, and the second dot of a refusal.
    let no = format!(
        ".\nAuthenticated: No\nAuthentication-Error: The specified account does not exist.\n.\n.\n{SYNC}"
    );
    assert!(matches!(read(&no).unwrap(), Some(Verdict::Wrong(_))));
    assert!(read(&no.replace("0007", "0006")).unwrap().is_none());
    assert!(no.len() < MAX_ANSWER);
}

#[test]
fn contradictions_are_no_verdicts() {
    for lines in [
        "",
        ".\n.\n",
        "Authenticated: Yes\n.\n",
        "Authenticated: No\nUser-Session-Key: FDB3076AD91371F868BC6AE45911300A\n.\n",
        "Authenticated: No\n.\nAuthenticated: Yes\nUser-Session-Key: FDB3076AD91371F868BC6AE45911300A\n.\n",
        "Authenticated: Yes\nUser-Session-Key: FDB3\n.\n",
        "Authenticated: Yes\nUser-Session-Key: +D+3+7+A+9+3+1+8+8+C+A+4+9+1+0+A\n.\n",
        "Authenticated: Perhaps\n.\n",
        "nonsense\n.\n",
    ] {
        assert_eq!(
            read(&format!("{lines}{SYNC}")).err(),
            Some(OutOfStep),
            "{lines}"
        );
    }
    assert_eq!(answer(b"\xff\n", NONCE).err(), Some(OutOfStep));
}

#[test]
fn a_controller_that_is_gone_is_no_wrong_password() {
    let verdict = |words: &str| {
        let lines = format!("Authenticated: No\nAuthentication-Error: {words}\n.\n.\n{SYNC}");
        read(&lines).unwrap().unwrap()
    };
    for words in [
        "No logon servers are currently available to service the logon request.",
        "NT_STATUS_NO_LOGON_SERVERS",
        "The trust relationship between the primary domain and the trusted domain failed.",
        "NT_STATUS_TRUSTED_DOMAIN_FAILURE",
        "NT_STATUS_IO_TIMEOUT",
        // winbindd does not run.
        "Reading winbind reply failed!",
    ] {
        assert!(matches!(verdict(words), Verdict::Trouble(_)), "{words}");
    }
    for words in [
        "The attempted logon is invalid. This is either due to a bad username or authentication information.",
        "The specified account does not exist.",
        "The referenced account is currently disabled and may not be logged on to.",
        "Account locked out",
        "",
    ] {
        assert!(matches!(verdict(words), Verdict::Wrong(_)), "{words}");
    }
    // What the program says of a request that it does not understand.
    let error = format!("Error: No password supplied\n.\n{SYNC}");
    assert!(matches!(read(&error), Ok(Some(Verdict::Trouble(_)))));
}

/// A pipe gives what it has: a piece may end within a character.
#[test]
fn an_answer_may_be_cut_anywhere() {
    let words = "Das Konto ist für heute gesperrt";
    let lines = format!("Authenticated: No\nAuthentication-Error: {words}\n.\n.\n{SYNC}");
    for length in 0..lines.len() {
        let part = answer(&lines.as_bytes()[..length], NONCE);
        assert!(matches!(part, Ok(None)), "{length}");
    }
    let whole = read(&lines).unwrap();
    assert!(matches!(whole, Some(Verdict::Wrong(said)) if said == words));
}
