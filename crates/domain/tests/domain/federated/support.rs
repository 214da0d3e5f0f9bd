//! Sign-ins at the providers of the world, step by step.

use countersign_domain::Error;
use countersign_domain::application::{BegunFederatedSignIn, Tokens};
use countersign_domain::model::{
    ClientContext, DeviceClaim, FederatedCallback, GroupId, Locale, ProviderId,
    ProviderNotification, ProviderSecret, SealedText, UserId,
};
use countersign_domain::testing::{World, address};
use countersign_domain::use_cases::{
    AccountToLink, BeginFederatedSignIn, FederatedProof, Grant, IssueTokens, Issued,
    LinkFederatedIdentity, ListFederatedIdentities, ListedIdentity, ReceiveProviderNotification,
    SignUp, SignUpBy, SignedUp, UnlinkFederatedIdentity, UnlinkedAccount,
};

pub(super) const CLIENT: &str = "gateway";

pub(super) fn provider(name: &str) -> ProviderId {
    ProviderId::parse(name).expect("a name")
}

pub(super) async fn begin(
    world: &World,
    name: &str,
    token: Option<&str>,
) -> Result<BegunFederatedSignIn, Error> {
    BeginFederatedSignIn {
        group: GroupId::fallback(),
        client_id: CLIENT.into(),
        provider: provider(name),
        redirect_uri: "https://login.example/callback".into(),
        access_token: token.map(str::to_owned),
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

/// What comes back of a sign-in, with a code that names somebody.
pub(super) fn callback(begun: &BegunFederatedSignIn, code: &str) -> FederatedCallback {
    let (_, state) = begun
        .authorization_url
        .split_once("state=")
        .expect("a state");
    FederatedCallback {
        sign_in: SealedText::parse(begun.sign_in.as_str().to_owned()).expect("a text"),
        state: state.into(),
        code: Some(ProviderSecret::new(code.into())),
        issuer: None,
        error: None,
        user: None,
    }
}

pub(super) fn issue(proof: FederatedProof) -> IssueTokens {
    IssueTokens {
        group: GroupId::fallback(),
        grant: Grant::Federated(proof),
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: CLIENT.into(),
        client: ClientContext {
            ip_address: "198.51.100.7".parse().ok(),
            ..ClientContext::default()
        },
        device: DeviceClaim::Untold,
        locale: Locale::English,
    }
}

pub(super) async fn finish(world: &World, callback: FederatedCallback) -> Result<Issued, Error> {
    let proof = FederatedProof::Callback(Box::new(callback));
    issue(proof).execute(&world.app).await
}

/// Signs in at a provider.
pub(super) async fn sign_in(world: &World, name: &str, code: &str) -> Result<Issued, Error> {
    let begun = begin(world, name, None).await?;
    finish(world, callback(&begun, code)).await
}

pub(super) async fn unlinked(world: &World, name: &str, code: &str) -> UnlinkedAccount {
    match sign_in(world, name, code).await {
        Ok(Issued::Unlinked(account)) => *account,
        other => panic!("the account is linked to nobody: {other:?}"),
    }
}

pub(super) async fn sign_up(
    world: &World,
    email: &str,
    token: &SealedText,
) -> Result<UserId, Error> {
    let sign_up = SignUp {
        group: GroupId::fallback(),
        address: address(email),
        username: None,
        by: SignUpBy::Federated {
            token: token.clone(),
            proof: None,
            password: None,
            client_id: CLIENT.into(),
        },
        locale: Locale::English,
        client: ClientContext::default(),
    };
    match sign_up.execute(&world.app).await? {
        SignedUp::Active(id) => Ok(id),
        SignedUp::Pending { .. } => panic!("the user is active at once"),
    }
}

/// Somebody who has signed up with an account at the trusted provider.
pub(super) async fn mina(world: &World) -> (UserId, Tokens) {
    let account = unlinked(world, "trusted", "mina").await;
    let id = sign_up(world, "mina@example.com", &account.token).await;
    let id = id.expect("signed up");
    let tokens = issue(FederatedProof::Token(account.token));
    let tokens = tokens.execute(&world.app).await.expect("signed in");
    (id, tokens.into_tokens())
}

pub(super) async fn listed(world: &World, tokens: &Tokens) -> Vec<ListedIdentity> {
    let list = ListFederatedIdentities {
        access_token: tokens.access_token.clone(),
    };
    list.execute(&world.app).await.expect("a list")
}

pub(super) fn link(tokens: &Tokens, account: AccountToLink) -> LinkFederatedIdentity {
    LinkFederatedIdentity {
        access_token: tokens.access_token.clone(),
        account,
        client_id: CLIENT.into(),
        locale: Locale::English,
    }
}

pub(super) async fn link_at(
    world: &World,
    tokens: &Tokens,
    name: &str,
    code: &str,
) -> Result<ListedIdentity, Error> {
    let begun = begin(world, name, Some(&tokens.access_token)).await?;
    let account = AccountToLink::Callback(Box::new(callback(&begun, code)));
    link(tokens, account).execute(&world.app).await
}

pub(super) async fn unlink(
    world: &World,
    tokens: &Tokens,
    identity: &ListedIdentity,
) -> Result<(), Error> {
    UnlinkFederatedIdentity {
        access_token: tokens.access_token.clone(),
        id: identity.identity.id,
        locale: Locale::English,
    }
    .execute(&world.app)
    .await
}

pub(super) async fn notify(world: &World, name: &str, body: &str) -> Result<(), Error> {
    ReceiveProviderNotification {
        provider: provider(name),
        notification: ProviderNotification {
            content_type: String::new(),
            authorization: String::new(),
            query: String::new(),
            body: body.into(),
        },
    }
    .execute(&world.app)
    .await
}
