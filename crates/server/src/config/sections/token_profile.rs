//! The sections `[tokens.profiles.NAME]`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use countersign_domain::model::{GroupId, TokenProfile};
use countersign_token::{Algorithm, ClaimSource, Constant, Profile, ProfileShape, SigningKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::config::serde_formats::{duration, masked, optional};
use crate::config::values::Date;

/// `[tokens.profiles.NAME]`: tokens in the form that the services of another server
/// verify, and the tokens that it issued.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenProfileConfig {
    /// The algorithm of its key.
    pub algorithm: Algorithm,
    /// The key, of HS256: as the other server has it.
    #[serde(serialize_with = "masked", deserialize_with = "optional")]
    pub secret: Option<SecretString>,
    /// The file of the key, of other algorithms: PKCS#8 in PEM.
    #[serde(deserialize_with = "optional")]
    pub private_key: Option<PathBuf>,
    /// `typ` in the header; empty for none.
    pub typ: String,
    /// `kid` in the header; empty for none.
    pub kid: String,
    /// `iss`; empty for none.
    pub issuer: String,
    /// `aud`; empty for none.
    pub audience: String,
    /// The claims and what they say: `user_id=external_id_number`.
    pub claims: Vec<String>,
    /// The claims of every access token: `token_type=access`.
    pub constants: Vec<String>,
    /// The claims by which a refresh token of the other server is known:
    /// `token_type=refresh`.
    pub refresh_constants: Vec<String>,
    /// Which of the server's audiences its tokens are for.
    pub audiences: Vec<String>,
    /// It is issued to users of these groups; to all if there is none.
    pub groups: Vec<String>,
    /// It is issued to these callers; to all if there is none.
    pub callers: Vec<String>,
    /// The group of the users that the other server's tokens name.
    pub group: String,
    /// How long an access token is good.
    #[serde(with = "duration")]
    pub access_ttl: Duration,
    /// How long a token of the other server lives at most.
    #[serde(with = "duration")]
    pub longest_ttl: Duration,
    /// From when on it is not issued any more.
    #[serde(deserialize_with = "optional")]
    pub issue_until: Option<Date>,
    /// From when on it is neither issued nor accepted any more.
    #[serde(deserialize_with = "optional")]
    pub accept_until: Option<Date>,
}

impl Default for TokenProfileConfig {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Hs256,
            secret: None,
            private_key: None,
            typ: "JWT".into(),
            kid: String::new(),
            issuer: String::new(),
            audience: String::new(),
            claims: Vec::new(),
            constants: Vec::new(),
            refresh_constants: Vec::new(),
            audiences: Vec::new(),
            groups: Vec::new(),
            callers: Vec::new(),
            group: GroupId::fallback().as_str().into(),
            access_ttl: Duration::from_secs(300),
            longest_ttl: Duration::from_secs(90 * 86_400),
            issue_until: None,
            accept_until: None,
        }
    }
}

/// A setting of a profile that is wrong, and what it must be.
type Wrong = (&'static str, String);

impl TokenProfileConfig {
    /// Whether its secret is shorter than RFC 7518 wants it.
    pub(in crate::config) fn has_short_secret(&self) -> bool {
        let secret = self
            .secret
            .as_ref()
            .map(|secret| secret.expose_secret().len());
        secret.is_some_and(|length| length < 32)
    }

    /// The profile, for the domain.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::config) fn profile(
        &self,
        name: &str,
        offered: &[String],
    ) -> Result<TokenProfile, Wrong> {
        let form = Profile::new(self.key()?, self.shape()?);
        let form = form.map_err(|error| ("claims", error.to_string()))?;
        let is_offered = |audience: &String| offered.contains(audience);
        if self.audiences.is_empty() || !self.audiences.iter().all(is_offered) {
            let rule = "must name those of tokens.audiences for which its tokens are good";
            return Err(("audiences", rule.into()));
        }
        let groups = self.groups.iter().map(|group| parse_group("groups", group));
        let issued = Duration::from_secs(10)..=Duration::from_secs(86_400);
        if !issued.contains(&self.access_ttl) {
            return Err(("access_ttl", "must be 10s to 1d".into()));
        }
        let accepted = Duration::from_secs(10)..=Duration::from_secs(3_650 * 86_400);
        if !accepted.contains(&self.longest_ttl) {
            return Err(("longest_ttl", "must be 10s to 3650d".into()));
        }
        let until = |date: &Option<Date>| date.as_ref().map(Date::timestamp);
        let (issue_until, accept_until) = (until(&self.issue_until), until(&self.accept_until));
        if issue_until
            .zip(accept_until)
            .is_some_and(|(issue, accept)| issue > accept)
        {
            let rule = "must not be later than its accept_until: what is issued would be refused";
            return Err(("issue_until", rule.into()));
        }
        Ok(TokenProfile {
            name: name.to_owned(),
            form,
            audiences: self.audiences.clone(),
            groups: groups.collect::<Result<_, _>>()?,
            callers: self.callers.clone(),
            group: parse_group("group", &self.group)?,
            access_ttl: self.access_ttl,
            longest_ttl: self.longest_ttl,
            issue_until,
            accept_until,
        })
    }

    fn shape(&self) -> Result<ProfileShape, Wrong> {
        let optional = |text: &String| (!text.is_empty()).then(|| text.clone());
        let constants = |setting, pairs: &[String]| {
            let constants = pairs.iter().map(|pair| match pair.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), Constant::parse(value))),
                None => Err((
                    setting,
                    "each must be a claim and its value, such as type=access".into(),
                )),
            });
            constants.collect::<Result<Vec<_>, Wrong>>()
        };
        let claims = self.claims.iter().map(|pair| {
            let read = pair
                .split_once('=')
                .and_then(|(name, source)| Some((name.to_owned(), ClaimSource::parse(source)?)));
            read.ok_or_else(|| {
                let sources = ClaimSource::NAMED.map(|(name, _)| name).join(", ");
                let rule =
                    "each must be a claim and what it says, such as user_id=external_id_number";
                ("claims", format!("{rule}; it may say {sources}"))
            })
        });
        Ok(ProfileShape {
            typ: optional(&self.typ),
            kid: optional(&self.kid),
            issuer: optional(&self.issuer),
            audience: optional(&self.audience),
            claims: claims.collect::<Result<_, Wrong>>()?,
            constants: constants("constants", &self.constants)?,
            refresh_constants: constants("refresh_constants", &self.refresh_constants)?,
        })
    }

    fn key(&self) -> Result<SigningKey, Wrong> {
        if self.algorithm == Algorithm::Hs256 {
            let rule = "must be set: algorithm HS256 needs the secret of the other server, and no private_key";
            return match (&self.secret, &self.private_key) {
                (Some(secret), None) => {
                    SigningKey::from_foreign_secret(secret.expose_secret().as_bytes())
                        .map_err(|error| ("secret", error.to_string()))
                }
                _ => Err(("secret", rule.into())),
            };
        }
        let (Some(path), None) = (&self.private_key, &self.secret) else {
            let rule = "must name a file, and secret must not be set: the algorithm is not HS256";
            return Err(("private_key", rule.into()));
        };
        let wrong = |rule: String| ("private_key", rule);
        let pem = fs::read(path)
            .map_err(|error| wrong(format!("names a file that cannot be read: {error}")))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| {
            wrong(
                "must name a file with a PKCS#8 key (BEGIN PRIVATE KEY); openssl pkcs8 -topk8 \
                 -nocrypt makes one of others"
                    .into(),
            )
        })?;
        SigningKey::from_secret(self.algorithm, key.secret_pkcs8_der())
            .map_err(|error| wrong(format!("must fit the algorithm: {error}")))
    }
}

fn parse_group(setting: &'static str, text: &str) -> Result<GroupId, Wrong> {
    GroupId::parse(text).map_err(|rule| (setting, rule.into()))
}
