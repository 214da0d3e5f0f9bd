//! What somebody holds in one group is worth nothing in another: every pair of a thing
//! that is held and a call that takes it.

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_request::Grant;
use countersign_tests::{
    Backend, Gateway, LINK_PREFIX, PASSWORD, Person, Tally, UNDO_LINK, World, email, reason,
    token_of, undo_token_of,
};
use tonic::Status;

const ORIGIN: &str = "https://shop.example.com";
const SOUTH: &str = "south";
const CODE: &str = "135790";
const TWINS_PASSWORD: &str = "nine herons on the far pier";

/// What was tried, and what was answered.
#[derive(Default)]
struct Pairs {
    tried: Vec<(String, String)>,
    own: Tally,
}

impl Pairs {
    /// Notes what a thing of one group is worth in another.
    fn add<T>(&mut self, held: &str, taken_by: &str, answer: &Result<T, Status>) {
        let pair = format!("{held} → {taken_by}");
        self.tried.push((pair, reason(answer)));
    }

    /// Notes what it is worth in its own, afterwards.
    fn own<T>(&mut self, held: &str, answer: &Result<T, Status>) {
        self.own.add(&reason(answer));
        assert_eq!(reason(answer), "OK", "{held} in its own group");
    }
}

/// Mina has an account in `default`, and somebody else one with her address in `south`.
pub(crate) async fn nothing_crosses_groups(backend: Backend) {
    let world = World::on(backend)
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .set("identifiers.undo_link", UNDO_LINK)
        .set("mfa.remember_device", "1d")
        .set("passkeys.rp_id", "example.com")
        .set("passkeys.origins", vec![ORIGIN])
        .start()
        .await;
    world.make_groups(&[SOUTH]).await;
    let mina = world.sign_up().await;
    let twin = join_south(&mina.gateway, &mina.email).await;
    assert_ne!(twin, mina.user_id);
    let mut pairs = Pairs::default();
    codes_and_proofs(&world, &mina, &mut pairs).await;
    mfa_sessions(&mina, &mut pairs).await;
    tokens_and_devices(&mina, &mut pairs).await;
    passkeys(&mina, &mut pairs).await;
    changes_of_addresses(&world, &mina, &mut pairs).await;

    let unexpected = pairs.tried.iter().filter(|(_, answer)| answer == "OK");
    let unexpected: Vec<_> = unexpected.map(|(pair, _)| pair.as_str()).collect();
    let answers: Tally = pairs.tried.iter().fold(Tally::default(), |mut all, pair| {
        all.add(&pair.1);
        all
    });
    for (pair, answer) in &pairs.tried {
        countersign_tests::say!("groups on {backend}: {pair}: {answer}");
    }
    countersign_tests::say!(
        "groups on {backend}: {} pairs of what is held in one group and a call in another: \
         {answers}; in their own group afterwards: {}; unexpected OKs: {}",
        pairs.tried.len(),
        pairs.own,
        unexpected.len(),
    );
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

fn code_for(address: &str, purpose: v1::Purpose, group: &str) -> v1::SendCodeRequest {
    v1::SendCodeRequest {
        group_id: group.into(),
        identifier: Some(email(address)),
        purpose: purpose.into(),
        code: CODE.into(),
        ..Default::default()
    }
}

fn issue(grant: Grant, group: &str) -> v1::IssueTokensRequest {
    v1::IssueTokensRequest {
        group_id: group.into(),
        grant: Some(grant),
        ..Default::default()
    }
}

fn by_password(address: &str, password: &str) -> Grant {
    Grant::Password(v1::PasswordGrant {
        identifier: Some(email(address)),
        password: password.into(),
    })
}

fn by_proof(proof: &str) -> Grant {
    let proof = proof.into();
    Grant::VerifiedCode(v1::VerifiedCodeGrant { proof })
}

fn by_passkey(credential: &str) -> Grant {
    let credential = credential.into();
    Grant::Passkey(v1::PasskeyGrant { credential })
}

async fn join_south(gateway: &Gateway, address: &str) -> String {
    let asked = gateway.ask_for_code(code_for(address, v1::Purpose::SignUp, SOUTH));
    let id = asked.await.expect("a code");
    let proof = gateway.check_code(&id, CODE).await.expect("a proof");
    let joined = sign_up(gateway, address, &proof, SOUTH).await;
    match joined.expect("a user").outcome {
        Some(v1::sign_up_response::Outcome::UserId(id)) => id,
        other => panic!("expected a user, got {other:?}"),
    }
}

async fn sign_up(
    gateway: &Gateway,
    address: &str,
    proof: &str,
    group: &str,
) -> Result<v1::SignUpResponse, Status> {
    let request = v1::SignUpRequest {
        group_id: group.into(),
        identifier: Some(email(address)),
        password: TWINS_PASSWORD.into(),
        proof: proof.into(),
        ..Default::default()
    };
    Ok(gateway.auth().sign_up(request).await?.into_inner())
}

async fn check_latest(
    gateway: &Gateway,
    address: &str,
    purpose: v1::Purpose,
    group: &str,
) -> Result<String, Status> {
    use v1::check_code_request::Verification;
    let latest = v1::VerifiedAddress {
        group_id: group.into(),
        identifier: Some(email(address)),
        purpose: purpose.into(),
    };
    let request = v1::CheckCodeRequest {
        verification: Some(Verification::Address(latest)),
        code: CODE.into(),
    };
    let checked = gateway.verifications().check_code(request).await?;
    Ok(checked.into_inner().proof)
}

async fn codes_and_proofs(world: &World, mina: &Person, pairs: &mut Pairs) {
    use v1::Purpose::{PasswordReset, SignIn, SignUp};
    let gateway = &mina.gateway;
    let fresh = world.new_email();
    for (purpose, name, address) in [
        (SignIn, "a code to sign in", &mina.email),
        (SignUp, "a code to sign up", &fresh),
    ] {
        let sent = gateway.ask_for_code(code_for(address, purpose, "")).await;
        sent.expect("a code");
        let elsewhere = check_latest(gateway, address, purpose, SOUTH).await;
        pairs.add(name, "CheckCode", &elsewhere);
        let checked = check_latest(gateway, address, purpose, "").await;
        pairs.own(name, &checked);
        let proof = checked.expect("a proof");
        let name = name.replace("code", "proof");
        let elsewhere = gateway.issue_tokens(issue(by_proof(&proof), SOUTH)).await;
        pairs.add(&name, "IssueTokens", &elsewhere);
        let elsewhere = sign_up(gateway, address, &proof, SOUTH).await;
        pairs.add(&name, "SignUp", &elsewhere);
        if purpose == SignIn {
            let own = gateway.issue_tokens(issue(by_proof(&proof), "")).await;
            pairs.own(&name, &own);
        } else {
            let own = sign_up(gateway, address, &proof, "").await;
            pairs.own(&name, &own);
        }
    }
    let reset = v1::StartPasswordResetRequest {
        identifier: Some(email(&mina.email)),
        code: CODE.into(),
        ..Default::default()
    };
    gateway.ask_for_reset(reset).await.expect("a code");
    let elsewhere = check_latest(gateway, &mina.email, PasswordReset, SOUTH).await;
    pairs.add("a code to reset", "CheckCode", &elsewhere);
    let checked = check_latest(gateway, &mina.email, PasswordReset, "").await;
    pairs.own("a code to reset", &checked);
    let proof = checked.expect("a proof");
    gateway
        .reset_password(&proof, PASSWORD)
        .await
        .expect("reset");
    // The proof names its group: it has reset this password, and not the twin's.
    let twins = issue(by_password(&mina.email, PASSWORD), SOUTH);
    pairs.add(
        "a proof to reset",
        "IssueTokens",
        &gateway.issue_tokens(twins).await,
    );

    let link = gateway.send_link(email(&mina.email), SignIn).await;
    link.expect("a link");
    let link = world.read_link(&mina.email).await;
    let proof = gateway.check_link(token_of(&link)).await;
    let proof = proof.expect("a proof");
    let elsewhere = gateway.issue_tokens(issue(by_proof(&proof), SOUTH)).await;
    pairs.add("the proof of a link", "IssueTokens", &elsewhere);
    let own = gateway.issue_tokens(issue(by_proof(&proof), "")).await;
    pairs.own("the proof of a link", &own);
}

async fn mfa_sessions(mina: &Person, pairs: &mut Pairs) {
    let gateway = &mina.gateway;
    let name = "an MFA session";
    let id = gateway.create_mfa(email(&mina.email), CODE).await;
    let id = id.expect("an MFA session");
    let elsewhere = gateway.validate_mfa_in(SOUTH, &id, CODE).await;
    pairs.add(name, "ValidateMfaSession", &elsewhere);
    let begin = v1::BeginMfaAssertionRequest {
        group_id: SOUTH.into(),
        mfa_session_id: id.clone(),
    };
    let elsewhere = gateway.sessions().begin_mfa_assertion(begin).await;
    pairs.add(name, "BeginMfaAssertion", &elsewhere);
    let send = v1::SendMfaCodeRequest {
        group_id: SOUTH.into(),
        mfa_session_id: id.clone(),
        ..Default::default()
    };
    let elsewhere = gateway.sessions().send_mfa_code(send).await;
    pairs.add(name, "SendMfaCode", &elsewhere);
    pairs.own(name, &gateway.validate_mfa_in("", &id, CODE).await);

    let request = |group: &str| v1::CreateMfaSessionRequest {
        group_id: group.into(),
        user: Some(v1::create_mfa_session_request::User::UserId(
            mina.user_id.clone(),
        )),
        code: CODE.into(),
        ..Default::default()
    };
    for (group, name) in [(SOUTH, "a user's id"), ("", "")] {
        let id = gateway.ask_for_mfa(request(group)).await;
        let id = id.expect("it does not tell whether there is anybody");
        let answered = gateway.validate_mfa_in(group, &id, CODE).await;
        match name {
            "" => pairs.own("a user's id", &answered),
            name => pairs.add(name, "CreateMfaSession, ValidateMfaSession", &answered),
        }
    }
}

async fn tokens_and_devices(mina: &Person, pairs: &mut Pairs) {
    let gateway = &mina.gateway;
    let elsewhere = gateway
        .issue_tokens(issue(by_password(&mina.email, PASSWORD), SOUTH))
        .await;
    pairs.add("a password", "IssueTokens", &elsewhere);
    let own = mina.sign_in().await;
    let send = v1::SendCodeRequest {
        access_token: own.access_token.clone(),
        ..code_for("new@example.com", v1::Purpose::ChangeIdentifier, SOUTH)
    };
    let elsewhere = gateway.ask_for_code(send).await;
    pairs.add("an access token", "SendCode", &elsewhere);
    let claims = gateway.validate(&own.access_token).await;
    let claims = claims.expect("an answer").expect("good");
    assert_eq!(claims.group_id, "default");

    // A device of Mina's gives the twin nothing, and nobody the twin's account.
    let on_device = |group: &str, password: &str, token: &str| v1::IssueTokensRequest {
        device_token: Some(token.into()),
        ..issue(by_password(&mina.email, password), group)
    };
    let signed_in = gateway
        .auth()
        .issue_tokens(on_device("", PASSWORD, ""))
        .await;
    let device = signed_in.expect("signed in").into_inner().device_token;
    assert!(!device.is_empty(), "the device is known");
    let elsewhere = gateway
        .issue_tokens(on_device(SOUTH, PASSWORD, &device))
        .await;
    pairs.add("a device and a password", "IssueTokens", &elsewhere);
    let signed_in = gateway
        .auth()
        .issue_tokens(on_device(SOUTH, TWINS_PASSWORD, &device))
        .await;
    let theirs = signed_in.expect("the twin's password").into_inner();
    let is_known = match theirs.device_token.is_empty() || theirs.device_token == device {
        true => Ok(()),
        false => Err(Status::not_found("another device")),
    };
    pairs.tried.push((
        "a device → the twin's own sign-in".into(),
        if is_known.is_ok() {
            "OK"
        } else {
            "ANOTHER_DEVICE"
        }
        .into(),
    ));
    let own = gateway
        .auth()
        .issue_tokens(on_device("", PASSWORD, &device))
        .await;
    pairs.own("a device", &own);
}

async fn passkeys(mina: &Person, pairs: &mut Pairs) {
    let gateway = &mina.gateway;
    let enrolled = mina.enroll_passkey(&mina.sign_in().await, ORIGIN).await;
    let (key, _) = enrolled.expect("enrolled");
    let options = async |group: &str| {
        let request = v1::BeginPasskeySignInRequest {
            group_id: group.into(),
            client_context: None,
        };
        let begun = gateway.auth().begin_passkey_sign_in(request).await;
        begun.expect("options").into_inner().request_options
    };
    for (asked_in, name) in [
        ("", "a passkey's answer"),
        (SOUTH, "a passkey's answer to a challenge from there"),
    ] {
        let credential = key.get(&options(asked_in).await, ORIGIN);
        let elsewhere = gateway
            .issue_tokens(issue(by_passkey(&credential), SOUTH))
            .await;
        pairs.add(name, "IssueTokens", &elsewhere);
        if asked_in.is_empty() {
            let own = gateway
                .issue_tokens(issue(by_passkey(&credential), ""))
                .await;
            pairs.own(name, &own);
        } else {
            let own = gateway
                .issue_tokens(issue(by_passkey(&credential), ""))
                .await;
            pairs.add("a challenge", "IssueTokens at home", &own);
        }
    }
    let asked = mina
        .begin_sign_in()
        .await
        .expect("a second factor is asked for");
    let begin = |group: &str| v1::BeginMfaAssertionRequest {
        group_id: group.into(),
        mfa_session_id: asked.mfa_session_id.clone(),
    };
    let elsewhere = gateway.sessions().begin_mfa_assertion(begin(SOUTH)).await;
    pairs.add("a waiting sign-in", "BeginMfaAssertion", &elsewhere);
    let own = gateway.sessions().begin_mfa_assertion(begin("")).await;
    pairs.own("a waiting sign-in", &own);
    let options = own.expect("options").into_inner().request_options;
    let answer = key.get(&options, ORIGIN);
    let validate = |group: &str| v1::ValidateMfaSessionRequest {
        group_id: group.into(),
        mfa_session_id: asked.mfa_session_id.clone(),
        credential: answer.clone(),
        ..Default::default()
    };
    let elsewhere = gateway
        .sessions()
        .validate_mfa_session(validate(SOUTH))
        .await;
    pairs.add(
        "a passkey's second answer",
        "ValidateMfaSession",
        &elsewhere,
    );
    let own = gateway.sessions().validate_mfa_session(validate("")).await;
    pairs.own("a passkey's second answer", &own);
}

async fn changes_of_addresses(world: &World, mina: &Person, pairs: &mut Pairs) {
    let juno = world.sign_up().await;
    let tokens = juno.sign_in().await;
    let proof = juno.prove_new(&tokens, &world.new_email()).await;
    let proof = proof.expect("a proof");
    let name = "a proof of a new address";
    let elsewhere = sign_up(&juno.gateway, &mina.email, &proof, SOUTH).await;
    pairs.add(name, "SignUp", &elsewhere);
    let elsewhere = juno
        .gateway
        .issue_tokens(issue(by_proof(&proof), SOUTH))
        .await;
    pairs.add(name, "IssueTokens", &elsewhere);
    pairs.own(name, &juno.add_identifier(&tokens, &proof).await);
    let link = world.read_link(&juno.email).await;
    let token = undo_token_of(&link);
    let elsewhere = juno.gateway.undo_identifier_change(SOUTH, token).await;
    pairs.add("the token of an undo", "UndoIdentifierChange", &elsewhere);
    let own = juno.gateway.undo_identifier_change("", token).await;
    pairs.own("the token of an undo", &own);
}
