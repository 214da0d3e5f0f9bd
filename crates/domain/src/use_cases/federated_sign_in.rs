//! Where a browser goes to be authenticated by a provider, and which providers there are.

use crate::application::{Application, BegunFederatedSignIn, Whose};
use crate::error::{Error, Refusal};
use crate::model::{GroupId, Locale, Provider, ProviderId, SignInWay};

/// Somebody wants to sign in at a provider, or to link an account there.
#[derive(Debug)]
pub struct BeginFederatedSignIn {
    /// In which group; a person's who links is the person's.
    pub group: GroupId,
    /// The caller, which gets the tokens.
    pub client_id: String,
    /// The provider.
    pub provider: ProviderId,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The access token of a person who links an account.
    pub access_token: Option<String>,
    /// The language of the person.
    pub locale: Locale,
}

/// Somebody asks where one can sign in.
#[derive(Debug)]
pub struct ListProviders {
    /// In which group.
    pub group: GroupId,
}

impl BeginFederatedSignIn {
    /// Tells where the browser goes. Nothing is kept and nobody is charged: what is never
    /// finished costs nothing.
    ///
    /// # Errors
    /// No such group, or one that does not let people in by providers; no such provider, or one
    /// that does not answer; an access token that is not good or of a sign-in
    /// that is too old.
    pub async fn execute(self, app: &Application) -> Result<BegunFederatedSignIn, Error> {
        let whose = match self.access_token {
            Some(access_token) => {
                let person = app.people.by_fresh_access_token(&access_token).await?;
                Whose {
                    group: person.user.group.clone(),
                    client_id: self.client_id,
                    links_to: Some(person.user.id),
                }
            }
            None => Whose {
                group: self.group,
                client_id: self.client_id,
                links_to: None,
            },
        };
        let rules = app.groups.named(&whose.group)?;
        rules.require_way(SignInWay::Federated)?;
        let sign_ins = &app.federated_sign_ins;
        let begun = sign_ins.begin(whose, &self.provider, self.redirect_uri, self.locale);
        begun.await
    }
}

impl ListProviders {
    /// The providers, in the order of the configuration; none where the group does not let people
    /// in by them.
    ///
    /// # Errors
    /// No such group.
    pub fn execute(self, app: &Application) -> Result<Vec<Provider>, Error> {
        let rules = app.groups.named(&self.group)?;
        match rules.require_way(SignInWay::Federated) {
            Ok(()) => Ok(app.federated_sign_ins.providers().to_vec()),
            Err(Refusal::SignInWay(_)) => Ok(Vec::new()),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
