//! No token, key, password, code, address or name of a person goes to the
//! collector, whatever comes of a call. Each is searched for as it is, in base64
//! and in hex.

use countersign_proto::v1;
use countersign_tests::{
    Backend, Collector, PASSWORD, World, canary_spellings, contains_any, email, on_a_backend,
    phone, say,
};

const SOURCE: &str = "203.0.113.77";
const WRONG: &str = "wrong guess of somebody";
const CODE: &str = "owncodeofthecaller";
const PHONE: &str = "+821098765432";

#[test]
fn no_secret_and_no_person_goes_to_the_collector() {
    on_a_backend(Backend::Sqlite, async |backend| {
        let collector = Collector::start().await;
        // Ten digits are found by no accident.
        let world = World::on(backend)
            .set("traces.endpoint", collector.endpoint())
            .set("verification.code_digits", 10)
            .start()
            .await;
        let mut canaries = act(&world).await;
        canaries.extend([PASSWORD, WRONG, CODE, PHONE, SOURCE].map(str::to_owned));
        let replica = world.replica(0);
        replica.terminate().await;
        assert!(replica.wait().await.success());

        let bytes = collector.bytes();
        let sent = |canary: &&String| contains_any(&bytes, &canary_spellings(canary));
        let found: Vec<_> = canaries.iter().filter(sent).collect();
        let spans = collector.spans();
        say!(
            "traces: {} canaries in {} spans of {} bytes: found {}",
            canaries.len(),
            spans.len(),
            bytes.len(),
            found.len()
        );
        assert!(found.is_empty(), "{found:?}");
        for name in ["SignUp", "IssueTokens", "RefreshTokens", "ChangePassword"] {
            let is_there = spans
                .iter()
                .any(|span| span.attribute("rpc.method") == name);
            assert!(is_there, "there was something to search: {name}");
        }
        // A name of a caller is meant to be found, so the search finds.
        assert!(contains_any(
            &bytes,
            &canary_spellings("countersign.caller")
        ));
    });
}

/// Does what people and services do, well and badly, and tells what of it is
/// nobody's business.
async fn act(world: &World) -> Vec<String> {
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    mina.try_password(WRONG).await.expect_err("wrong");
    let gateway = world.gateway();
    let refused = gateway.sign_in_from(SOURCE, email(&mina.email), WRONG);
    refused.await.expect_err("wrong");
    let refused = gateway.sign_in_from(SOURCE, phone(PHONE), PASSWORD);
    refused.await.expect_err("unknown");
    let renewed = gateway.refresh(&tokens.refresh_token).await;
    let renewed = renewed.expect("tokens");
    gateway.refresh(WRONG).await.expect_err("no token");
    let answer = gateway.validate(&renewed.access_token).await;
    answer.expect("an answer").expect("valid");

    let sent = gateway.send_code(phone(PHONE), v1::Purpose::SignUp, CODE);
    let id = sent.await.expect("a code");
    let proof = gateway.check_code(&id, CODE).await.expect("a proof");
    mina.forget_password().await.expect("a code");
    let code = world.read_code(&mina.email).await;
    let changed = mina.change_password(&renewed, WRONG, PASSWORD).await;
    changed.expect_err("wrong");
    gateway.revoke(&renewed.refresh_token).await.expect("ended");

    // What a caller says of itself is no place for secrets either.
    let key = world.new_key("shop", &["service"]).await;
    let shop = world.gateway().with_key(&key);
    let _ = shop.validate(&tokens.access_token).await;
    let _ = shop.refresh(&tokens.refresh_token).await;

    let mut canaries = vec![key, code, proof, mina.email, mina.username, mina.user_id];
    for tokens in [tokens, renewed] {
        canaries.extend([tokens.access_token, tokens.refresh_token]);
    }
    canaries
}
