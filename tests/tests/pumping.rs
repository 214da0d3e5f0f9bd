//! Text messages that nobody verifies run dry, through the whole server:
//! countries, refusals and what gives messages back. The figures of a day's
//! attack are in `guarantee_19_pumping` of the storage crate.

use std::time::Duration;

use countersign_proto::v1;
use countersign_proto::v1::check_code_request::Verification;
use countersign_tests::{
    Backend, Details, Gateway, Tally, World, crowd, device, on_every_backend, phone, reason,
};
use tonic::Status;

on_every_backend!(
    a_country_that_is_not_listed_gets_no_code,
    a_day_of_a_country_runs_dry_and_a_code_gives_back,
    of_64_sends_at_once_no_more_are_sent_than_the_budget,
    what_is_only_recorded_is_sent,
);

fn to(number: usize, code: &str) -> v1::SendCodeRequest {
    v1::SendCodeRequest {
        // Latvia.
        identifier: Some(phone(&format!("+3712{number:07}"))),
        purpose: v1::Purpose::SignUp.into(),
        client_context: device(&format!("198.51.100.{}", number % 250)),
        code: code.into(),
        ..Default::default()
    }
}

async fn send(gateway: &Gateway, number: usize) -> Result<String, Status> {
    gateway.ask_for_code(to(1_000_000 + number * 397, "")).await
}

async fn a_country_that_is_not_listed_gets_no_code(backend: Backend) {
    let world = World::on(backend)
        .set("verification.countries", vec!["KR", "US"])
        .start()
        .await;
    let gateway = world.gateway();
    let refused = gateway.ask_for_code(to(1_000_000, "")).await;
    let refused = Details::of(&refused.expect_err("Latvia is not listed"));
    assert_eq!(refused.fields, ["identifier.phone"]);
    let own = gateway.ask_for_code(to(1_000_000, "123456")).await;
    own.expect("nothing is sent, and nothing was charged before");
    for (number, wanted) in [("+12025550123", "OK"), ("+18765550123", "FIELD_INVALID")] {
        let request = v1::SendCodeRequest {
            identifier: Some(phone(number)),
            ..to(0, "")
        };
        assert_eq!(
            reason(&gateway.ask_for_code(request).await),
            wanted,
            "{number}"
        );
    }
}

async fn a_day_of_a_country_runs_dry_and_a_code_gives_back(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.unverified_per_country", 5 * 6)
        .start()
        .await;
    let gateways = world.gateways(2);
    let (mut sent, mut refused) = (Vec::new(), Tally::default());
    for number in 0..25 {
        let outcome = send(&gateways[number % gateways.len()], number).await;
        match outcome {
            Ok(id) => sent.push(id),
            Err(_) => refused.add(&reason(&outcome)),
        }
    }
    let last = send(&gateways[0], 100).await.expect_err("nothing is left");
    let wait = Details::of(&last).retry_after.expect("it says when");
    assert!(wait <= Duration::from_secs(3_600), "{wait:?}");
    assert!(!last.message().contains("ountry"), "{last}");
    // As the log shows the first number.
    let code = world.read_code("+3712****0000").await;
    let check = v1::CheckCodeRequest {
        verification: Some(Verification::VerificationId(sent[0].clone())),
        code,
    };
    let mut verifications = gateways[gateways.len() - 1].verifications();
    verifications.check_code(check).await.expect("it is right");
    let again = Tally::of(&[send(&gateways[0], 200).await, send(&gateways[0], 300).await]);
    countersign_tests::say!(
        "pumping on {backend}, {} replica(s): of 25 messages to a country {} were sent, 5 allowed \
         in an hour; then {refused}; after one was verified {again}",
        world.replicas().len(),
        sent.len(),
    );
    assert_eq!(sent.len(), 5);
    refused.assert_only(&["TOO_MANY_MESSAGES"]);
    assert_eq!(again.count("OK"), 1, "{again}");
}

async fn of_64_sends_at_once_no_more_are_sent_than_the_budget(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.unverified_per_country", 7 * 6)
        .start()
        .await;
    let gateways = world.gateways(4);
    let outcomes = crowd(64, |turn| {
        let gateway = gateways[turn % gateways.len()].clone();
        async move { send(&gateway, turn).await }
    })
    .await;
    let sent = Tally::of(&outcomes);
    countersign_tests::say!("pumping on {backend}: 64 messages at once, 7 allowed: {sent}");
    assert_eq!(sent.count("OK"), 7, "{sent}");
    sent.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
}

async fn what_is_only_recorded_is_sent(backend: Backend) {
    let world = World::on(backend)
        .set("verification.abuse", "record")
        .set("verification.unverified_per_country", 6)
        .start()
        .await;
    let gateway = world.gateway();
    for number in 0..20 {
        send(&gateway, number).await.expect("it is only recorded");
    }
}
