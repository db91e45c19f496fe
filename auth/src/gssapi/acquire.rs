//! The one call that libgssapi lacks: acceptor credentials of a keytab that is named by its path.
//!
//! `gss_acquire_cred` knows the keytab of `KRB5_KTNAME` and `krb5.conf` alone, and a server must
//! not depend on its environment. This is the only file of Postern with `unsafe` in it: it
//! calls C, and hands what it got to types of libgssapi that free it.

use std::ffi::{CString, c_void};
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
    let text = |octets: &[u8]| CString::new(octets).map_err(|_| error(BAD_NAME, 0));
    let keytab = text(&[b"FILE:", places.keytab.as_os_str().as_bytes()].concat())?;
    let replay = places
        .replay
        .map(|replay| text(replay.as_bytes()))
        .transpose()?;
    let mut elements = vec![element(c"keytab", &keytab)];
    elements.extend(replay.iter().map(|replay| element(c"rcache", replay)));
    let store = sys::gss_key_value_set_desc {
        count: if replay.is_some() { 2 } else { 1 },
        elements: elements.as_mut_ptr(),
    };
    let name = Imported::new(name)?;
    let wanted = match tokens {
        Tokens::Krb5 => GSS_MECH_KRB5,
        Tokens::Spnego => GSS_MECH_SPNEGO,
    };
    let mut krb5 = descriptor(GSS_MECH_KRB5);
    let mut wanted = descriptor(wanted);
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
            sys::GSS_C_ACCEPT.cast_signed(),
            &raw const store,
            &raw mut credential,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    check(major, minor)?;
    // SAFETY: the call succeeded, so the credential is ours alone, and this hands it on.
    let owned = unsafe { Cred::from_c(credential) };
    if tokens == Tokens::Spnego {
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

fn element(key: &'static std::ffi::CStr, value: &CString) -> sys::gss_key_value_element_desc {
    sys::gss_key_value_element_desc {
        key: key.as_ptr(),
        value: value.as_ptr(),
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
