//! Signals: SIGHUP reads the configuration again, SIGTERM lets sessions come to their end.

use std::fs;

use nix::sys::signal::Signal;

use crate::wire::client::Client;
use crate::wire::clock::{until, within};
use crate::wire::fixture;
use crate::wire::house::House;
use crate::wire::postern::{Setup, start};

fn greeting(house: &House) -> String {
    Client::connect(house.clear).map_or_else(|problem| problem, |mut client| client.answer())
}

fn reconfigure(house: &House, setup: &Setup) {
    fs::write(house.ground.path("postern.toml"), setup.toml(&house.ground)).expect("writing");
    house.signal(Signal::SIGHUP);
}

#[test]
fn a_reload_keeps_sessions_and_a_bad_configuration_changes_nothing() {
    let setup = Setup::new().set("banner", "\"first\"");
    let house = start(&setup);
    let mut session = house.session("alice");
    assert!(session.ask("DELE 1").starts_with("+OK"));

    reconfigure(&house, &setup.clone().set("banner", "\"second\""));
    until("the second banner", || {
        (greeting(&house) == "+OK second").then_some(())
    });
    assert!(
        session.ask("STAT").starts_with("+OK 1 "),
        "the session was lost"
    );

    reconfigure(
        &house,
        &setup
            .clone()
            .set("banner", "\"third\"")
            .set("no_such_key", "1"),
    );
    house.logged(&["ERROR", "no_such_key"]);
    assert_eq!(greeting(&house), "+OK second");
    assert!(session.ask("QUIT").starts_with("+OK"));
    assert!(house.session("alice").ask("STAT").starts_with("+OK 1 "));
}

#[test]
fn at_sigterm_nobody_new_comes_in_and_sessions_may_end() {
    let mut house = start(&Setup::new());
    let mut session = house.session("alice");
    assert!(session.ask("DELE 1").starts_with("+OK"));
    house.signal(Signal::SIGTERM);
    until("a closed door", || {
        Client::connect(house.clear).is_err().then_some(())
    });
    let answer = session.ask("RETR 2");
    assert!(answer.starts_with("+OK"), "{answer}");
    session.list();
    assert!(session.ask("QUIT").starts_with("+OK"));
    let ended = within(|| house.process.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert!(
        fixture::file(&house.ground.maildir("alice"), 1).is_none(),
        "the marked message is there"
    );
    assert!(
        fixture::file(&house.ground.maildir("alice"), 2).is_some(),
        "an unmarked message is gone"
    );
}

#[test]
fn a_session_that_is_cut_off_by_the_end_of_the_server_deletes_nothing() {
    let mut house = start(&Setup::new().set("timeouts.drain", "\"0s\""));
    let mut session = house.session("alice");
    assert!(session.ask("DELE 1").starts_with("+OK"));
    house.signal(Signal::SIGTERM);
    let ended = within(|| house.process.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    assert!(
        fixture::file(&house.ground.maildir("alice"), 1).is_some(),
        "a message is gone without QUIT"
    );
}

#[test]
fn a_killed_server_deletes_nothing() {
    let mut house = start(&Setup::new());
    let mut session = house.session("alice");
    assert!(session.ask("DELE 1").starts_with("+OK"));
    house.process.kill().expect("SIGKILL");
    house.process.wait().expect("the end");
    assert!(
        fixture::file(&house.ground.maildir("alice"), 1).is_some(),
        "a message is gone without QUIT"
    );
}

#[test]
fn accounts_are_seen_as_they_are_now() {
    let house = start(&Setup::new());
    assert!(house.session("paula").ask("STAT").starts_with("+OK"));
    let path = house.ground.path("users.toml");
    let mut file: toml::Table = fs::read_to_string(&path)
        .expect("the users")
        .parse()
        .expect("TOML");
    let users = file["user"].as_array_mut().expect("a list");
    let paula = users
        .iter_mut()
        .find(|user| user["name"].as_str() == Some("paula"));
    paula.expect("paula")["disabled"] = true.into();
    fs::write(&path, toml::to_string(&file).expect("plain values")).expect("writing the users");
    until("paula to be shut out", || {
        let mut client = house.client();
        client.ask("USER paula");
        client
            .ask("PASS two of us")
            .starts_with("-ERR")
            .then_some(())
    });
}

#[test]
fn a_handshake_that_never_ends_does_not_hold_the_end_up() {
    let mut house = start(&Setup::new());
    let silent = std::net::TcpStream::connect(house.implicit).expect("connecting");
    let mut half = house.client();
    assert!(half.ask("STLS").starts_with("+OK"));
    // Both are inside a handshake now; a login proves that the server has come so far.
    assert!(house.session("alice").ask("QUIT").starts_with("+OK"));
    house.signal(Signal::SIGTERM);
    let ended = within(|| house.process.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    drop((silent, half));
}

#[test]
fn a_pipe_in_the_place_of_a_certificate_does_not_hold_the_end_up() {
    let mut house = start(&Setup::new());
    let chain = house.ground.path("chain.pem");
    fs::remove_file(&chain).expect("removing");
    nix::unistd::mkfifo(&chain, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    house.ground.give_away();
    house.signal(Signal::SIGHUP);
    house.logged(&["ERROR", "not a regular file"]);
    house.signal(Signal::SIGTERM);
    let ended = within(|| house.process.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

#[test]
fn the_level_of_the_log_changes_with_a_reload() {
    let setup = Setup::new();
    let house = start(&setup);
    reconfigure(&house, &setup.set("log.level", "\"debug\""));
    house.logged(&["reloaded"]);
    assert!(house.client().ask("CAPA").starts_with("+OK"));
    house.logged(&["DEBUG", "CAPA"]);
}

#[test]
fn a_reload_gives_each_listener_its_own_rules_again() {
    let house = start(&Setup::new());
    // Both are configured with port 0, and only one of them begins with TLS.
    house.signal(Signal::SIGHUP);
    house.logged(&["reloaded"]);
    assert!(greeting(&house).starts_with("+OK"));
    assert!(house.tls_client().ask("QUIT").starts_with("+OK"));
}
