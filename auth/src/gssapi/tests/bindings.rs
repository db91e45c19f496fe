//! What a client is bound to, and what the server makes of it.

use super::*;

const HERE: &str = "aa11";
const BALANCER: &str = "bb22";
const ELSEWHERE: &str = "cc33";

fn hash(text: &str) -> Arc<[u8]> {
    let octets = text.as_bytes().chunks(2);
    octets
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn bindings(tolerant: bool) -> Bindings {
    Bindings {
        accepted: vec![hash(HERE), hash(BALANCER)],
        tolerant,
    }
}

fn bound(
    realm: &Realm,
    gssapi: &Arc<Gssapi>,
    client: Option<&str>,
    bindings: Bindings,
) -> [Result<Bound, Reason>; 2] {
    FLAVOURS.map(|(flavour, mechanism)| {
        let mut arguments = vec!["pop@localhost", "--mechanism", mechanism];
        arguments.extend(client.iter().flat_map(|hash| ["--binding", hash]));
        let mut talk = Talk::new(Arc::clone(gssapi), flavour, bindings.clone());
        let proven = realm.client(&arguments).talk(&mut talk);
        proven
            .map(|proven| proven.bound)
            .map_err(|failure| failure.reason)
    })
}

#[test]
fn a_binding_is_right_wrong_or_not_there() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (client, strict, tolerant) in [
        (None, Ok(Bound::No), Ok(Bound::No)),
        (Some(HERE), Ok(Bound::Here), Ok(Bound::Here)),
        (Some(BALANCER), Ok(Bound::Here), Ok(Bound::Here)),
        (
            Some(ELSEWHERE),
            Err(Reason::WrongBinding),
            Ok(Bound::Elsewhere),
        ),
    ] {
        assert_eq!(
            bound(&realm, &gssapi, client, bindings(false)),
            [strict; 2],
            "{client:?}"
        );
        assert_eq!(
            bound(&realm, &gssapi, client, bindings(true)),
            [tolerant; 2],
            "{client:?}"
        );
        let unasked = bound(&realm, &gssapi, client, Bindings::default());
        assert_eq!(unasked, [Ok(Bound::No); 2], "{client:?}");
    }
}

#[test]
fn a_wrong_binding_is_noted_and_cannot_be_tried_again() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (flavour, mechanism) in FLAVOURS {
        let token = realm.token(&[
            "pop@localhost",
            "--mechanism",
            mechanism,
            "--binding",
            ELSEWHERE,
        ]);
        let tries =
            |bindings: Bindings| Talk::new(Arc::clone(&gssapi), flavour, bindings).step(&token);
        assert_eq!(refused(tries(bindings(false))).0, Reason::WrongBinding);
        assert_eq!(refused(tries(bindings(true))).0, Reason::Replayed);
        assert_eq!(refused(tries(Bindings::default())).0, Reason::Replayed);
    }
}
