//! How a provider is spoken to: OpenID Connect Core 1.0, the authorization code flow with PKCE. What the provider says of
//! itself and its keys is remembered for a while, and fetched anew when a token is signed with a key that is not known.
//!
//! Knows nothing of accounts.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthenticationContextClass, AuthenticationFlow,
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse, UserInfoClaims,
    UserInfoError,
    core::{
        CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims,
        CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
        CoreTokenResponse,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::{Counts, Fault, Provider};

/// How long what the provider says of itself is believed.
const REMEMBERED: Duration = Duration::from_hours(1);

/// How long a provider that did not answer is left alone, so that those who wait do not wait for each other.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// How long it may take to answer a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the connection to it may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes of an answer: key sets and tokens of the large providers have some ten thousand.
const MAX_ANSWER: usize = 512 * 1024;

/// The signatures that are believed: those whose key the provider alone has.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Speaks to the provider.
pub(crate) struct Client {
    provider: Provider,
    http: Http,
    known: Mutex<Known>,
}

/// What is known of the provider, and since when, in the time that the process runs.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<CoreProviderMetadata>, Duration)>,
    failed_at: Option<Duration>,
}

/// What a way to the provider and back begins with, and its end is compared with.
pub(super) struct Way<'a> {
    /// Where the provider sends the browser back to.
    pub(super) back: &'a str,
    /// Comes back with the browser.
    pub(super) state: &'a str,
    /// Comes back in the token.
    pub(super) nonce: &'a str,
    /// Shows that who fetches the token is who began.
    pub(super) verifier: &'a str,
}

/// Whom the provider has found.
pub(super) struct Person {
    /// By which it tells people apart.
    pub(super) subject: String,
    /// What the token calls them; none where it does not vouch for it, or does not say. See [`Client::name_of`].
    pub(super) name: Option<String>,
    /// Whether they showed more than a password there.
    pub(super) is_strong: bool,
    /// What the provider is asked with for what it says of them besides.
    access: AccessToken,
}

impl Client {
    pub(crate) fn open(provider: Provider) -> Result<Self, String> {
        // Whoever was first has set it, to the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // What is asked for is where the provider said; it sends nobody on to the inside of our network.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            provider,
            http: Http(http),
            known: Mutex::default(),
        })
    }

    pub(super) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What the provider says of itself. `running`: how long the process has run; `anew`: what is remembered is not enough.
    async fn metadata(&self, running: Duration, anew: bool) -> Result<Arc<CoreProviderMetadata>, Fault> {
        let mut known = self.known.lock().await;
        if let Some((metadata, at)) = &known.metadata
            && !anew
            && running.saturating_sub(*at) < REMEMBERED
        {
            return Ok(Arc::clone(metadata));
        }
        let is_left_alone = |at: Duration| running.saturating_sub(at) < LEFT_ALONE;
        if known.failed_at.is_some_and(is_left_alone) {
            return known.older().ok_or(Fault::Down);
        }
        let issuer = IssuerUrl::new(self.provider.issuer.clone()).map_err(|_| Fault::Down)?;
        match CoreProviderMetadata::discover_async(issuer, &self.http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some((Arc::clone(&metadata), running)),
                    failed_at: None,
                };
                Ok(metadata)
            }
            Err(error) => {
                tracing::error!(
                    error = told(&error),
                    "the provider of sign-ins does not say what it is"
                );
                known.failed_at = Some(running);
                known.older().ok_or(Fault::Down)
            }
        }
    }

    /// Where the browser is sent.
    pub(super) async fn address(&self, way: &Way<'_>, running: Duration) -> Result<String, Fault> {
        let metadata = self.metadata(running, false).await?;
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.id(), None)
            .set_redirect_uri(back(way)?);
        let verifier = PkceCodeVerifier::new(way.verifier.to_owned());
        let (state, nonce) = (way.state.to_owned(), way.nonce.to_owned());
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in &self.provider.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if let Counts::When(words) = &self.provider.second_factor {
            // A provider that knows of steps takes them up to the one that is asked for.
            for word in words.iter().filter_map(|word| word.strip_prefix("acr:")) {
                request = request.add_auth_context_value(AuthenticationContextClass::new(word.to_owned()));
            }
        }
        Ok(request.url().0.to_string())
    }

    /// Whom the provider has found, for the code that the browser came back with. `now` is the time of day.
    pub(super) async fn person(
        &self,
        way: &Way<'_>,
        code: &str,
        (now, running): (jiff::Timestamp, Duration),
    ) -> Result<Person, Fault> {
        let mut metadata = self.metadata(running, false).await?;
        let answer = self.token(&metadata, way, code).await?;
        let token = answer.id_token().ok_or(Fault::BadToken)?;
        let nonce = Nonce::new(way.nonce.to_owned());
        let mut claims = token.claims(&self.verifier(&metadata, now), &nonce);
        if is_of_unknown_key(&claims) {
            metadata = self.metadata(running, true).await?;
            claims = token.claims(&self.verifier(&metadata, now), &nonce);
        }
        let claims = claims.map_err(|error| {
            tracing::warn!(
                error = told(&error),
                "a token of the provider of sign-ins is refused"
            );
            fault_of(&error)
        })?;
        if let Some(wanted) = claims.access_token_hash() {
            let verifier = self.verifier(&metadata, now);
            let key = token.signing_key(&verifier).map_err(|_| Fault::BadToken)?;
            let alg = token.signing_alg().map_err(|_| Fault::BadToken)?;
            let found = AccessTokenHash::from_token(answer.access_token(), alg, key);
            if found.ok().as_ref() != Some(wanted) {
                return Err(Fault::BadToken);
            }
        }
        Ok(Person {
            subject: claims.subject().to_string(),
            name: self.name_in(&payload(token)),
            is_strong: self.is_strong(claims),
            access: answer.access_token().clone(),
        })
    }

    async fn token(
        &self,
        metadata: &CoreProviderMetadata,
        way: &Way<'_>,
        code: &str,
    ) -> Result<CoreTokenResponse, Fault> {
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.id(), Some(self.secret()))
            .set_redirect_uri(back(way)?)
            .set_auth_type(auth_type(metadata));
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| {
                tracing::error!(error = told(&error), "the provider of sign-ins gives no tokens");
                Fault::Down
            })?
            .set_pkce_verifier(PkceCodeVerifier::new(way.verifier.to_owned()));
        request.request_async(&self.http).await.map_err(|error| {
            tracing::warn!(error = told(&error), "the provider of sign-ins gave no token");
            match error {
                RequestTokenError::Request(_) => Fault::Down,
                RequestTokenError::ServerResponse(_) => Fault::Refused,
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Fault::BadToken,
            }
        })
    }

    /// What the provider calls a person. Where the token does not say, it is asked for what it says of them.
    pub(super) async fn name_of(&self, person: &Person, running: Duration) -> Result<Option<String>, Fault> {
        if person.name.is_some() {
            return Ok(person.name.clone());
        }
        let metadata = self.metadata(running, false).await?;
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.id(), Some(self.secret()));
        let subject = SubjectIdentifier::new(person.subject.clone());
        let Ok(request) = client.user_info(person.access.clone(), Some(subject)) else {
            return Ok(None);
        };
        let told_of: UserInfoClaims<Others, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| {
                tracing::warn!(
                    error = told(&error),
                    "the provider of sign-ins says nothing of a person"
                );
                match error {
                    UserInfoError::Request(_) => Fault::Down,
                    _ => Fault::BadToken,
                }
            })?;
        Ok(self.name_in(&serde_json::to_value(&told_of).unwrap_or_default()))
    }

    /// The claim that names the account. An address counts only where the provider has looked whose it is.
    fn name_in(&self, claims: &Value) -> Option<String> {
        let claim = self.provider.name_claim.as_str();
        let name = claims.get(claim)?.as_str()?.trim();
        let is_vouched_for = claim != "email" || claims.get("email_verified") == Some(&Value::Bool(true));
        (!name.is_empty() && is_vouched_for).then(|| name.to_lowercase())
    }

    /// Whether what was shown at the provider counts as a second factor.
    fn is_strong(&self, claims: &CoreIdTokenClaims) -> bool {
        let words = match &self.provider.second_factor {
            Counts::Never => return false,
            Counts::Always => return true,
            Counts::When(words) => words,
        };
        let acr = claims
            .auth_context_ref()
            .map(|acr| format!("acr:{}", acr.as_str()));
        let amr = claims.auth_method_refs().into_iter().flatten();
        let amr = amr.map(|amr| format!("amr:{}", amr.as_str()));
        acr.into_iter().chain(amr).any(|shown| words.contains(&shown))
    }

    fn verifier(
        &self,
        metadata: &CoreProviderMetadata,
        now: jiff::Timestamp,
    ) -> CoreIdTokenVerifier<'static> {
        let issuer = metadata.issuer().clone();
        let now = chrono::DateTime::from_timestamp_micros(now.as_microsecond()).unwrap_or_default();
        CoreIdTokenVerifier::new_confidential_client(
            self.id(),
            self.secret(),
            issuer,
            metadata.jwks().clone(),
        )
        .set_allowed_algs(SIGNATURES)
        .set_time_fn(move || now)
    }

    fn id(&self) -> ClientId {
        ClientId::new(self.provider.client_id.clone())
    }

    fn secret(&self) -> ClientSecret {
        ClientSecret::new(self.provider.client_secret.clone())
    }
}

impl Known {
    /// What was known before, where it is better than nothing.
    fn older(&self) -> Option<Arc<CoreProviderMetadata>> {
        self.metadata.as_ref().map(|(metadata, _)| Arc::clone(metadata))
    }
}

fn back(way: &Way<'_>) -> Result<RedirectUrl, Fault> {
    RedirectUrl::new(way.back.to_owned()).map_err(|_| Fault::Refused)
}

/// How the secret is shown: in the head of the request, unless the provider takes it in the body alone.
fn auth_type(metadata: &CoreProviderMetadata) -> AuthType {
    let takes = metadata.token_endpoint_auth_methods_supported();
    match takes {
        Some(methods)
            if !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost) =>
        {
            AuthType::RequestBody
        }
        _ => AuthType::BasicAuth,
    }
}

fn is_of_unknown_key<T>(claims: &Result<T, ClaimsVerificationError>) -> bool {
    matches!(
        claims,
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey
        ))
    )
}

const fn fault_of(error: &ClaimsVerificationError) -> Fault {
    match error {
        ClaimsVerificationError::InvalidNonce(_) => Fault::WrongNonce,
        ClaimsVerificationError::InvalidAudience(_) => Fault::WrongAudience,
        ClaimsVerificationError::InvalidIssuer(_) => Fault::WrongIssuer,
        ClaimsVerificationError::Expired(_) => Fault::ExpiredToken,
        _ => Fault::BadToken,
    }
}

/// All claims of a token that was checked, also those that the standard does not know.
fn payload(token: &CoreIdToken) -> Value {
    let text = token.to_string();
    let part = text.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// What the provider says of a person that the standard does not know.
#[derive(Debug, Serialize, Deserialize)]
struct Others {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for Others {}

/// An error with its causes. Neither codes nor tokens are in it.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text = format!("{text}: {one}");
        cause = one.source();
    }
    text
}

/// Sends requests, with the library of connections that is there already.
struct Http(reqwest::Client);

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error("no answer")]
    Away(#[source] reqwest::Error),
    #[error("the answer has more than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("the answer cannot be read")]
    Unreadable(#[source] openidconnect::http::Error),
}

impl<'c> openidconnect::AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let away = |error: reqwest::Error| HttpError::Away(error.without_url());
            let request = request.try_into().map_err(away)?;
            let mut answer = self.0.execute(request).await.map_err(away)?;
            let mut built = openidconnect::http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                built = built.header(name, value);
            }
            let mut body = Vec::new();
            while let Some(some) = answer.chunk().await.map_err(away)? {
                if body.len() + some.len() > MAX_ANSWER {
                    return Err(HttpError::TooLong);
                }
                body.extend_from_slice(&some);
            }
            built.body(body).map_err(HttpError::Unreadable)
        })
    }
}
