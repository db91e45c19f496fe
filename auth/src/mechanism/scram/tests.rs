//! What the guard lets through to rsasl, and what not.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::house::channel;
use crate::{LoginType, TlsFacts};

const PLAIN: Offer = Offer {
    plus: false,
    plus_is_offered: false,
};
const PLAIN_BESIDE_PLUS: Offer = Offer {
    plus: false,
    plus_is_offered: true,
};
const PLUS: Offer = Offer {
    plus: true,
    plus_is_offered: true,
};

/// A channel with both bindings, as TLS 1.3 has them, or with the older one.
fn bound(exporter: bool) -> Channel {
    Channel {
        tls: Some(Arc::new(TlsFacts {
            exporter: exporter.then_some([7; 32]),
            server_end_point: Some([8; 32].as_slice().into()),
            ..TlsFacts::default()
        })),
        ..channel(LoginType::Secure, true)
    }
}

fn first(message: &str, offer: Offer) -> Result<ClientFirst, Reason> {
    client_first(message.as_bytes(), offer, &bound(true))
}

#[test]
fn names_are_decoded_and_prepared() {
    for (message, login, authzid) in [
        ("n,,n=user,r=abc", "user", None),
        ("y,,n=user,r=abc", "user", None),
        ("n,a=sales,n=a=2Cb=3Dc,r=abc", "a,b=c", Some("sales")),
        ("n,a==3D=2C,n=x,r=abc", "x", Some("=,")),
        // RFC 4013 §3; and a character that is newer than SASLprep is taken as typed.
        ("n,,n=I\u{ad}X,r=abc", "IX", None),
        ("n,,n=\u{1fae0}x,r=abc", "\u{1fae0}x", None),
    ] {
        let read = first(message, PLAIN).unwrap();
        assert_eq!(
            (read.login.as_str(), read.authzid.as_deref()),
            (login, authzid)
        );
        assert_eq!(read.binding, Binding::None);
    }
}

#[test]
fn messages_that_rsasl_would_trip_over_are_malformed() {
    let long = format!("n,,n=user,r={}", "x".repeat(513));
    let longer = format!("n,,n={},r=abc", "x".repeat(1025));
    let huge = format!("n,,n=user,r=abc,{}", ",".repeat(9000));
    for message in [
        "",
        ",",
        ",,,",
        "n",
        "n,",
        "n,,",
        "n,,n",
        "n,,n=",
        "n,,n=user",
        "n,,n=user,",
        "n,,n=user,r",
        "n,,n=user,r=",
        "n,x,n=user,r=abc",
        "n,a,n=user,r=abc",
        "n,a=,n=user,r=abc",
        "n,a=\u{ad},n=user,r=abc",
        "n,,m=x,n=user,r=abc",
        "n,,n=user,r=abc,x=y",
        "n,,n=,r=abc",
        "n,,n=us=er,r=abc",
        "n,,n=us=2,r=abc",
        "n,,n=us=2c,r=abc",
        "n,,n=\u{ad},r=abc",
        "n,,n=user,r=a c",
        "n,,n=user,r=aüc",
        "x,,n=user,r=abc",
        "p,,n=user,r=abc",
        "N,,n=user,r=abc",
        &long,
        &longer,
        &huge,
    ] {
        assert_eq!(first(message, PLAIN), Err(Reason::Malformed), "{message}");
    }
    assert_eq!(
        client_first(b"n,,n=\xff,r=abc", PLAIN, &bound(true)),
        Err(Reason::Malformed)
    );
}

#[test]
fn a_binding_belongs_to_the_name_with_plus_and_to_it_alone() {
    let message = |flag: &str| format!("{flag},,n=user,r=abc");
    let judge = |flag: &str, offer, exporter| {
        let read = client_first(message(flag).as_bytes(), offer, &bound(exporter));
        read.map(|read| read.binding)
    };
    let (exporter, end_point) = ("p=tls-exporter", "p=tls-server-end-point");
    assert_eq!(judge(exporter, PLUS, true), Ok(Binding::TlsExporter));
    assert_eq!(judge(end_point, PLUS, true), Ok(Binding::TlsServerEndPoint));
    assert_eq!(
        judge(end_point, PLUS, false),
        Ok(Binding::TlsServerEndPoint)
    );
    for (flag, offer, with_exporter) in [
        (exporter, PLUS, false),
        ("p=tls-unique", PLUS, true),
        ("p=none", PLUS, true),
        ("p=", PLUS, true),
        ("p=TLS-EXPORTER", PLUS, true),
        ("n", PLUS, true),
        ("y", PLUS, true),
        (exporter, PLAIN, true),
        (exporter, PLAIN_BESIDE_PLUS, true),
    ] {
        let judged = judge(flag, offer, with_exporter);
        assert_eq!(judged, Err(Reason::WrongBinding), "{flag} {offer:?}");
    }
    // A client that could bind and saw no -PLUS, where it was offered.
    assert_eq!(
        judge("y", PLAIN_BESIDE_PLUS, true),
        Err(Reason::BindingStripped)
    );
    assert_eq!(judge("y", PLAIN, true), Ok(Binding::None));
    assert_eq!(judge("n", PLAIN_BESIDE_PLUS, true), Ok(Binding::None));
}

#[test]
fn a_final_message_has_three_fields_that_are_all_there() {
    let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let good = format!("c=biws,r=abc,p={proof}");
    assert!(is_client_final(good.as_bytes()));
    for odd in [
        String::new(),
        ",".to_owned(),
        ",,".to_owned(),
        "c=biws,r=abc".to_owned(),
        "c=biws,r=abc,p=".to_owned(),
        "c=,r=abc,p=".to_owned() + proof,
        "c=biws,r=,p=".to_owned() + proof,
        "biws,r=abc,p=".to_owned() + proof,
        format!("{good},x=y"),
        format!("{good}A"),
        format!("c=biws,r=abc,x=y,p={proof}"),
        format!("c=biws,r={},p={proof}", "x".repeat(9000)),
    ] {
        assert!(!is_client_final(odd.as_bytes()), "{odd}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        for offer in [PLAIN, PLUS] {
            let _ = client_first(&message, offer, &bound(true));
        }
        let _ = is_client_final(&message);
    }

    #[test]
    fn any_name_comes_through_escaped(name in "[ -~]{1,40}") {
        let escaped = name.replace('=', "=3D").replace(',', "=2C");
        prop_assert_eq!(decode(&escaped), Some(name));
    }
}
