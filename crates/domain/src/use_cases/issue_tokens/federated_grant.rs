//! Signing in with an account at a provider. It is looked up by the provider's issuer and subject
//! alone: an e-mail address there names nobody here.

use super::asked::First;
use super::facts::{Facts, known_device};
use super::opening::{Opened, Opening, UnlinkedAccount};
use crate::application::{Application, Repeats, signing_in};
use crate::error::{Error, Refusal};
use crate::model::{
    AuthenticationMethod, FederatedCallback, GroupId, NativeIdToken, ProvenUser, ProviderId,
    SealedText,
};
use crate::ports::Clock as _;

/// What shows an account at a provider.
#[derive(Debug)]
pub enum FederatedProof {
    /// What came back with a browser.
    Callback(Box<FederatedCallback>),
    /// An ID token that an app has got.
    IdToken(ProviderId, Box<NativeIdToken>),
    /// What stands for an account that was linked to nobody when it was shown.
    Token(SealedText),
}

/// Signs in whoever has shown an account that is linked to a user of this group.
pub(super) async fn with_account(
    app: &Application,
    group: &GroupId,
    proof: FederatedProof,
    opening: &Opening,
) -> Result<Opened, Error> {
    let charge = app.limits.charge_federated_answer(&opening.client).await?;
    let opened = answer(app, group, proof, opening).await;
    app.limits.refund_unless_refused(charge, opened).await
}

async fn answer(
    app: &Application,
    group: &GroupId,
    proof: FederatedProof,
    opening: &Opening,
) -> Result<Opened, Error> {
    let sign_ins = &app.federated_sign_ins;
    let (account, token) = match proof {
        FederatedProof::Callback(callback) => {
            let whose = signing_in(group, &opening.client_id);
            (sign_ins.finish(&whose, *callback).await?, None)
        }
        FederatedProof::IdToken(provider, token) => {
            (sign_ins.verify_id_token(provider, &token).await?, None)
        }
        FederatedProof::Token(token) => {
            let account = sign_ins.account_of(group, &opening.client_id, &token)?;
            (account, Some(token))
        }
    };
    let subject = app.federated_identities.digest(&account.subject);
    let identity = app.store.federated_identity(group, &subject).await?;
    let Some(identity) = identity else {
        if token.is_some() {
            return Err(Refusal::FederationToken.into());
        }
        let (token, expires_at) = sign_ins.hand_out(group, &opening.client_id, &account)?;
        return Ok(Opened::Unlinked(Box::new(UnlinkedAccount {
            account,
            token,
            expires_at,
        })));
    };
    let user = app.store.user(identity.user_id).await?;
    let user = user.filter(|user| user.group == *group);
    let user = user.ok_or(Refusal::FederatedSignIn)?;
    let proven = ProvenUser::of(&user);
    let known = known_device(app, proven, opening.device).await?;
    let first = First {
        group,
        user: user.id,
        method: AuthenticationMethod::Federated,
        proved: None,
    };
    let facts = Facts::read(app, first, opening.device, known).await?;
    if let Some(token) = &token {
        // Whoever has ended all sessions has ended what was begun before, too.
        let details = app.federated_identities.details(&identity)?;
        if details.linked_at_version != user.credential_version {
            return Err(Refusal::FederationToken.into());
        }
        sign_ins.take_token(token).await?;
    }
    let mut repeats = Repeats::default();
    let opened = loop {
        let opened = async {
            let mut uow = app.store.begin().await?;
            let user = uow.lock_user(user.id).await?;
            let user = user
                .filter(|user| proven.is_current(user))
                .ok_or(Refusal::FederatedSignIn)?;
            if !user.is_active(app.clock.now()) {
                return Ok(Opened::Blocked(Refusal::of_state(&user.state), user.id));
            }
            let identities = &app.federated_identities;
            identities.touch(&mut *uow, &identity, &account).await?;
            let shown = [AuthenticationMethod::Federated];
            let opened = opening.open(app, &mut *uow, &user, &shown, &facts).await?;
            uow.commit().await?;
            Ok(opened)
        };
        match opened.await {
            Err(error) if repeats.allow(&error) => {}
            outcome => break outcome?,
        }
    };
    facts.committed(app);
    Ok(opened)
}
