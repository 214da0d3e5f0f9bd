//! Looking at the accounts at providers that are linked to a person, and linking them.

mod lock;
mod unlink;

use self::lock::lock;
pub use self::unlink::UnlinkFederatedIdentity;
use crate::application::{Application, Person, Repeats, Whose};
use crate::error::Error;
use crate::model::{
    Address, AuditAction, FederatedAccount, FederatedCallback, FederatedIdentity, Locale,
    SealedText, SignInWay,
};
use crate::ports::Content;

/// Somebody lists the linked accounts.
#[derive(Debug)]
pub struct ListFederatedIdentities {
    /// The person's access token.
    pub access_token: String,
}

/// Somebody links an account.
#[derive(Debug)]
pub struct LinkFederatedIdentity {
    /// The person's access token.
    pub access_token: String,
    /// The account.
    pub account: AccountToLink,
    /// The caller.
    pub client_id: String,
    /// The language of the notice.
    pub locale: Locale,
}

/// What shows the account that is to be linked.
#[derive(Debug)]
pub enum AccountToLink {
    /// What came back with a browser.
    Callback(Box<FederatedCallback>),
    /// What stands for an account that was linked to nobody when it was shown.
    Token(SealedText),
}

/// A linked account as it is listed.
#[derive(Debug)]
pub struct ListedIdentity {
    /// The account.
    pub identity: FederatedIdentity,
    /// What people call the provider.
    pub display_name: String,
    /// So much of the e-mail address there that the person recognises it.
    pub masked_email: Option<String>,
}

impl ListFederatedIdentities {
    /// Lists the accounts. One that cannot be read is named in the log, and keeps nobody from
    /// looking at the others.
    ///
    /// # Errors
    /// An access token that is not good.
    pub async fn execute(self, app: &Application) -> Result<Vec<ListedIdentity>, Error> {
        let person = app.people.by_access_token(&self.access_token).await?;
        let all = app.store.federated_identities(person.user.id).await?;
        let readable = all.into_iter().filter_map(Result::ok);
        Ok(readable.map(|identity| listed(app, identity)).collect())
    }
}

fn listed(app: &Application, identity: FederatedIdentity) -> ListedIdentity {
    let details = app.federated_identities.details(&identity);
    let provider = app.federated_sign_ins.provider(&identity.provider);
    let display_name = match provider {
        Some(provider) => provider.display_name.clone(),
        None => identity.provider.to_string(),
    };
    ListedIdentity {
        masked_email: details.ok().and_then(|details| details.masked_email),
        display_name,
        identity,
    }
}

impl LinkFederatedIdentity {
    /// Links the account, and tells the person's addresses.
    ///
    /// # Errors
    /// An access token that is not good or of a sign-in that is too old; an account that was not
    /// shown by this person, or is somebody's; too many accounts.
    pub async fn execute(self, app: &Application) -> Result<ListedIdentity, Error> {
        let person = app.people.by_fresh_access_token(&self.access_token).await?;
        let group = &person.user.group;
        let rules = app.groups.named(group)?;
        rules.require_way(SignInWay::Federated)?;
        let sign_ins = &app.federated_sign_ins;
        let account = match self.account {
            AccountToLink::Callback(callback) => {
                let whose = Whose {
                    group: group.clone(),
                    client_id: self.client_id,
                    links_to: Some(person.user.id),
                };
                sign_ins.finish(&whose, *callback).await?
            }
            AccountToLink::Token(token) => {
                let account = sign_ins.account_of(group, &self.client_id, &token)?;
                sign_ins.take_token(&token).await?;
                account
            }
        };
        let addresses = app.store.addresses(person.user.id).await?;
        let mut repeats = Repeats::default();
        let identity = loop {
            match link(app, &person, &account, &addresses, self.locale).await {
                Err(error) if repeats.allow(&error) => {}
                outcome => break outcome?,
            }
        };
        app.messages.queued();
        Ok(listed(app, identity))
    }
}

async fn link(
    app: &Application,
    person: &Person,
    account: &FederatedAccount,
    addresses: &[Address],
    locale: Locale,
) -> Result<FederatedIdentity, Error> {
    let mut uow = app.store.begin().await?;
    let user = lock(app, &mut *uow, person).await?;
    let identities = &app.federated_identities;
    let identity = identities.link(&mut *uow, &user, account).await?;
    let content = Content::FederatedIdentityLinked;
    for notice in app.messages.notices(addresses, locale, &content)? {
        uow.insert_message(&notice).await?;
    }
    let event = app.event_of(AuditAction::FederatedIdentityLinked, person);
    let event = event.named(identity.provider.to_string());
    uow.insert_audit_event(&event).await?;
    uow.commit().await?;
    Ok(identity)
}
