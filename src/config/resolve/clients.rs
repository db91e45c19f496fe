//! What is asked of clients: authorities, revocation lists, and whether a certificate is needed.

use toml::Spanned;

use super::Resolver;
use crate::config::ClientCertificates;
use crate::config::file;

impl Resolver<'_> {
    /// What is asked of clients. Without authorities nobody could have issued a certificate.
    pub(super) fn clients(&mut self, tls: &file::Tls) -> Option<ClientCertificates> {
        let remedy = "name the PEM file with the authorities that issue certificates to clients";
        let Some(_) = &tls.client_authorities else {
            let revocation = tls.client_revocation.as_ref().map(Spanned::span);
            let certificates = tls.client_certificates.as_ref().map(Spanned::span);
            for (key, span) in [
                ("tls.client_revocation", revocation),
                ("tls.client_certificates", certificates),
            ] {
                if let Some(span) = span {
                    let problem = "no client is asked for a certificate without client_authorities";
                    let remedy = "remove the key, or add client_authorities, the PEM file of those who issue them";
                    self.error(key, span, problem, remedy);
                }
            }
            return None;
        };
        let authorities = self.path("tls.client_authorities", &tls.client_authorities, remedy);
        let mut revocation = Vec::new();
        for item in tls.client_revocation.iter().flat_map(Spanned::get_ref) {
            let remedy = "name a file with a revocation list, in PEM or DER";
            let item = Some(item.clone());
            revocation.extend(self.path("tls.client_revocation", &item, remedy));
        }
        let required = tls.client_certificates.as_ref();
        Some(ClientCertificates {
            authorities: authorities?,
            revocation,
            required: required.is_some_and(|word| word.get_ref() == "required"),
        })
    }
}
