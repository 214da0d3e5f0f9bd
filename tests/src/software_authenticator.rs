//! An authenticator in software, with the browser around it: it makes passkeys
//! and signs with them, and does what no browser would if it is told to. It
//! writes its own CBOR, and shares no code with what is tested.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The person was there.
pub const USER_PRESENT: u8 = 1;
/// The authenticator has made sure who it was.
pub const USER_VERIFIED: u8 = 4;
const HAS_CREDENTIAL: u8 = 64;

/// The algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with 2,048 bits.
    Rs256,
}

/// A passkey with its private key.
pub struct SoftwareAuthenticator {
    /// The id of its credential.
    pub id: Vec<u8>,
    /// The id of the user for whom it was made.
    pub user_handle: Vec<u8>,
    /// How often it has signed, and once more; 0 if it does not count.
    pub counter: u32,
    key: Key,
}

/// What a browser and an authenticator say: what is usual, to be changed.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// CollectedClientData.
    pub client_data: Value,
    /// Of which relying party.
    pub rp_id: String,
    /// The flags.
    pub flags: u8,
    /// The signature counter.
    pub counter: u32,
    /// What comes after all else in the authenticator data.
    pub tail: Vec<u8>,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Ceremony {
    /// What a browser makes of options at a page.
    ///
    /// # Panics
    /// If they are no options.
    #[must_use]
    pub fn of(options: &str, origin: &str) -> Self {
        let options = parsed(options);
        let is_creation = options.get("rp").is_some();
        let rp_id = match is_creation {
            true => &options["rp"]["id"],
            false => &options["rpId"],
        };
        let kind = if is_creation { "create" } else { "get" };
        Self {
            client_data: json!({
                "type": format!("webauthn.{kind}"),
                "challenge": options["challenge"],
                "origin": origin,
                "crossOrigin": false,
            }),
            rp_id: rp_id.as_str().expect("a domain").to_owned(),
            flags: USER_PRESENT | USER_VERIFIED,
            counter: 0,
            tail: Vec::new(),
        }
    }

    fn authenticator_data(&self, credential: &[u8]) -> Vec<u8> {
        let hash = digest(&SHA256, self.rp_id.as_bytes());
        let counter = self.counter.to_be_bytes();
        [
            hash.as_ref(),
            &[self.flags],
            &counter,
            credential,
            &self.tail,
        ]
        .concat()
    }
}

impl SoftwareAuthenticator {
    /// A new key for the user of creation options.
    ///
    /// # Panics
    /// If they are no options.
    #[expect(
        clippy::disallowed_methods,
        reason = "an authenticator has randomness of its own"
    )]
    #[must_use]
    pub fn new(algorithm: Algorithm, creation_options: &str) -> Self {
        let options = parsed(creation_options);
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).expect("randomness");
        let key = match algorithm {
            Algorithm::Es256 => {
                Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
            }
            Algorithm::EdDsa => Key::EdDsa(Ed25519KeyPair::generate().expect("a key")),
            Algorithm::Rs256 => Key::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        };
        Self {
            id,
            user_handle: bytes(&options["user"]["id"]),
            counter: 0,
            key,
        }
    }

    /// Makes a passkey as a browser at `origin` has it made, and the answer.
    ///
    /// # Panics
    /// If they are no creation options.
    #[must_use]
    pub fn create(algorithm: Algorithm, options: &str, origin: &str) -> (Self, String) {
        let made = Self::new(algorithm, options);
        let answer = made.register(&Ceremony::of(options, origin)).to_string();
        (made, answer)
    }

    /// Answers request options at `origin`.
    ///
    /// # Panics
    /// If they are no request options.
    #[must_use]
    pub fn get(&self, options: &str, origin: &str) -> String {
        let mut ceremony = Ceremony::of(options, origin);
        ceremony.counter = self.counter;
        self.assert(&ceremony).to_string()
    }

    /// A RegistrationResponseJSON without attestation.
    #[must_use]
    pub fn register(&self, ceremony: &Ceremony) -> Value {
        let no_statement = vec![0xa0];
        self.register_with(ceremony, &self.cose(), "none", &no_statement)
    }

    /// A RegistrationResponseJSON whose key has signed for itself.
    #[must_use]
    pub fn register_itself(&self, ceremony: &Ceremony, algorithm: i64) -> Value {
        let client_data = ceremony.client_data.to_string();
        let data = self.data_with_credential(ceremony, &self.cose());
        let signature = self.sign(&signed(&data, client_data.as_bytes()));
        let statement = [
            vec![0xa2],
            text("alg"),
            int(algorithm),
            text("sig"),
            byte_string(&signature),
        ]
        .concat();
        self.register_with(ceremony, &self.cose(), "packed", &statement)
    }

    /// A RegistrationResponseJSON with any key, format and statement.
    #[must_use]
    pub fn register_with(
        &self,
        ceremony: &Ceremony,
        cose: &[u8],
        format: &str,
        statement: &[u8],
    ) -> Value {
        let data = self.data_with_credential(ceremony, cose);
        let object = [
            vec![0xa3],
            text("fmt"),
            text(format),
            text("attStmt"),
            statement.to_vec(),
            text("authData"),
            byte_string(&data),
        ]
        .concat();
        self.credential(json!({
            "clientDataJSON": encoded(ceremony.client_data.to_string().as_bytes()),
            "attestationObject": encoded(&object),
            "transports": ["internal"],
        }))
    }

    /// An AuthenticationResponseJSON.
    #[must_use]
    pub fn assert(&self, ceremony: &Ceremony) -> Value {
        let client_data = ceremony.client_data.to_string();
        let data = ceremony.authenticator_data(&[]);
        let signature = self.sign(&signed(&data, client_data.as_bytes()));
        self.credential(json!({
            "clientDataJSON": encoded(client_data.as_bytes()),
            "authenticatorData": encoded(&data),
            "signature": encoded(&signature),
            "userHandle": encoded(&self.user_handle),
        }))
    }

    /// The public key as COSE.
    #[must_use]
    pub fn cose(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(key) => {
                let point = key.public_key().as_ref();
                es256_cose(&point[1..33], &point[33..])
            }
            Key::EdDsa(key) => {
                let x = byte_string(key.public_key().as_ref());
                [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &x].concat()
            }
            Key::Rs256(key) => {
                let n = key.public_key().modulus();
                let n = byte_string(n.big_endian_without_leading_zero());
                let head = [0xa4, 1, 3, 3, 0x39, 1, 0, 0x20];
                [&head[..], &n, &[0x21, 0x43, 1, 0, 1]].concat()
            }
        }
    }

    fn data_with_credential(&self, ceremony: &Ceremony, cose: &[u8]) -> Vec<u8> {
        let length = u16::try_from(self.id.len()).expect("a short id");
        let credential = [&[0; 16][..], &length.to_be_bytes(), &self.id, cose].concat();
        let mut ceremony = ceremony.clone();
        ceremony.flags |= HAS_CREDENTIAL;
        ceremony.authenticator_data(&credential)
    }

    fn credential(&self, response: Value) -> Value {
        let mut credential = json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        });
        credential["response"] = response;
        credential
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "an authenticator has randomness of its own"
    )]
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(key) => key.sign(&random, message).expect("signed").as_ref().into(),
            Key::EdDsa(key) => key.sign(message).as_ref().into(),
            Key::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("signed");
                signature
            }
        }
    }
}

/// A key of ES256 at a point.
#[must_use]
pub fn es256_cose(x: &[u8], y: &[u8]) -> Vec<u8> {
    let head = [0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21];
    [&head[..], &byte_string(x), &[0x22], &byte_string(y)].concat()
}

/// Base64url without padding.
#[must_use]
pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text in base64url.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("a text");
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// A byte string in CBOR.
#[must_use]
pub fn byte_string(bytes: &[u8]) -> Vec<u8> {
    [head(0x40, bytes.len()), bytes.to_vec()].concat()
}

/// A text in CBOR.
#[must_use]
pub fn text(text: &str) -> Vec<u8> {
    [head(0x60, text.len()), text.as_bytes().to_vec()].concat()
}

/// A number in CBOR.
#[must_use]
pub fn int(number: i64) -> Vec<u8> {
    match number < 0 {
        true => head(0x20, usize::try_from(-1 - number).expect("a small number")),
        false => head(0, usize::try_from(number).expect("a small number")),
    }
}

fn head(kind: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(length @ 0..24) => vec![kind | length],
        Ok(length) => vec![kind | 24, length],
        Err(_) => {
            let length = u16::try_from(length).expect("a short value");
            [&[kind | 25][..], &length.to_be_bytes()].concat()
        }
    }
}

fn signed(data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [data, digest(&SHA256, client_data).as_ref()].concat()
}

fn parsed(options: &str) -> Value {
    serde_json::from_str(options).expect("options")
}

impl std::fmt::Debug for SoftwareAuthenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareAuthenticator(..)")
    }
}
