//! Naver's unlink message: a form that is signed with, and names the person encrypted by, a key made
//! of the client secret (Naver's developer guide, 4.4; MD5 and CBC are its choice).

use aws_lc_rs::cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{
    ProviderEvent, ProviderEventKind, ProviderNotification, ProviderSubject, Timestamp,
};
use md5::{Digest as _, Md5};

use super::parameters::Parameters;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::id_token::{LONGEST_AHEAD, checked_subject, sha256};

/// How old a message may be, in seconds: it is sent once.
const OLDEST: i64 = 3600;

/// Reads one.
///
/// # Errors
/// Rejected unless it is signed for this client, and new.
pub(super) fn read(
    provider: &Connection,
    notification: &ProviderNotification,
) -> Result<ProviderEvent, Failure> {
    let parameters = Parameters::read(notification)?;
    let client_id = parameters.required("clientId")?;
    let person = parameters.required("encryptUniqueId")?;
    let timestamp = parameters.required("timestamp")?;
    let signature = parameters.required("signature")?;
    let key = key(provider.secret.exposed());
    let signed = format!("clientId={client_id}&encryptUniqueId={person}&timestamp={timestamp}");
    let is_signed = decoded(signature).is_some_and(|signature| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    });
    if !is_signed {
        return Err(Failure::rejected("its signature is not good"));
    }
    if client_id != provider.config.client_id {
        return Err(Failure::rejected("it is for another client"));
    }
    let at: i64 = timestamp
        .parse()
        .map_err(|_| Failure::rejected("its timestamp is no time"))?;
    let now = provider.now();
    if at > now.saturating_add(LONGEST_AHEAD) || at < now.saturating_sub(OLDEST) {
        return Err(Failure::rejected("it is not of this hour"));
    }
    let subject = decrypt(&key, person);
    let subject = subject.ok_or_else(|| Failure::rejected("its person cannot be decrypted"))?;
    Ok(ProviderEvent {
        subject: ProviderSubject {
            issuer: provider.issuer().to_owned(),
            subject: checked_subject(subject)?,
        },
        kind: ProviderEventKind::ConsentRevoked,
        id: sha256(&signed),
        at: Some(Timestamp::from_seconds(at)),
    })
}

fn key(client_secret: &str) -> [u8; 16] {
    Md5::digest(client_secret.as_bytes()).into()
}

/// Base64url, padded or not.
fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// The vector, then AES-128-CBC with PKCS #7.
fn decrypt(key: &[u8; 16], text: &str) -> Option<String> {
    let bytes = decoded(text)?;
    let (vector, mut secret) = bytes
        .split_first_chunk::<16>()
        .map(|(vector, secret)| (*vector, secret.to_vec()))?;
    let key = UnboundCipherKey::new(&AES_128, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(vector));
    let plain = key.decrypt(&mut secret, context).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}
