//! The channel binding `tls-server-end-point`: the hash of the certificate that the client saw.
//!
//! RFC 5929 §4.1: the hash function is that of the certificate's signature, and SHA-256 in the
//! place of MD5 and SHA-1. A signature without one hash function has no such binding; none is
//! made up for it.

use std::sync::Arc;

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use x509_parser::oid_registry::{
    OID_HASH_SHA1, OID_NIST_HASH_SHA256, OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512,
    OID_PKCS1_MD5WITHRSAENC, OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA1WITHRSA, OID_PKCS1_SHA224WITHRSA,
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SHA1_WITH_RSA,
    OID_SIG_ECDSA_WITH_SHA224, OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384,
    OID_SIG_ECDSA_WITH_SHA512, Oid, asn1_rs::oid,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

/// RFC 3279 §2.2.3; the library has no name for it.
const ECDSA_WITH_SHA1: Oid<'static> = oid!(1.2.840.10045.4.1);

/// The binding of a certificate in DER; none where RFC 5929 defines none.
pub(super) fn server_end_point(der: &[u8]) -> Option<Arc<[u8]>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let hash = signature_hash(&certificate.signature_algorithm)?;
    Some(hash.of(der).into())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(octets).to_vec(),
            Self::Sha256 => Sha256::digest(octets).to_vec(),
            Self::Sha384 => Sha384::digest(octets).to_vec(),
            Self::Sha512 => Sha512::digest(octets).to_vec(),
        }
    }
}

/// What to hash with, by the algorithm of the signature. MD5 and SHA-1 are not strong enough for
/// that, so SHA-256 stands in for them (RFC 5929 §4.1).
fn signature_hash(algorithm: &AlgorithmIdentifier<'_>) -> Option<Hash> {
    let known: [(&Oid<'_>, Hash); 12] = [
        (&OID_PKCS1_SHA256WITHRSA, Hash::Sha256),
        (&OID_SIG_ECDSA_WITH_SHA256, Hash::Sha256),
        (&OID_PKCS1_SHA384WITHRSA, Hash::Sha384),
        (&OID_SIG_ECDSA_WITH_SHA384, Hash::Sha384),
        (&OID_PKCS1_SHA512WITHRSA, Hash::Sha512),
        (&OID_SIG_ECDSA_WITH_SHA512, Hash::Sha512),
        (&OID_PKCS1_SHA224WITHRSA, Hash::Sha224),
        (&OID_SIG_ECDSA_WITH_SHA224, Hash::Sha224),
        (&OID_PKCS1_SHA1WITHRSA, Hash::Sha256),
        (&OID_SHA1_WITH_RSA, Hash::Sha256),
        (&ECDSA_WITH_SHA1, Hash::Sha256),
        (&OID_PKCS1_MD5WITHRSAENC, Hash::Sha256),
    ];
    let oid = &algorithm.algorithm;
    if *oid == OID_PKCS1_RSASSAPSS {
        return pss_hash(algorithm);
    }
    let found = known.iter().find(|(known, _)| *known == oid);
    found.map(|(_, hash)| *hash)
}

/// RSA-PSS names its hash in the parameters, and a second one for the mask (RFC 4055 §3.1). Two
/// that differ are more than one hash function, and RFC 5929 §4.1 defines nothing for that.
fn pss_hash(algorithm: &AlgorithmIdentifier<'_>) -> Option<Hash> {
    let Ok(SignatureAlgorithm::RSASSA_PSS(params)) = SignatureAlgorithm::try_from(algorithm) else {
        return None;
    };
    let hash = params.hash_algorithm_oid();
    let mask = params.mask_gen_algorithm().ok()?;
    if mask.hash != *hash {
        return None;
    }
    let known: [(&Oid<'_>, Hash); 4] = [
        (&OID_HASH_SHA1, Hash::Sha256),
        (&OID_NIST_HASH_SHA256, Hash::Sha256),
        (&OID_NIST_HASH_SHA384, Hash::Sha384),
        (&OID_NIST_HASH_SHA512, Hash::Sha512),
    ];
    let found = known.iter().find(|(known, _)| *known == hash);
    found.map(|(_, hash)| *hash)
}
