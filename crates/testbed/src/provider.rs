//! A provider of OpenID Connect on loopback that does what a test tells it, also what no good one does: it signs tokens for
//! others, with another's key, or not at all. What a good one does is tested with a real one, in `tests/browser`.

use std::{
    collections::HashMap,
    io::{BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::post::{Call, listen};

/// What it knows Whistle by, and by which Whistle shows that it is that.
pub const CLIENT: (&str, &str) = ("whistle", "a secret of both");

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// With the key that the provider shows.
    Well,
    /// With another one, under the same name.
    ByAnother,
    /// Not at all: `alg` is `none`.
    NotAtAll,
}

/// The provider, for as long as the process runs.
pub struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    key: Key,
    /// Tokens that wait for who brings the code.
    waiting: HashMap<String, Waiting>,
    codes: u32,
    /// What it says of a person when it is asked.
    person: Value,
    is_away: bool,
    /// The paths that were asked for.
    asked: Vec<String>,
}

struct Waiting {
    challenge: String,
    back: String,
    token: String,
}

struct Key {
    pair: EcdsaKeyPair,
    name: String,
}

impl Key {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Self {
            pair: pair.unwrap(),
            name: name.to_owned(),
        }
    }

    /// RFC 7517; an uncompressed point is a byte and its two coordinates.
    fn shown(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |from: usize| BASE64_URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.name,
            "x": part(1), "y": part(33)})
    }

    fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref())
    }
}

impl Provider {
    #[expect(clippy::new_without_default, reason = "it makes things in the world")]
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State {
            key: Key::new("1"),
            waiting: HashMap::new(),
            codes: 0,
            person: json!({}),
            is_away: false,
            asked: Vec::new(),
        }));
        let own = Arc::clone(&state);
        let address = listen(move |stream| {
            // Whoever hangs up is no fault of the test's.
            let _ = answer(&stream, &own);
        });
        Self { address, state }
    }

    /// Its address, as its tokens have it.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Whether it hangs up on whoever asks.
    pub fn set_away(&self, is_away: bool) {
        self.lock().is_away = is_away;
    }

    /// Signs with a new key from now on, and shows that alone.
    pub fn rotate(&self) {
        let mut state = self.lock();
        let next = state.key.name.parse::<u32>().unwrap() + 1;
        state.key = Key::new(&next.to_string());
    }

    /// What it says of a person, besides the token.
    pub fn says(&self, person: Value) {
        self.lock().person = person;
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.lock().asked.iter().filter(|asked| *asked == path).count()
    }

    /// Lets somebody in who was sent to `address` at a time, in seconds since 1970, and changes what the token says. Answers the
    /// state and the code with which the browser is sent back.
    pub fn lets_in(
        &self,
        address: &str,
        now: i64,
        signed: Signed,
        change: impl FnOnce(&mut Value),
    ) -> (String, String) {
        let (at, query) = address.split_once('?').unwrap();
        assert_eq!(at, format!("{}/in", self.issuer()));
        let asked: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut claims = json!({"iss": self.issuer(), "sub": "person-1", "aud": asked["client_id"],
            "iat": now, "exp": now + 300, "nonce": asked["nonce"]});
        change(&mut claims);
        let mut state = self.lock();
        let alg = if signed == Signed::NotAtAll {
            "none"
        } else {
            "ES256"
        };
        let head = json!({"alg": alg, "kid": state.key.name});
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&head), part(&claims));
        let signature = match signed {
            Signed::Well => state.key.sign(&text),
            Signed::ByAnother => Key::new(&state.key.name).sign(&text),
            Signed::NotAtAll => String::new(),
        };
        state.codes += 1;
        let code = format!("code-{}", state.codes);
        let waiting = Waiting {
            challenge: asked["code_challenge"].clone(),
            back: asked["redirect_uri"].clone(),
            token: format!("{text}.{signature}"),
        };
        state.waiting.insert(code.clone(), waiting);
        (asked["state"].clone(), code)
    }
}

/// One request for each connection.
fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(mut call) = Call::begin(&mut reader)? else {
        return Ok(());
    };
    call.finish(&mut reader)?;
    let mut state = state.lock().unwrap();
    if state.is_away {
        return Ok(());
    }
    let issuer = format!("http://{}", stream.local_addr()?);
    let path = call.head[0].split(' ').nth(1).unwrap_or_default().to_owned();
    state.asked.push(path.clone());
    let (status, body) = match path.as_str() {
        "/.well-known/openid-configuration" => (
            "200 OK",
            json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/in"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/person"),
                "jwks_uri": format!("{issuer}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256", "none"],
            }),
        ),
        "/keys" => ("200 OK", json!({"keys": [state.key.shown()]})),
        "/token" => state.token(&call),
        "/person" => ("200 OK", state.person.clone()),
        _ => ("404 Not Found", json!({})),
    };
    let body = body.to_string();
    let length = body.len();
    stream.write_all(
        format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    )
}

impl State {
    /// Gives out a token, once, to who brings the code and shows that they are who began.
    fn token(&mut self, call: &Call) -> (&'static str, Value) {
        let (id, secret) = CLIENT;
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let shown = format!("{}:{}", encoded(id), encoded(secret));
        let wanted = format!("Basic {}", BASE64_STANDARD.encode(shown));
        if call.header("authorization") != Some(wanted.as_str()) {
            return ("401 Unauthorized", json!({"error": "invalid_client"}));
        }
        let sent: HashMap<String, String> = form_urlencoded::parse(call.body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
        let hash = digest::digest(&digest::SHA256, field("code_verifier").as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(hash);
        match self.waiting.remove(field("code")) {
            Some(waiting) if waiting.challenge == challenge && waiting.back == field("redirect_uri") => (
                "200 OK",
                json!({"access_token": "anything", "token_type": "Bearer", "id_token": waiting.token}),
            ),
            _ => ("400 Bad Request", json!({"error": "invalid_grant"})),
        }
    }
}
