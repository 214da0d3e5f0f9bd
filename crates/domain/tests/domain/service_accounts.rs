//! Service accounts: who gets tokens, for what, and how long they are good.

mod assertions;
mod looking_after;
mod revoking;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_domain::model::{
    ClientContext, GroupId, Scope, ServiceAccount, ServiceAccountCredential, ServiceAccountGrants,
    ServiceAccountSecret, Timestamp, TokenProfiles, UserRole,
};
use countersign_domain::ports::Clock as _;
use countersign_domain::testing::{World, refusal};
use countersign_domain::use_cases::{
    AddServiceAccountKey, CreateServiceAccount, CreateServiceAccountSecret, GetServiceAccount,
    IssueServiceAccountToken, ServiceAccountProof, ServiceAccountToken,
};
use countersign_domain::validation::{NotAccepted, Question, Validation};
use countersign_domain::{Error, Refusal};
use countersign_token::{AccessClaims, Jwk};
use serde_json::{Value, json};

fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

async fn world() -> World {
    World::with(|settings| {
        settings.tokens.granted_scopes = vec![scope("refunds"), scope("reports")];
        settings.tokens.audiences = vec!["shop".into(), "billing".into()];
    })
    .await
}

async fn account(world: &World, grants: ServiceAccountGrants) -> ServiceAccount {
    let create = CreateServiceAccount {
        group: GroupId::fallback(),
        display_name: "settlement".into(),
        description: String::new(),
        grants,
    };
    create.execute(&world.app).await.expect("an account")
}

/// A secret of the account, in the clear.
async fn secret(world: &World, account: &ServiceAccount) -> String {
    let create = CreateServiceAccountSecret {
        id: account.id,
        expires_at: None,
    };
    let created = create.execute(&world.app).await.expect("a secret");
    created.secret.expose().to_owned()
}

/// A key of the account.
async fn key(world: &World, account: &ServiceAccount) -> (Key, ServiceAccountCredential) {
    let key = Key::generate();
    let add = AddServiceAccountKey {
        id: account.id,
        key: key.jwk(),
        expires_at: None,
    };
    let credential = add.execute(&world.app).await.expect("a key");
    (key, credential)
}

async fn read(world: &World, account: &ServiceAccount) -> ServiceAccount {
    let get = GetServiceAccount { id: account.id };
    get.execute(&world.app).await.expect("an account")
}

fn sign_in(account: &ServiceAccount, proof: ServiceAccountProof) -> IssueServiceAccountToken {
    IssueServiceAccountToken {
        group: account.group.clone(),
        id: account.id,
        proof,
        audience: None,
        scopes: Vec::new(),
        client: ClientContext::default(),
    }
}

fn by_secret(account: &ServiceAccount, secret: &str) -> IssueServiceAccountToken {
    let secret = ServiceAccountSecret::shown(secret.to_owned()).expect("not empty");
    sign_in(account, ServiceAccountProof::Secret(secret))
}

fn by_assertion(account: &ServiceAccount, assertion: String) -> IssueServiceAccountToken {
    sign_in(account, ServiceAccountProof::Assertion(assertion))
}

async fn token(world: &World, sign_in: IssueServiceAccountToken) -> ServiceAccountToken {
    sign_in.execute(&world.app).await.expect("a token")
}

/// What is said of a token here and now.
fn verdict(world: &World, token: &ServiceAccountToken) -> Result<AccessClaims, NotAccepted> {
    let question = Question {
        token: &token.access.token,
        audience: "",
        scopes: &[],
        authentication: None,
    };
    match world.validator().validate(question) {
        Validation::Valid(token) => Ok((*token.claims).clone()),
        Validation::Rejected(not_accepted) => Err(not_accepted),
        other => panic!("{other:?}"),
    }
}

/// A private key of Ed25519.
struct Key(Ed25519KeyPair);

impl Key {
    fn generate() -> Self {
        Self(Ed25519KeyPair::generate().expect("a key"))
    }

    fn jwk(&self) -> Jwk {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        let text = json!({"kty": "OKP", "crv": "Ed25519", "x": x}).to_string();
        Jwk::from_foreign(&text).expect("a public key")
    }

    /// What the key signs, under a header of its own.
    fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.jwk().kid()});
        let parts = [header.to_string(), claims.to_string()];
        let input = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// A good assertion of the account.
    fn assertion(&self, world: &World, account: &ServiceAccount, jti: &str) -> String {
        self.sign(&claims(world, account, jti))
    }
}

fn now(world: &World) -> Timestamp {
    world.app.clock.now()
}

fn claims(world: &World, account: &ServiceAccount, jti: &str) -> Value {
    let (id, now) = (account.id.to_string(), now(world).as_seconds());
    let issuer = &world.app.settings.tokens.issuer;
    json!({"iss": id, "sub": id, "aud": issuer, "exp": now + 60, "iat": now, "jti": jti})
}

#[tokio::test]
async fn a_secret_is_exchanged_for_an_access_token_that_names_no_person() {
    let world = world().await;
    let grants = ServiceAccountGrants {
        roles: vec![UserRole::parse("settler").expect("a role")],
        scopes: vec![scope("orders.read"), scope("refunds"), scope("unknown")],
        audiences: vec![],
    };
    let account = account(&world, grants).await;
    let secret = secret(&world, &account).await;
    let mut issue = by_secret(&account, &secret);
    issue.scopes = ["orders.read", "refunds", "reports"].map(scope).to_vec();
    let got = token(&world, issue).await;
    assert_eq!(got.id, account.id);
    assert_eq!(got.scopes, [scope("orders.read"), scope("refunds")]);
    let claims = verdict(&world, &got).expect("a good token");
    let id = account.id.to_string();
    assert_eq!((&claims.sub, &claims.client_id), (&id, &id));
    assert_eq!(claims.grp, "default");
    assert_eq!(claims.aud, ["shop"]);
    assert_eq!(claims.roles, ["settler"]);
    assert_eq!(claims.scope, ["orders.read", "refunds"]);
    assert!(claims.amr.is_empty() && claims.acr.is_none());
    assert_eq!(claims.exp, got.access.expires_at.as_seconds());
    let sid = read(&world, &account).await.credentials[0].sid;
    assert_eq!(claims.sid, sid.to_string());
    // What everybody may ask for is for people, and what nobody asks for is not given.
    let bare = token(&world, by_secret(&account, &secret)).await;
    assert!(bare.scopes.is_empty());
}

#[tokio::test]
async fn whatever_is_wrong_there_is_one_answer() {
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let good = secret(&world, &account).await;
    let other = self::account(&world, ServiceAccountGrants::default()).await;
    let of_other = secret(&world, &other).await;
    let expiring = CreateServiceAccountSecret {
        id: account.id,
        expires_at: Some(now(&world).plus(std::time::Duration::from_secs(60))),
    };
    let expiring = expiring.execute(&world.app).await.expect("a secret");
    let expiring = expiring.secret.expose().to_owned();
    token(&world, by_secret(&account, &expiring)).await;
    world.clock.advance(std::time::Duration::from_secs(61));
    let unknown = ServiceAccount {
        id: unknown(),
        ..account.clone()
    };
    let cut = &good[..good.len() - 1];
    for (what, issue) in [
        ("unknown", by_secret(&unknown, &good)),
        ("wrong", by_secret(&account, "css_wrong")),
        ("cut", by_secret(&account, cut)),
        ("another's", by_secret(&account, &of_other)),
        ("expired", by_secret(&account, &expiring)),
        ("no assertion", by_assertion(&account, good.clone())),
    ] {
        let refused = refusal(issue.execute(&world.app).await);
        assert_eq!(refused, Refusal::SignIn, "{what}");
    }
    let group = countersign_domain::model::Group::new(
        GroupId::parse("staff").expect("a group"),
        now(&world),
    );
    let mut uow = world.app.store.begin().await.expect("a unit of work");
    uow.insert_group(&group).await.expect("a group");
    uow.commit().await.expect("committed");
    world.forget_feed().await;
    let elsewhere = IssueServiceAccountToken {
        group: group.id,
        ..by_secret(&account, &good)
    };
    let refused = refusal(elsewhere.execute(&world.app).await);
    assert_eq!(refused, Refusal::SignIn);
    let nowhere = IssueServiceAccountToken {
        group: GroupId::parse("nowhere").expect("a group"),
        ..by_secret(&account, &good)
    };
    assert_eq!(refusal(nowhere.execute(&world.app).await), Refusal::Group);
    token(&world, by_secret(&account, &good)).await;
}

/// An id that no account has.
fn unknown() -> countersign_domain::model::ServiceAccountId {
    "01890a5d-ac96-774b-bcce-b302099a8057"
        .parse()
        .expect("an id")
}

#[tokio::test]
async fn guesses_are_charged_to_their_source_and_keep_nobody_out() {
    let world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    let from = |address: &str, secret: &str| IssueServiceAccountToken {
        client: ClientContext {
            ip_address: address.parse().ok(),
            ..ClientContext::default()
        },
        ..by_secret(&account, secret)
    };
    let (limit, _) = world.app.settings.attempts_per_source;
    for _ in 0..limit {
        let guess = from("192.0.2.1", "css_guess").execute(&world.app).await;
        assert_eq!(refusal(guess), Refusal::SignIn);
    }
    let shed = from("192.0.2.1", &secret).execute(&world.app).await;
    assert!(matches!(shed, Err(Error::Exhausted { .. })), "{shed:?}");
    // Right ones cost nothing, and others are not concerned.
    for _ in 0..2 * limit {
        token(&world, from("192.0.2.2", &secret)).await;
    }
    token(&world, by_secret(&account, &secret)).await;
}

#[tokio::test]
async fn an_account_gets_tokens_for_its_audiences_alone() {
    let mut world = world().await;
    let grants = ServiceAccountGrants {
        audiences: vec!["gone".into(), "billing".into()],
        ..ServiceAccountGrants::default()
    };
    let account = account(&world, grants).await;
    let secret = secret(&world, &account).await;
    let wanting = |audience: Option<&str>| IssueServiceAccountToken {
        audience: audience.map(str::to_owned),
        ..by_secret(&account, &secret)
    };
    for audience in [None, Some("billing")] {
        let got = token(&world, wanting(audience)).await;
        let payload = got.access.token.split('.').nth(1).expect("a payload");
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(payload["aud"], "billing");
    }
    let refused = wanting(Some("shop")).execute(&world.app).await;
    let Err(Error::Invalid(violations)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(violations[0].field, "audience");
    world.reconfigure(|settings| settings.tokens.audiences = vec!["shop".into()]);
    let refused = wanting(None).execute(&world.app).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn a_form_that_names_a_user_is_refused_and_another_is_issued() {
    use countersign_domain::model::TokenProfile;
    use countersign_token::{ClaimSource, Profile, ProfileShape, SigningKey};
    let form = |source| {
        let key = SigningKey::from_foreign_secret(b"of-the-old-server").expect("a key");
        let shape = ProfileShape {
            claims: vec![("user".into(), source)],
            ..ProfileShape::default()
        };
        TokenProfiles::new(vec![TokenProfile {
            name: "old".into(),
            form: Profile::new(key, shape).expect("a form"),
            audiences: vec!["shop".into()],
            groups: vec![GroupId::fallback()],
            callers: Vec::new(),
            group: GroupId::fallback(),
            access_ttl: std::time::Duration::from_secs(600),
            longest_ttl: std::time::Duration::from_secs(600),
            issue_until: None,
            accept_until: None,
        }])
    };
    let mut world = world().await;
    let account = account(&world, ServiceAccountGrants::default()).await;
    let secret = secret(&world, &account).await;
    world.reconfigure(|settings| settings.tokens.profiles = form(ClaimSource::ExternalId));
    let refused = by_secret(&account, &secret).execute(&world.app).await;
    assert_eq!(refusal(refused), Refusal::ExternalIdMissing);
    world.reconfigure(|settings| settings.tokens.profiles = form(ClaimSource::UserId));
    let got = token(&world, by_secret(&account, &secret)).await;
    let claims = verdict(&world, &got).expect("a good token");
    assert_eq!(claims.sub, account.id.to_string());
    // It is revoked as one of the main form is.
    let revoke = countersign_domain::use_cases::RevokeToken {
        token: got.access.token.clone(),
    };
    revoke.execute(&world.app).await.expect("revoked");
    assert_eq!(verdict(&world, &got), Err(NotAccepted::Revoked));
}
