//! Signing a service account in: a secret, or an assertion that its private key has
//! signed (RFC 7523), is exchanged for an access token alone.

use std::time::Duration;

use countersign_token::{ClientAssertion, ExpectedAssertion};

use crate::application::{AccessToken, Application, GroupRules, ServiceAccountSignIn};
use crate::error::{Error, Refusal};
use crate::model::{
    AuditAction, ClientContext, GroupId, Scope, ServiceAccount, ServiceAccountCredential,
    ServiceAccountId, ServiceAccountSecret, Timestamp,
};
use crate::ports::Clock as _;

/// How long ahead an assertion may expire.
const LONGEST_ASSERTION: Duration = Duration::from_secs(5 * 60);

/// A service account signs in.
#[derive(Debug)]
pub struct IssueServiceAccountToken {
    /// In which group.
    pub group: GroupId,
    /// Which.
    pub id: ServiceAccountId,
    /// How.
    pub proof: ServiceAccountProof,
    /// For which audience: one of those that its group offers, or its first.
    pub audience: Option<String>,
    /// With which scopes: some of those that are offered.
    pub scopes: Vec<Scope>,
    /// From where.
    pub client: ClientContext,
}

/// What a service account proves itself with.
pub enum ServiceAccountProof {
    /// A secret.
    Secret(ServiceAccountSecret),
    /// A JWT that its private key has signed.
    Assertion(String),
}

/// What a service account gets.
#[derive(Debug)]
pub struct ServiceAccountToken {
    /// Which.
    pub id: ServiceAccountId,
    /// The token.
    pub access: AccessToken,
    /// The scopes that it has: those that were asked for and are granted.
    pub scopes: Vec<Scope>,
}

impl IssueServiceAccountToken {
    /// Signs the service account in. Whatever is wrong with it or with what it shows,
    /// the answer is the same, and costs its source alone.
    ///
    /// # Errors
    /// No such group; a refused sign-in, too many attempts; an audience that the account
    /// does not have; tokens in a form that it cannot have.
    pub async fn execute(self, app: &Application) -> Result<ServiceAccountToken, Error> {
        let rules = app.groups.named(&self.group)?;
        let charge = app.limits.charge_service_account(&self.client).await?;
        let issued = self.issue(app, &rules).await;
        app.limits.refund_unless_refused(charge, issued).await
    }

    async fn issue(
        self,
        app: &Application,
        rules: &GroupRules,
    ) -> Result<ServiceAccountToken, Error> {
        let account = app.store.service_account(self.id).await?;
        let account = account
            .filter(|account| account.group == self.group && !account.is_disabled)
            .ok_or(Refusal::SignIn)?;
        let now = app.clock.now();
        let proved = match &self.proof {
            ServiceAccountProof::Secret(secret) => account.by_secret(secret, now),
            ServiceAccountProof::Assertion(assertion) => {
                by_assertion(app, &account, assertion, now).await?
            }
        };
        let sid = proved.ok_or(Refusal::SignIn)?.sid;
        let audience = audience_of(&account, rules, self.audience)?;
        let granted = |scope: &Scope| rules.grants_scope_to(scope, &account.grants.scopes);
        let scopes: Vec<_> = self.scopes.into_iter().filter(granted).collect();
        let sign_in = ServiceAccountSignIn {
            account: &account,
            sid,
            rules,
            audience,
            scopes: scopes.clone(),
        };
        let access = app.tokens.mint_for_service_account(sign_in, now)?;
        let event = app.event(AuditAction::ServiceAccountTokenIssued);
        let event = event.on_group(&account.group).named(account.id.to_string());
        let event = event.with_session(sid).from_device(&self.client);
        let mut uow = app.store.begin().await?;
        uow.insert_audit_event(&event).await?;
        uow.commit().await?;
        Ok(ServiceAccountToken {
            id: account.id,
            access,
            scopes,
        })
    }
}

/// The credential whose private key has signed the assertion, which is used with this.
async fn by_assertion<'a>(
    app: &Application,
    account: &'a ServiceAccount,
    assertion: &str,
    now: Timestamp,
) -> Result<Option<&'a ServiceAccountCredential>, Error> {
    let settings = &app.settings.tokens;
    let expected = ExpectedAssertion {
        client: &account.id.to_string(),
        audience: &settings.issuer,
        longest: LONGEST_ASSERTION,
        leeway: settings.leeway,
    };
    let keys = account.verifying_keys(now);
    let verified = ClientAssertion::verify(assertion, &keys, expected, now.as_seconds());
    let Ok(verified) = verified else {
        return Ok(None);
    };
    // As long as any replica could take it for good.
    let ttl = LONGEST_ASSERTION + 2 * settings.leeway + Duration::from_secs(1);
    let is_new = app.limits.use_assertion(account.id, &verified.jti, ttl);
    Ok(match is_new.await? {
        true => account.by_kid(&verified.kid),
        false => None,
    })
}

/// The audience that the token is for. Who has proved itself is told what it may have.
fn audience_of(
    account: &ServiceAccount,
    rules: &GroupRules,
    wanted: Option<String>,
) -> Result<String, Error> {
    let own = &account.grants.audiences;
    let offered = match wanted {
        Some(wanted) => Some(wanted).filter(|wanted| account.grants.has_audience(wanted)),
        None if own.is_empty() => rules.offered_audience("").ok(),
        None => own.iter().find(|own| rules.offers_audience(own)).cloned(),
    };
    offered.ok_or_else(|| {
        let rule = match own.is_empty() {
            true => "must be one that the server and the group offer".into(),
            false => format!(
                "must be one of the service account's that the server offers: {}",
                own.join(", ")
            ),
        };
        Error::invalid("audience", rule)
    })
}

impl std::fmt::Debug for ServiceAccountProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(..)",
            Self::Assertion(_) => "Assertion(..)",
        })
    }
}
