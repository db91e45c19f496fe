//! The one call that libgssapi lacks: credentials of a keytab that is named by its path.
//!
//! `gss_acquire_cred` knows the keytab of `KRB5_KTNAME` and `krb5.conf` alone, and a server must
//! not depend on its environment. This is the only file of Postern with `unsafe` in it: it
//! calls C, and hands what it got to types of libgssapi that free it.

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use libgssapi::credential::Cred;
use libgssapi::error::{Error, MajorFlags};
use libgssapi::oid::{
    GSS_MECH_KRB5, GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL, Oid,
};
use libgssapi_sys as sys;

/// GSS_S_BAD_NAME (RFC 2744 §3.9.1), for a path that C cannot have.
const BAD_NAME: u32 = 2 << 16;

/// Whose keys are to be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// Of a service on any host: no host is looked up.
    Service(String),
    /// Of one principal.
    Principal(String),
}

/// Which tokens a credential takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// Those of Kerberos.
    Krb5,
    /// Those of SPNEGO, with Kerberos inside and nothing else.
    Spnego,
}

/// Where keys are, and where it is written which authenticators were seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'a> {
    /// The keytab.
    pub(super) keytab: &'a Path,
    /// A replay cache in MIT's notation; none means the library's own (see [`super::Replay`]).
    pub(super) replay: Option<&'a str>,
}

/// The credential with which contexts are accepted for this name.
///
/// # Errors
/// What the library says: there is no such keytab, or no key of that name in it.
pub(super) fn acceptor(places: Places<'_>, name: &Name, tokens: Tokens) -> Result<Cred, Error> {
    let mut store = vec![(c"keytab", file(places.keytab)?)];
    if let Some(replay) = places.replay {
        store.push((c"rcache", text(replay.as_bytes())?));
    }
    let wanted = match tokens {
        Tokens::Krb5 => GSS_MECH_KRB5,
        Tokens::Spnego => GSS_MECH_SPNEGO,
    };
    let (owned, credential) = acquire(name, wanted, sys::GSS_C_ACCEPT, &store)?;
    if tokens == Tokens::Spnego {
        let (mut minor, mut krb5) = (0, descriptor(GSS_MECH_KRB5));
        let mut inside = sys::gss_OID_set_desc {
            count: 1,
            elements: &raw mut krb5,
        };
        // SAFETY: `credential` is live as long as `owned`; the set is only read, and copied.
        let major = unsafe { sys::gss_set_neg_mechs(&raw mut minor, credential, &raw mut inside) };
        check(major, minor)?;
    }
    Ok(owned)
}

/// The credential with which a client asks for tickets by its key in a file. Its tickets stay in
/// this process, under a name that nobody else has there. The KDC may be asked at once.
///
/// # Errors
/// What the library says, and what the KDC said to it.
pub(super) fn initiator(keytab: &Path, principal: &str, tickets: &str) -> Result<Cred, Error> {
    let tickets = text(&[b"MEMORY:", tickets.as_bytes()].concat())?;
    let store = [(c"client_keytab", file(keytab)?), (c"ccache", tickets)];
    let name = Name::Principal(principal.to_owned());
    acquire(&name, GSS_MECH_KRB5, sys::GSS_C_INITIATE, &store).map(|(owned, _)| owned)
}

/// A credential of one mechanism, by what the store says; and the same for calls that `Cred` lacks.
fn acquire(
    name: &Name,
    mechanism: Oid<'static>,
    usage: u32,
    store: &[(&'static CStr, CString)],
) -> Result<(Cred, sys::gss_cred_id_t), Error> {
    let element = |(key, value): &(&'static CStr, CString)| sys::gss_key_value_element_desc {
        key: key.as_ptr(),
        value: value.as_ptr(),
    };
    let mut elements: Vec<_> = store.iter().map(element).collect();
    let store = sys::gss_key_value_set_desc {
        count: u32::try_from(elements.len()).unwrap_or(0),
        elements: elements.as_mut_ptr(),
    };
    let name = Imported::new(name)?;
    let mut wanted = descriptor(mechanism);
    let mut wanted = sys::gss_OID_set_desc {
        count: 1,
        elements: &raw mut wanted,
    };
    let (mut minor, mut credential) = (0, ptr::null_mut());
    // SAFETY: every pointer is to a live local: `name` was imported and is released after the call;
    // the set and the store, with the strings that their elements point to, are only read, and the
    // library copies what it keeps (RFC 2744 §5.2; MIT "Credential stores"). The outputs that are
    // not wanted may be null.
    let major = unsafe {
        sys::gss_acquire_cred_from(
            &raw mut minor,
            name.0,
            sys::_GSS_C_INDEFINITE,
            &raw mut wanted,
            usage.cast_signed(),
            &raw const store,
            &raw mut credential,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(major, minor)?;
    // SAFETY: the call succeeded, so the credential is ours alone, and this hands it on.
    Ok((unsafe { Cred::from_c(credential) }, credential))
}

fn text(octets: &[u8]) -> Result<CString, Error> {
    CString::new(octets).map_err(|_| error(BAD_NAME, 0))
}

fn file(path: &Path) -> Result<CString, Error> {
    text(&[b"FILE:", path.as_os_str().as_bytes()].concat())
}

/// A name of the library, released when it is dropped.
struct Imported(sys::gss_name_t);

impl Imported {
    fn new(name: &Name) -> Result<Self, Error> {
        let (text, kind) = match name {
            Name::Service(service) => (service, GSS_NT_HOSTBASED_SERVICE),
            Name::Principal(principal) => (principal, GSS_NT_KRB5_PRINCIPAL),
        };
        let mut kind = descriptor(kind);
        let mut buffer = sys::gss_buffer_desc {
            length: text.len(),
            value: text.as_ptr().cast_mut().cast::<c_void>(),
        };
        let (mut minor, mut imported) = (0, ptr::null_mut());
        // SAFETY: text and kind outlive the call, which reads them and copies what it keeps.
        let major = unsafe {
            sys::gss_import_name(
                &raw mut minor,
                &raw mut buffer,
                &raw mut kind,
                &raw mut imported,
            )
        };
        check(major, minor).map(|()| Self(imported))
    }
}

impl Drop for Imported {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the name was imported by us and is released once.
        let _ = unsafe { sys::gss_release_name(&raw mut minor, &raw mut self.0) };
    }
}

/// The constant of libgssapi in the form of C; its octets are static and never written.
fn descriptor(oid: Oid<'static>) -> sys::gss_OID_desc {
    sys::gss_OID_desc {
        length: u32::try_from(oid.len()).unwrap_or(0),
        elements: oid.as_ptr().cast_mut().cast::<c_void>(),
    }
}

fn check(major: u32, minor: u32) -> Result<(), Error> {
    if major == sys::GSS_S_COMPLETE {
        Ok(())
    } else {
        Err(error(major, minor))
    }
}

fn error(major: u32, minor: u32) -> Error {
    Error {
        major: MajorFlags::from_bits_retain(major),
        minor,
    }
}
