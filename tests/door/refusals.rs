//! A refused login tells nothing: not in words, not in time, not in what others see. The log tells
//! everything but the password (C0010, SEC-enum, V0008, V0009).

use std::time::Duration;

use crate::wire::client::Client;
use crate::wire::clock::timed;
use crate::wire::fixture::USERS;
use crate::wire::house::House;
use crate::wire::postern::{Setup, start};
use crate::wire::scram::Scram;
use crate::wire::text::base64;

/// Who is refused, with which password, and the reason in the log.
const REFUSED: [(&str, &str, &str); 5] = [
    ("alice", "not hers", "wrong-password"),
    ("nosuch", "not his", "unknown-user"),
    ("dora", "closed door", "disabled"),
    ("polly", "no post office", "pop3-off"),
    ("pierre", "outre manche", "other-site"),
];

const ROUNDS: usize = 7;

fn open(profile: &str, delay: &str) -> House {
    let setup = Setup::new()
        .profile(profile)
        .set(
            "login.mechanisms",
            "[\"PLAIN\", \"LOGIN\", \"SCRAM-SHA-256\"]",
        )
        .set("login.attempts", "100")
        .set("login.failures_per_account", "0")
        .set("login.failures_per_source", "0")
        .set("login.cross_site", "\"refuse\"")
        .set("login.refusal_delay", delay);
    start(&setup)
}

fn pass(client: &mut Client, user: &str, password: &str) -> (String, Duration) {
    assert!(client.ask(&format!("USER {user}")).starts_with("+OK"));
    timed(|| client.ask(&format!("PASS {password}")))
}

fn plain(client: &mut Client, user: &str, password: &str) -> (String, Duration) {
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    timed(|| client.ask(&base64(format!("\0{user}\0{password}").as_bytes())))
}

fn login(client: &mut Client, user: &str, password: &str) -> (String, Duration) {
    assert_eq!(client.ask("AUTH LOGIN"), "+ VXNlcm5hbWU6");
    assert_eq!(client.ask(&base64(user.as_bytes())), "+ UGFzc3dvcmQ6");
    timed(|| client.ask(&base64(password.as_bytes())))
}

fn scram(client: &mut Client, user: &str, password: &str) -> (String, Duration) {
    let scram = Scram {
        mechanism: "SCRAM-SHA-256",
        flag: "n",
        binding: b"",
        login: user,
        password,
    };
    let ((answer, salt), time) = timed(|| scram.talk(client));
    let salt = salt.expect("everybody gets a salt");
    assert!(salt.ends_with(",i=4096"), "{user}: {salt}");
    (answer, time)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

type Attempt = fn(&mut Client, &str, &str) -> (String, Duration);

/// The answer and the median time of each kind of refusal; each attempt in a fresh connection.
fn measure(house: &House, attempt: Attempt) -> Vec<(String, Duration)> {
    let mut times = vec![Vec::new(); REFUSED.len()];
    let mut answers = vec![String::new(); REFUSED.len()];
    for _ in 0..ROUNDS {
        for (kind, (user, password, _)) in REFUSED.iter().enumerate() {
            let (answer, time) = attempt(&mut house.client(), user, password);
            assert!(answer.starts_with("-ERR"), "{user}: {answer}");
            answers[kind] = answer;
            times[kind].push(time);
        }
    }
    answers
        .into_iter()
        .zip(times.into_iter().map(median))
        .collect()
}

/// The noise of a busy machine. The work behind the kinds differs by more than this without care.
const NOISE: Duration = Duration::from_millis(25);

fn assert_alike(house: &House, attempt: Attempt) {
    let kinds = measure(house, attempt);
    let (words, shortest) = (
        &kinds[0].0,
        kinds.iter().map(|kind| kind.1).min().expect("kinds"),
    );
    for ((answer, time), (user, ..)) in kinds.iter().zip(REFUSED) {
        assert_eq!(answer, words, "{user} is told something else");
        assert!(
            *time >= Duration::from_millis(150),
            "{user} is answered early: {time:?}"
        );
        assert!(
            *time < shortest + NOISE,
            "{user} waits {time:?}, another {shortest:?}"
        );
    }
}

#[test]
fn a_refused_pass_is_alike_in_words_and_time() {
    assert_alike(&open("postern", "\"150ms\""), pass);
}

#[test]
fn a_refused_plain_is_alike_in_words_and_time() {
    assert_alike(&open("postern", "\"150ms\""), plain);
}

#[test]
fn a_refused_login_is_alike_in_words_and_time() {
    assert_alike(&open("postern", "\"150ms\""), login);
}

#[test]
fn a_refused_scram_is_alike_in_words_and_time() {
    assert_alike(&open("postern", "\"150ms\""), scram);
}

#[test]
fn a_refused_pass_is_alike_in_exchange_2007() {
    assert_alike(&open("exchange-2007", "\"150ms\""), pass);
}

#[test]
fn user_is_answered_alike_in_words_and_time() {
    let house = open("postern", "\"0s\"");
    let names = ["alice", "nosuch", "dora", "polly", "pierre"];
    let mut client = house.client();
    let mut times = vec![Vec::new(); names.len()];
    for _ in 0..101 {
        for (kind, name) in names.iter().enumerate() {
            let (answer, time) = timed(|| client.ask(&format!("USER {name}")));
            assert!(
                answer.starts_with("+OK") && !answer.contains(name),
                "{answer}"
            );
            times[kind].push(time);
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    let (least, most) = (
        medians.iter().min().expect("times"),
        medians.iter().max().expect("times"),
    );
    assert!(*most < *least + Duration::from_millis(2), "{medians:?}");
}

#[test]
fn the_log_says_the_true_reason_and_no_password() {
    let house = open("postern", "\"0s\"");
    for (user, password, reason) in REFUSED {
        pass(&mut house.client(), user, password);
        let record = house.logged(&["\"login\"", user, reason, "refused"]);
        assert!(record.contains("\"address\":\"127.0.0.1"), "{record}");
    }
    let record = house.logged(&["pierre", "other-site"]);
    assert!(record.contains("paris"), "the site is missing: {record}");
    plain(&mut house.client(), "alice", "correct horse");
    house.logged(&["\"login\"", "alice", "granted", "PLAIN"]);
    let log = house.log.lock().expect("the log").join("\n");
    let passwords = USERS
        .iter()
        .map(|user| user.password)
        .chain(["not hers", "not his"]);
    for password in passwords {
        assert!(
            !log.contains(password),
            "the log holds the password {password}"
        );
        assert!(
            !log.contains(&base64(password.as_bytes())),
            "the log holds the password {password} in base64"
        );
    }
}

#[test]
fn a_name_cannot_forge_a_line_of_the_log() {
    let house = open("postern", "\"0s\"");
    for name in [
        "a\"b,c",
        "x\\",
        "{\"message\":\"login\"}",
        "\u{1b}[31mred",
        "<<none>>",
    ] {
        pass(&mut house.client(), name, "x");
    }
    house.logged(&["\"login\"", "<<none>>"]);
    for line in house.log.lock().expect("the log").iter() {
        assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
        assert_eq!(line.matches("\"message\":").count(), 1, "{line}");
    }
}

#[test]
fn guesses_in_parallel_are_counted_together() {
    let setup = Setup::new()
        .set("login.failures_per_account", "5")
        .set("login.attempts", "100");
    let house = start(&setup);
    std::thread::scope(|scope| {
        for guess in 0..10 {
            let house = &house;
            scope.spawn(move || {
                for round in 0..3 {
                    pass(
                        &mut house.client(),
                        "alice",
                        &format!("guess {guess} {round}"),
                    );
                }
            });
        }
    });
    house.logged(&["alice", "throttled"]);
    let (answer, _) = pass(&mut house.client(), "alice", "correct horse");
    assert!(
        answer.starts_with("-ERR"),
        "guessing was not slowed down: {answer}"
    );
    // A guesser shuts out the one account, not the others.
    assert!(
        pass(&mut house.client(), "paula", "two of us")
            .0
            .starts_with("+OK")
    );
}

#[test]
fn a_bad_login_does_not_disturb_the_good_ones() {
    let house = start(
        &Setup::new()
            .set("login.attempts", "100")
            .set("login.failures_per_source", "0"),
    );
    std::thread::scope(|scope| {
        for bad in 0..8 {
            let house = &house;
            scope.spawn(move || {
                for _ in 0..10 {
                    let mut client = house.client();
                    if bad % 2 == 0 {
                        client.ask("AUTH PLAIN");
                        assert!(client.ask("!!!not base64").starts_with("-ERR"));
                    } else {
                        assert!(pass(&mut client, "paula", "two of us").0.starts_with("+OK"));
                        client.ask("QUIT");
                    }
                }
            });
        }
    });
}
