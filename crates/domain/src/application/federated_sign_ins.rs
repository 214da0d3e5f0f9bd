//! Sign-ins at providers, from where the browser is sent away to where it comes back, and what is
//! handed out for an account that is linked to nobody yet.
//!
//! Nothing is kept of a sign-in that was begun: the browser holds it, sealed, so that nobody
//! fills the store with sign-ins that are never finished, and so that what comes back is taken
//! from that browser alone. That it was used is kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::application::sealed_records::SealedRecords;
use crate::error::{Error, Refusal};
use crate::model::{
    AuthorizationRequest, AuthorizationResponse, FederatedAccount, FederatedCallback, GroupId,
    Locale, NativeIdToken, Provider, ProviderEvent, ProviderId, ProviderSecret, ProviderUser,
    SealedText, Timestamp, UserId,
};
use crate::ports::{Clock, EphemeralStore, IdentityProviders, ProviderError};

/// Begins sign-ins at providers and takes what comes back.
pub struct FederatedSignIns {
    providers: Option<Arc<dyn IdentityProviders>>,
    ephemeral: Arc<dyn EphemeralStore>,
    clock: Arc<dyn Clock>,
    records: SealedRecords,
}

/// Whose sign-in it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whose {
    /// The group of the user.
    pub(crate) group: GroupId,
    /// The caller.
    pub(crate) client_id: String,
    /// The user to whom the account is to be linked; none to sign in.
    pub(crate) links_to: Option<UserId>,
}

/// A sign-in that was begun.
#[derive(Debug)]
pub struct BegunFederatedSignIn {
    /// Where the browser goes.
    pub authorization_url: String,
    /// What the browser keeps.
    pub sign_in: SealedText,
    /// Whether it comes back with a POST from a page of the provider.
    pub is_form_post: bool,
    /// From when on it is not accepted.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct SignInRecord {
    whose: Whose,
    provider: ProviderId,
    issuer: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    code_verifier: ProviderSecret,
    expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct AccountRecord {
    whose: Whose,
    account: FederatedAccount,
    expires_at: Timestamp,
}

const SIGN_IN: &str = "federated sign-in";
const ACCOUNT: &str = "federated account";

impl FederatedSignIns {
    /// How long a person has at the provider.
    const SIGN_IN_TTL: Duration = Duration::from_secs(10 * 60);
    /// How long a person has to sign up, or to prove to be somebody.
    const ACCOUNT_TTL: Duration = Duration::from_secs(30 * 60);
    /// How long it is kept that something was used: longer than it is good, for clocks that are
    /// set back meanwhile.
    const USED_TTL: Duration = Duration::from_secs(60 * 60);
    /// Of ID tokens, which are good for a day at the most.
    const ID_TOKEN_USED_TTL: Duration = Duration::from_secs(25 * 60 * 60);
    /// How long a provider may repeat a message.
    const EVENT_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    pub(crate) fn new(
        providers: Option<Arc<dyn IdentityProviders>>,
        ephemeral: Arc<dyn EphemeralStore>,
        clock: Arc<dyn Clock>,
        records: SealedRecords,
    ) -> Self {
        Self {
            providers,
            ephemeral,
            clock,
            records,
        }
    }

    /// All providers.
    pub(crate) fn providers(&self) -> &[Provider] {
        let providers = self.providers.as_ref();
        providers.map_or(&[], |providers| providers.providers())
    }

    /// A provider.
    pub(crate) fn provider(&self, id: &ProviderId) -> Option<&Provider> {
        self.providers().iter().find(|provider| provider.id == *id)
    }

    /// Whether people sign in with accounts of this issuer, whatever the section that names it is
    /// called. Where the issuer is not known, the name that it had tells.
    pub(crate) fn sign_in_with(&self, id: &ProviderId, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => self.providers().iter().any(|of| of.issuer == issuer),
            None => self.provider(id).is_some(),
        }
    }

    /// The provider with this name, if it is still of that issuer: a configuration may give the
    /// name to another one.
    fn provider_of(&self, id: &ProviderId, issuer: &str) -> Option<&Provider> {
        self.provider(id)
            .filter(|provider| provider.issuer == issuer)
    }

    /// What speaks with providers.
    ///
    /// # Errors
    /// No such provider.
    pub(crate) fn adapter(&self, provider: &ProviderId) -> Result<&dyn IdentityProviders, Error> {
        let is_known = self.provider(provider).is_some();
        let adapter = self.providers.as_deref().filter(|_| is_known);
        Ok(adapter.ok_or(Refusal::Provider)?)
    }

    /// Where to send a browser.
    ///
    /// # Errors
    /// No such provider; one that does not answer.
    pub(crate) async fn begin(
        &self,
        whose: Whose,
        provider: &ProviderId,
        redirect_uri: String,
        locale: Locale,
    ) -> Result<BegunFederatedSignIn, Error> {
        let adapter = self.adapter(provider)?;
        let known = self.provider(provider).ok_or(Refusal::Provider)?;
        let request = AuthorizationRequest {
            redirect_uri,
            state: self.unguessable(),
            nonce: self.unguessable(),
            code_verifier: ProviderSecret::new(self.unguessable()),
            locale,
        };
        let url = adapter.authorization_url(provider, &request).await;
        let authorization_url = url.map_err(|error| match failed(provider, &error) {
            // Nobody has sent anything yet: what is not good is what the provider says of itself.
            Error::Refused(Refusal::FederatedSignIn) => {
                Error::ProviderUnavailable(provider.clone())
            }
            error => error,
        })?;
        let expires_at = self.clock.now().plus(Self::SIGN_IN_TTL);
        let record = SignInRecord {
            whose,
            provider: provider.clone(),
            issuer: known.issuer.clone(),
            redirect_uri: request.redirect_uri,
            state: request.state,
            nonce: request.nonce,
            code_verifier: request.code_verifier,
            expires_at,
        };
        Ok(BegunFederatedSignIn {
            authorization_url,
            sign_in: self.seal(SIGN_IN, &record)?,
            is_form_post: known.is_form_post(),
            expires_at,
        })
    }

    /// Whom a provider has authenticated, by what came back with the browser. It is used then,
    /// whatever it was worth.
    ///
    /// # Errors
    /// Somebody else's, or not good; a provider that does not answer.
    pub(crate) async fn finish(
        &self,
        whose: &Whose,
        callback: FederatedCallback,
    ) -> Result<FederatedAccount, Error> {
        let record: SignInRecord = self
            .open(SIGN_IN, &callback.sign_in)
            .ok_or(Refusal::FederatedSignIn)?;
        let is_same = |a: &str, b: &str| verify_slices_are_equal(a.as_bytes(), b.as_bytes());
        let is_ours = record.whose == *whose
            && self.clock.now() < record.expires_at
            && is_same(&record.state, &callback.state).is_ok();
        if !is_ours {
            return Err(Refusal::FederatedSignIn.into());
        }
        let adapter = self.adapter(&record.provider)?;
        if self.provider_of(&record.provider, &record.issuer).is_none() {
            return Err(Refusal::FederatedSignIn.into());
        }
        self.use_once(SIGN_IN, &record.state, Self::USED_TTL)
            .await?;
        if let Some(error) = callback.error {
            // It is the browser's text.
            let error: String = error
                .chars()
                .filter(char::is_ascii_graphic)
                .take(64)
                .collect();
            tracing::info!(provider = %record.provider, error, "a provider has refused a sign-in");
            return Err(Refusal::FederatedSignIn.into());
        }
        let response = AuthorizationResponse {
            code: callback.code.ok_or(Refusal::FederatedSignIn)?,
            issuer: callback.issuer,
            user: callback.user,
            redirect_uri: record.redirect_uri,
            state: record.state,
            nonce: record.nonce,
            code_verifier: record.code_verifier,
        };
        let user = adapter.exchange(&record.provider, &response).await;
        let user = user.map_err(|error| failed(&record.provider, &error))?;
        Ok(account(record.provider, user))
    }

    /// Whom a provider has authenticated, by an ID token that an app has got. It is good once.
    ///
    /// # Errors
    /// One that is not good; a provider that does not answer.
    pub(crate) async fn verify_id_token(
        &self,
        provider: ProviderId,
        token: &NativeIdToken,
    ) -> Result<FederatedAccount, Error> {
        let adapter = self.adapter(&provider)?;
        let user = adapter.verify_id_token(&provider, token).await;
        let user = user.map_err(|error| failed(&provider, &error))?;
        // There may be several signatures of one token.
        let signed = token.id_token.expose();
        let signed = signed.rsplit_once('.').map_or(signed, |(signed, _)| signed);
        let used = self.use_once("ID token", signed, Self::ID_TOKEN_USED_TTL);
        used.await?;
        Ok(account(provider, user))
    }

    /// What stands for an account that is linked to nobody.
    pub(crate) fn hand_out(
        &self,
        group: &GroupId,
        client_id: &str,
        account: &FederatedAccount,
    ) -> Result<(SealedText, Timestamp), Error> {
        let expires_at = self.clock.now().plus(Self::ACCOUNT_TTL);
        let record = AccountRecord {
            whose: signing_in(group, client_id),
            account: account.clone(),
            expires_at,
        };
        Ok((self.seal(ACCOUNT, &record)?, expires_at))
    }

    /// The account that a token stands for.
    ///
    /// # Errors
    /// One that is not good, or another group's or caller's, or of a provider that is not
    /// configured any more.
    pub(crate) fn account_of(
        &self,
        group: &GroupId,
        client_id: &str,
        token: &SealedText,
    ) -> Result<FederatedAccount, Error> {
        let record: AccountRecord = self.open(ACCOUNT, token).ok_or(Refusal::FederationToken)?;
        let account = &record.account;
        let is_ours = record.whose == signing_in(group, client_id)
            && self
                .provider_of(&account.provider, &account.subject.issuer)
                .is_some();
        match is_ours && self.clock.now() < record.expires_at {
            true => Ok(record.account),
            false => Err(Refusal::FederationToken.into()),
        }
    }

    /// Takes a token with which somebody signs in: of many who try, one gets in.
    ///
    /// # Errors
    /// It was taken.
    pub(crate) async fn take_token(&self, token: &SealedText) -> Result<(), Error> {
        let taken = self.use_once(ACCOUNT, token.as_str(), Self::USED_TTL).await;
        taken.map_err(|error| match error {
            Error::Refused(Refusal::FederatedSignIn) => Refusal::FederationToken.into(),
            other => other,
        })
    }

    /// Whether a provider's message was received before.
    pub(crate) async fn is_known_event(&self, event: &ProviderEvent) -> Result<bool, Error> {
        Ok(self.ephemeral.get(&key_of_event(event)).await?.is_some())
    }

    /// Keeps that a provider's message was received, once what it asks for is done.
    pub(crate) async fn keep_event(&self, event: &ProviderEvent) -> Result<(), Error> {
        let key = key_of_event(event);
        Ok(self.ephemeral.put(&key, &[], Self::EVENT_TTL).await?)
    }

    async fn use_once(&self, what: &str, text: &str, ttl: Duration) -> Result<(), Error> {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let key = format!("{what}:{}", URL_SAFE_NO_PAD.encode(digest));
        match self.ephemeral.put_if_absent(&key, &[], ttl).await? {
            true => Ok(()),
            false => Err(Refusal::FederatedSignIn.into()),
        }
    }

    /// 256 random bits.
    fn unguessable(&self) -> String {
        let mut bytes = [0; 32];
        self.records.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn seal(&self, name: &str, record: &impl Serialize) -> Result<SealedText, Error> {
        let sealed = self.records.seal(name, record)?;
        Ok(SealedText::new(URL_SAFE_NO_PAD.encode(sealed)))
    }

    fn open<R: DeserializeOwned>(&self, name: &str, text: &SealedText) -> Option<R> {
        let sealed = URL_SAFE_NO_PAD.decode(text.as_str()).ok()?;
        self.records.open(name, &sealed).ok()
    }
}

fn key_of_event(event: &ProviderEvent) -> String {
    let text = format!("{}\n{}", event.subject.issuer, event.id);
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("provider event:{}", URL_SAFE_NO_PAD.encode(digest))
}

/// Whose a sign-in is that links nothing.
pub(crate) fn signing_in(group: &GroupId, client_id: &str) -> Whose {
    Whose {
        group: group.clone(),
        client_id: client_id.to_owned(),
        links_to: None,
    }
}

fn account(provider: ProviderId, user: ProviderUser) -> FederatedAccount {
    FederatedAccount {
        provider,
        subject: user.subject,
        email: user.email,
        name: user.name,
        refresh_token: user.refresh_token,
    }
}

/// What is told of a failure, whose cause is in the log.
pub(crate) fn failed(provider: &ProviderId, error: &ProviderError) -> Error {
    match error {
        ProviderError::Unknown(_) => Refusal::Provider.into(),
        ProviderError::Rejected(_) => {
            tracing::warn!(%provider, %error, "a provider's answer is not good");
            Refusal::FederatedSignIn.into()
        }
        ProviderError::Misconfigured(_) => {
            tracing::error!(%provider, %error, "a provider refuses this server");
            Error::ProviderUnavailable(provider.clone())
        }
        ProviderError::Unavailable(_) => {
            tracing::warn!(%provider, %error, "a provider cannot be asked");
            Error::ProviderUnavailable(provider.clone())
        }
    }
}

impl fmt::Debug for FederatedSignIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederatedSignIns")
            .field("providers", &self.providers())
            .finish_non_exhaustive()
    }
}
