//! Settings out of their range, and settings that could harm what is sent.

use crate::wire::client::Client;
use crate::wire::postern::{Setup, start, try_start};

#[test]
fn a_value_out_of_its_range_is_refused_by_the_name_of_its_key() {
    let wrong = [
        ("limits.max_command", "39"),
        ("limits.max_command", "1025"),
        ("limits.max_connections", "0"),
        ("limits.max_connections", "2147483648"),
        ("limits.max_connections_per_source", "0"),
        ("limits.max_connections_per_user", "0"),
        ("timeouts.authenticated", "\"29s\""),
        ("timeouts.authenticated", "\"86401s\""),
        ("timeouts.pre_authenticated", "\"9s\""),
        ("timeouts.pre_authenticated", "\"3601s\""),
        ("login.type", "\"open\""),
        ("login.cross_site", "\"maybe\""),
        ("messages.order", "\"random\""),
        ("login.mechanisms", "[\"CRAM-MD5\"]"),
        ("profile", "\"exchange-1999\""),
    ];
    for (key, value) in wrong {
        match try_start(&Setup::new().set(key, value)) {
            Ok(_) => panic!("{key} = {value} was taken"),
            Err(log) => assert!(log.contains(key), "{key} = {value}: {log}"),
        }
    }
}

#[test]
fn a_value_at_the_end_of_its_range_is_taken() {
    let right = [
        ("limits.max_command", "40"),
        ("limits.max_command", "1024"),
        ("timeouts.authenticated", "\"30s\""),
        ("timeouts.authenticated", "\"86400s\""),
        ("timeouts.pre_authenticated", "\"10s\""),
        ("timeouts.pre_authenticated", "\"3600s\""),
    ];
    for (key, value) in right {
        let house = start(&Setup::new().set(key, value));
        assert!(
            house.client().ask("QUIT").starts_with("+OK"),
            "{key} = {value}"
        );
    }
}

#[test]
fn a_limit_below_what_capa_promises_is_warned_of() {
    // RFC 2449 §4: 255 octets must be possible where there is CAPA.
    let house = start(&Setup::new().set("limits.max_command", "254"));
    house.logged(&["WARN", "max_command"]);
}

#[test]
fn no_banner_can_harm_the_greeting() {
    let long = format!("{:?}", "x".repeat(600));
    let banners = [
        "\"<1896.697170952@dbc.mtview.ca.us>\"",
        r#""ready\r\n-ERR no""#,
        "\"[x] ready\"",
        "\"\"",
        "\"\\u001b[2J\"",
        "\"gr\u{fc}n\"",
        &long,
    ];
    for banner in banners {
        // A banner may be refused; then the log names it. What is taken must be harmless.
        let house = match try_start(&Setup::new().set("banner", banner)) {
            Err(log) => {
                assert!(log.contains("banner"), "{banner}: {log}");
                continue;
            }
            Ok(house) => house,
        };
        let mut client = Client::connect(house.clear).expect("connecting");
        let greeting = client.answer();
        assert!(
            greeting.starts_with("+OK") && greeting.len() <= 510,
            "{greeting}"
        );
        assert!(
            greeting.bytes().all(|octet| (b' '..=b'~').contains(&octet)),
            "{greeting:?}"
        );
        assert!(
            !greeting.contains('<') && !greeting.starts_with("+OK ["),
            "{greeting}"
        );
        assert!(
            client.ask("QUIT").starts_with("+OK"),
            "a banner of more than one line"
        );
        assert_eq!(client.answer(), "(closed)");
    }
}
