//! A device with a browser that subscribes to push, opens what comes, and checks who sent it: RFC 8291 and RFC 8292 from the
//! other side. Keys are derived and messages opened by another library than the one that sealed them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{PublicKey, SecretKey, elliptic_curve::sec1::ToSec1Point};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use serde_json::{Value, json};

use crate::post::Call;

/// A device.
pub struct Device {
    secret: SecretKey,
    auth: [u8; 16],
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn derived<const N: usize>(salt: &[u8], from: &[u8], what: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    let whole = Salt::new(HKDF_SHA256, salt).extract(from);
    let part = whole.expand(&[what], Bytes(N)).unwrap().fill(&mut bytes);
    part.unwrap();
    bytes
}

impl Device {
    /// A device of its own for each number.
    pub fn new(number: u8) -> Self {
        Self {
            secret: SecretKey::from_slice(&[number; 32]).unwrap(),
            auth: [number; 16],
        }
    }

    fn point(&self) -> Vec<u8> {
        let public = self.secret.public_key();
        public.to_sec1_point(false).as_bytes().to_vec()
    }

    /// What its browser says when it subscribes to a push service at an address.
    pub fn subscription(&self, endpoint: &str) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "endpoint": endpoint,
            "expirationTime": null,
            "keys": { "p256dh": text(&self.point()), "auth": text(&self.auth) },
        })
        .to_string()
    }

    /// What a message says that came.
    ///
    /// # Panics
    /// When it was not sealed for this device.
    pub fn open(&self, call: &Call) -> Value {
        assert_eq!(call.header("content-encoding"), Some("aes128gcm"));
        let (salt, rest) = call.bytes.split_at(16);
        let (record, rest) = rest.split_at(4);
        assert_eq!(record, 4096_u32.to_be_bytes());
        let (sender, sealed) = rest[1..].split_at(usize::from(rest[0]));
        assert!(sealed.len() <= 4096, "one record");
        let shared = self
            .secret
            .diffie_hellman(&PublicKey::from_sec1_bytes(sender).unwrap());
        let info = [b"WebPush: info\0", &self.point()[..], sender].concat();
        let secret: [u8; 32] = derived(&self.auth, shared.raw_secret_bytes(), &info);
        let key: [u8; 16] = derived(salt, &secret, b"Content-Encoding: aes128gcm\0");
        let nonce: [u8; 12] = derived(salt, &secret, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = key.open_in_place(nonce, Aad::empty(), &mut sealed).unwrap();
        let end = text.iter().rposition(|byte| *byte != 0).unwrap();
        assert_eq!(text[end], 2, "the sign of the last record");
        serde_json::from_slice(&text[..end]).unwrap()
    }
}

/// What a message's sender says of themselves, if it is the holder of a public key, as browsers take it.
///
/// # Panics
/// When it is not.
pub fn sender(call: &Call, key: &str) -> Value {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let said = call.header("authorization").unwrap();
    let (token, shown) = said.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(shown, key);
    let (said, signature) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes(key))
        .verify(said.as_bytes(), &bytes(signature))
        .unwrap();
    let (head, claims) = said.split_once('.').unwrap();
    let head: Value = serde_json::from_slice(&bytes(head)).unwrap();
    assert_eq!(head["alg"], "ES256");
    serde_json::from_slice(&bytes(claims)).unwrap()
}
