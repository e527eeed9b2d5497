//! The address of a database, and how its server proves who it is.
//!
//! The words are those of libpq. `sslmode` is `disable`, `prefer` (as without one), `require`, which encrypts but believes
//! any certificate, or `verify-ca` and `verify-full`, which both want a certificate for this host, signed by
//! `sslrootcert` or, without that, by somebody the system trusts.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};

/// How long a server may take to answer the first time.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// After how much silence a connection is doubted, how often it is then tried, and how many tries it has: a machine that
/// vanished is missed after some ten seconds, where the system would wait for minutes.
const SILENCE: Duration = Duration::from_secs(5);
const TRIED_EVERY: Duration = Duration::from_secs(2);
const TRIES: u32 = 3;

pub(super) fn parse(url: &str) -> Result<(tokio_postgres::Config, MakeRustlsConnect)> {
    let (url, mode) = take(url, "sslmode");
    let (url, root) = take(&url, "sslrootcert");
    let mut config: tokio_postgres::Config = url.parse().map_err(|error| Error::Address {
        what: format!("{}; write postgres://user@host/database", super::chain(&error)),
    })?;
    let verifies = match mode.as_deref() {
        None => false,
        Some("verify-ca" | "verify-full") => {
            config.ssl_mode(SslMode::Require);
            true
        }
        Some(word @ ("disable" | "prefer" | "require")) => {
            config.ssl_mode(match word {
                "disable" => SslMode::Disable,
                "prefer" => SslMode::Prefer,
                _ => SslMode::Require,
            });
            false
        }
        Some(other) => {
            return Err(Error::Address {
                what: format!(
                    "sslmode {other:?} is none; write disable, prefer, require, verify-ca or verify-full"
                ),
            });
        }
    };
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_WITHIN);
    }
    config
        .keepalives_idle(SILENCE)
        .keepalives_interval(TRIED_EVERY)
        .keepalives_retries(TRIES)
        .tcp_user_timeout(SILENCE + TRIED_EVERY * TRIES);
    Ok((config, MakeRustlsConnect::new(tls(verifies, root.as_deref())?)))
}

/// Takes one setting out of the query of a URL.
fn take(url: &str, name: &str) -> (String, Option<String>) {
    let Some((address, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut value = None;
    let rest: Vec<_> = query
        .split('&')
        .filter(|pair| match pair.split_once('=') {
            Some((key, given)) if key == name => {
                value = Some(given.replace("%2F", "/").replace("%2f", "/"));
                false
            }
            _ => true,
        })
        .collect();
    let url = if rest.is_empty() {
        address.to_owned()
    } else {
        format!("{address}?{}", rest.join("&"))
    };
    (url, value)
}

fn tls(verifies: bool, root: Option<&str>) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Address {
            what: error.to_string(),
        })?;
    if !verifies {
        let anybody = Arc::new(Anybody(provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(anybody)
            .with_no_client_auth());
    }
    Ok(builder.with_root_certificates(roots(root)?).with_no_client_auth())
}

fn roots(file: Option<&str>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = file else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        return Ok(roots);
    };
    let fault = |what: String| Error::Address {
        what: format!("sslrootcert {file}: {what}"),
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    Ok(roots)
}

/// Believes every certificate, as libpq does unless it is told to verify: against listeners, not against impostors.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libpq_knows_and_the_driver_does_not_is_taken_out_of_the_address() {
        let (config, _) =
            parse("postgres://w@db.example/whistle?sslmode=verify-full&connect_timeout=7").unwrap();
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(7)));
        let (config, _) = parse("postgres://w@db.example/whistle").unwrap();
        assert_eq!(config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_what_would_be_right() {
        for (wrong, told) in [
            (
                "postgres://w@db.example/whistle?sslmode=maybe",
                "sslmode \"maybe\" is none",
            ),
            ("mysql://db", "write postgres://user@host/database"),
            (
                "postgres://db/w?sslmode=verify-full&sslrootcert=/nowhere.pem",
                "sslrootcert /nowhere.pem",
            ),
        ] {
            let refusal = parse(wrong).err().unwrap().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
