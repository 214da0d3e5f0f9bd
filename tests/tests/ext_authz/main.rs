//! Envoy's external authorization, asked as Envoy asks it: what passes, what does not,
//! and what an application is told of who is asking. With Envoy itself:
//! `tests/python/envoy_authz.py`.

mod extensions;
mod outages;
mod proxies;
mod spoofing;

use countersign_tests::{
    Backend, Decision, Gateway, IDENTITY_HEADERS, Person, ProxiedRequest, World, by_secret,
    on_a_backend, on_every_backend, say,
};

on_every_backend!(a_request_passes_with_a_good_token_alone);

const NO_TOKEN: &str = "401 Bearer";
const INVALID_TOKEN: &str = "401 Bearer error=\"invalid_token\"";

/// What is decided of a request.
async fn decide(gateway: &Gateway, request: &ProxiedRequest) -> Decision {
    let decision = gateway.check(request).await;
    decision.unwrap_or_else(|status| panic!("{request:?}: {status:?}"))
}

/// What the application is told of who is asking, as `name: value` in order.
fn told(decision: &Decision) -> Vec<String> {
    let line = |(name, value): (&String, &String)| {
        format!("{}: {value}", name.trim_start_matches("x-auth-"))
    };
    decision.set.iter().map(line).collect()
}

async fn a_request_passes_with_a_good_token_alone(backend: Backend) {
    let world = World::start(backend, backend.replicas()).await;
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let (access, refresh) = (&tokens.access_token, &tokens.refresh_token);
    let revoked = mina.sign_in().await.access_token;
    mina.gateway.revoke(&revoked).await.expect("revoked");
    let (signed, _) = access.rsplit_once('.').expect("a JWT");
    let cookie = |token: &str| format!("theme=dark; __Host-access={token}");
    let of = ProxiedRequest::new;
    let bearer = ProxiedRequest::with_token;
    let cases = [
        (of(), NO_TOKEN),
        (of().header("cookie", "theme=dark"), NO_TOKEN),
        (of().header("authorization", "Basic dTpw"), NO_TOKEN),
        (of().header("authorization", ""), INVALID_TOKEN),
        (of().header("authorization", "Bearer"), INVALID_TOKEN),
        (bearer(""), INVALID_TOKEN),
        (bearer("garbage"), INVALID_TOKEN),
        (bearer(&format!("{signed}.AAAA")), INVALID_TOKEN),
        (bearer(refresh), INVALID_TOKEN),
        (bearer(&revoked), INVALID_TOKEN),
        (bearer(&format!("{access} ")), "OK"),
        (bearer(&format!("{access}x")), INVALID_TOKEN),
        (bearer(&format!("{access} {access}")), INVALID_TOKEN),
        (bearer(access), "OK"),
        (
            of().header("authorization", &format!("bearer {access}")),
            "OK",
        ),
        // Two of them, whichever of them is good.
        (
            bearer(access).header("authorization", &format!("Bearer {access}")),
            INVALID_TOKEN,
        ),
        (
            bearer(access).header("authorization", "Basic dTpw"),
            INVALID_TOKEN,
        ),
        (
            of().header("authorization", "Basic dTpw")
                .header("authorization", &format!("Bearer {access}")),
            INVALID_TOKEN,
        ),
        (
            bearer(access).header("Authorization", "Bearer x"),
            INVALID_TOKEN,
        ),
        (of().header("cookie", &cookie(access)), "OK"),
        (of().header("cookie", &cookie(&revoked)), INVALID_TOKEN),
        (of().header("cookie", &cookie(refresh)), INVALID_TOKEN),
        (of().header("cookie", &cookie("")), NO_TOKEN),
        (
            of().header(
                "cookie",
                &format!("{}; __Host-access={access}", cookie(access)),
            ),
            INVALID_TOKEN,
        ),
        // A bad token is not made up for by a good cookie.
        (
            bearer("garbage").header("cookie", &cookie(access)),
            INVALID_TOKEN,
        ),
        (bearer(access).header("cookie", &cookie("garbage")), "OK"),
    ];
    let gateways = world.gateways_of_replicas();
    let mut asked = 0;
    for (request, expected) in &cases {
        for gateway in &gateways {
            for request in [request.clone(), request.clone().raw()] {
                let decision = decide(gateway, &request).await;
                assert_eq!(decision.in_a_line(), *expected, "{request:?}");
                asked += 1;
            }
        }
    }
    let decision = decide(&mina.gateway, &bearer(access)).await;
    assert_eq!(decision.set["x-auth-user"], mina.user_id);
    assert_eq!(decision.set["x-auth-group"], "default");
    assert_eq!(decision.set["x-auth-session"], tokens.session_id);
    say!("ext_authz on {backend}: {asked} of {asked} requests were decided as they deserve");
}

#[test]
fn an_application_is_told_who_is_asking() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let world = World::on(backend)
            .set("tokens.granted_scopes", vec!["refunds", "reports"])
            .start()
            .await;
        let gateway = world.gateway();
        let mina = world.sign_up().await;
        give(&mina, &["editor", "auditor"], &["refunds", "reports"]).await;
        let tokens = with_scopes(&mina, &["refunds", "reports"]).await;
        let decision = decide(&gateway, &ProxiedRequest::with_token(&tokens)).await;
        let session = &decision.set["x-auth-session"];
        let expected = [
            "client: ".to_owned() + &decision.set["x-auth-client"],
            "group: default".into(),
            "roles: auditor,editor".into(),
            "scopes: refunds reports".into(),
            format!("session: {session}"),
            format!("user: {}", mina.user_id),
        ];
        assert_eq!(told(&decision), expected);
        assert!(decision.removed.is_empty());

        // A role may have a comma: it is one role all the same.
        give(&mina, &["editor,admin", "50%"], &[]).await;
        let tokens = mina.sign_in().await.access_token;
        let decision = decide(&gateway, &ProxiedRequest::with_token(&tokens)).await;
        assert_eq!(decision.set["x-auth-roles"], "50%25,editor%2Cadmin");
        assert_eq!(decision.removed, ["x-auth-scopes"]);

        // A program belongs to no session.
        let account = gateway.make_service_account("", &["settler"], &[]).await;
        let (secret, _) = gateway.new_secret(&account).await;
        let got = gateway.sign_in_service_account(&account, by_secret(&secret), &[]);
        let token = got.await.expect("a token").access_token;
        let decision = decide(&gateway, &ProxiedRequest::with_token(&token)).await;
        assert_eq!(decision.removed, ["x-auth-session", "x-auth-scopes"]);
        assert_eq!(decision.set["x-auth-user"], account.service_account_id);
        assert_eq!(decision.set["x-auth-client"], account.service_account_id);
        assert_eq!(decision.set["x-auth-roles"], "settler");
        assert_eq!(decision.closed(), IDENTITY_HEADERS);
    });
}

/// Gives somebody roles and scopes.
async fn give(person: &Person, roles: &[&str], scopes: &[&str]) {
    use countersign_proto::v1;
    let of = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let request = v1::UpdateUserRequest {
        user_id: person.user_id.clone(),
        roles: of(roles),
        scopes: of(scopes),
        update_mask: Some(prost_types::FieldMask {
            paths: of(&["roles", "scopes"]),
        }),
        ..Default::default()
    };
    person.gateway.update_user(request).await.expect("given");
}

/// An access token with scopes.
async fn with_scopes(person: &Person, scopes: &[&str]) -> String {
    use countersign_proto::v1;
    use countersign_tests::{PASSWORD, email};
    let grant = v1::PasswordGrant {
        identifier: Some(email(&person.email)),
        password: PASSWORD.into(),
    };
    let request = v1::IssueTokensRequest {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
        ..Default::default()
    };
    let issued = person.gateway.issue_tokens(request).await;
    issued.expect("issued").access_token
}
