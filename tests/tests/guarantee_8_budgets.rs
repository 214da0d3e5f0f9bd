//! Guarantee 8, the budgets of messages and tries: what is refused costs nobody
//! anything, only a real comparison is a try, and a group is
//! no budget of its own.

use std::time::Duration;

use countersign_proto::v1;
use countersign_tests::{
    Backend, Details, Gateway, Person, Tally, World, crowd, device, email, on_every_backend, phone,
    reason,
};
use tokio::time::sleep;
use tonic::Status;

on_every_backend!(
    an_exhausted_source_spends_nobodys_budget,
    an_exhausted_source_starts_nobodys_cooldown,
    an_exhausted_country_spends_no_sources_budget,
    a_refusal_by_the_cooldown_spends_no_daily_budget,
    many_groups_multiply_no_cooldown,
    many_groups_multiply_no_daily_budget,
    many_groups_multiply_no_tries_of_a_password,
);

const OWNERS_SOURCE: &str = "198.51.100.1";
const HAMMERED: usize = 200;

/// The RPCs that send a message to an address.
#[derive(Debug, Clone, Copy)]
enum Send {
    SignUpCode,
    SignInCode,
    Reset,
    SignUp,
}

const ALL: [Send; 4] = [
    Send::SignUpCode,
    Send::SignInCode,
    Send::Reset,
    Send::SignUp,
];

async fn an_exhausted_source_spends_nobodys_budget(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.sends_per_source", 5)
        .set("verification.sends_per_address", 10)
        .start()
        .await;
    hammer_from_an_exhausted_source(&world, "no cooldown").await;
}

async fn an_exhausted_source_starts_nobodys_cooldown(backend: Backend) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.sends_per_source", 5)
        .set("verification.cooldown", "1m")
        .start()
        .await;
    hammer_from_an_exhausted_source(&world, "a cooldown of 1 minute").await;
}

/// All that is refused to an exhausted source must not keep the owners of the
/// addresses from being served.
async fn hammer_from_an_exhausted_source(world: &World, how: &str) {
    let gateways = world.gateways(2);
    for turn in 0..5 {
        let to = world.new_email();
        let source = attackers_source(turn);
        let sent = Send::SignUpCode.to(&gateways[0], &to, "", &source);
        sent.await.expect("within the budget of the source");
    }
    let (mut attacker, mut owners) = (Tally::default(), Tally::default());
    for rpc in ALL {
        let address = world.new_email();
        let outcomes = crowd(HAMMERED, |turn| {
            let (gateway, address) = (gateways[turn % gateways.len()].clone(), address.clone());
            async move {
                rpc.to(&gateway, &address, "", &attackers_source(turn))
                    .await
            }
        })
        .await;
        for outcome in &outcomes {
            attacker.add(&reason(outcome));
        }
        let owner = rpc.to(&gateways[0], &address, "", OWNERS_SOURCE).await;
        owners.add(&reason(&owner));
    }
    countersign_tests::say!(
        "guarantee 8 on {}, {} replica(s), {how}: sends from an exhausted source to {} addresses: \
         {attacker}; their owners: {owners}",
        world.backend(),
        world.replicas().len(),
        ALL.len(),
    );
    attacker.assert_only(&["TOO_MANY_MESSAGES"]);
    assert_eq!(owners.count("OK"), ALL.len(), "{owners}");
}

async fn an_exhausted_country_spends_no_sources_budget(backend: Backend) {
    let world = World::on(backend)
        .set("verification.sends_per_source", 5)
        .set("verification.sends_per_country", 2)
        .start()
        .await;
    let gateway = world.gateway();
    let call = async |number: usize, source: &str| {
        let request = v1::SendCodeRequest {
            identifier: Some(phone(&format!("+82101234{number:04}"))),
            purpose: v1::Purpose::SignUp.into(),
            client_context: device(source),
            ..Default::default()
        };
        reason(&gateway.ask_for_code(request).await)
    };
    let mut refused = Tally::default();
    for number in 0..2 {
        assert_eq!(call(number, "203.0.113.200").await, "OK");
    }
    for number in 2..22 {
        refused.add(&call(number, OWNERS_SOURCE).await);
    }
    let mut served = Tally::default();
    for _ in 0..5 {
        let to = world.new_email();
        let sent = Send::SignUpCode.to(&gateway, &to, "", OWNERS_SOURCE).await;
        served.add(&reason(&sent));
    }
    countersign_tests::say!(
        "guarantee 8 on {backend}: sends to an exhausted country: {refused}; then 5 e-mails from \
         the same source, 5 allowed: {served}"
    );
    assert_eq!(refused.count("TOO_MANY_MESSAGES"), 20, "{refused}");
    assert_eq!(served.count("OK"), 5, "{served}");
}

async fn a_refusal_by_the_cooldown_spends_no_daily_budget(backend: Backend) {
    const SENDS: usize = 3;
    const COOLDOWN: Duration = Duration::from_secs(2);
    let world = World::on(backend)
        .set("verification.cooldown", "2s")
        .set("verification.sends_per_address", SENDS as i64)
        .set("verification.sends_per_source", SENDS as i64)
        .start()
        .await;
    let (gateway, address) = (world.gateway(), world.new_email());
    let send = || Send::SignUpCode.to(&gateway, &address, "", OWNERS_SOURCE);
    let (mut after_waiting, mut at_once) = (Tally::default(), Tally::default());
    for _ in 0..SENDS {
        after_waiting.add(&reason(&send().await));
        for _ in 0..10 {
            at_once.add(&reason(&send().await));
        }
        sleep(COOLDOWN + Duration::from_millis(200)).await;
    }
    let last = send().await;
    countersign_tests::say!(
        "guarantee 8 on {backend}: {SENDS} sends allowed in a day: after the cooldown \
         {after_waiting}; within it {at_once}; the next one {}",
        reason(&last),
    );
    assert_eq!(after_waiting.count("OK"), SENDS, "{after_waiting}");
    assert_eq!(at_once.count("TOO_MANY_MESSAGES"), 10 * SENDS, "{at_once}");
    let retry_after = Details::of(&last.expect_err("the budget is spent")).retry_after;
    assert!(retry_after.is_some_and(|wait| wait > Duration::from_secs(60)));
}

async fn many_groups_multiply_no_cooldown(backend: Backend) {
    const GROUPS: usize = 20;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.cooldown", "1m")
        .start()
        .await;
    let gateways = world.gateways(1);
    make_groups(&world, GROUPS).await;
    let address = world.new_email();
    let mut sent = Tally::default();
    for number in 0..GROUPS {
        for rpc in ALL {
            let gateway = &gateways[number % gateways.len()];
            let group = format!("group-{number}");
            let source = format!("203.0.113.{number}");
            sent.add(&reason(&rpc.to(gateway, &address, &group, &source).await));
        }
    }
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): sends to one address within its cooldown, in \
         {GROUPS} groups: {sent}",
        world.replicas().len(),
    );
    assert_eq!(sent.count("OK"), 1, "{sent}");
    sent.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
}

async fn many_groups_multiply_no_daily_budget(backend: Backend) {
    const GROUPS: usize = 20;
    const SENDS: usize = 10;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.sends_per_address", SENDS as i64)
        .start()
        .await;
    make_groups(&world, GROUPS).await;
    let gateways = world.gateways(2);
    let address = world.new_email();
    let outcomes = crowd(GROUPS * ALL.len(), |turn| {
        let (gateway, address) = (gateways[turn % gateways.len()].clone(), address.clone());
        async move {
            let group = format!("group-{}", turn % GROUPS);
            let source = format!("203.0.113.{turn}");
            ALL[turn / GROUPS]
                .to(&gateway, &address, &group, &source)
                .await
        }
    })
    .await;
    let sent = Tally::of(&outcomes);
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): sends to one address in {GROUPS} \
         groups, {SENDS} allowed in a day: {sent}",
        world.replicas().len(),
    );
    assert_eq!(sent.count("OK"), SENDS, "{sent}");
    sent.assert_only(&["OK", "TOO_MANY_MESSAGES"]);
}

async fn many_groups_multiply_no_tries_of_a_password(backend: Backend) {
    const TRIES: usize = 4;
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("passwords.attempts_per_source", TRIES as i64)
        .start()
        .await;
    make_groups(&world, 12).await;
    let mina: Person = world.sign_up().await;
    let gateways = world.gateways(2);
    let outcomes = crowd(48, |turn| {
        let gateway = gateways[turn % gateways.len()].clone();
        let grant = v1::PasswordGrant {
            identifier: Some(email(&mina.email)),
            password: "wrong guess".into(),
        };
        let request = v1::IssueTokensRequest {
            group_id: format!("group-{}", turn % 12),
            grant: Some(v1::issue_tokens_request::Grant::Password(grant)),
            client_context: device("203.0.113.7"),
            ..Default::default()
        };
        async move { gateway.issue_tokens(request).await }
    })
    .await;
    let tally = Tally::of(&outcomes);
    countersign_tests::say!(
        "guarantee 8 on {backend}, {} replica(s): 48 guesses from one source at one address in 12 \
         groups, {TRIES} allowed: {tally}",
        world.replicas().len(),
    );
    tally.assert_only(&["SIGN_IN_REFUSED", "TOO_MANY_ATTEMPTS"]);
    assert_eq!(tally.count("SIGN_IN_REFUSED"), TRIES, "compared: {tally}");
}

async fn make_groups(world: &World, count: usize) {
    let ids: Vec<_> = (0..count).map(|number| format!("group-{number}")).collect();
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    world.make_groups(&ids).await;
}

/// One source: an IPv6 subscriber has a /64.
fn attackers_source(turn: usize) -> String {
    format!("2001:db8:66:1::{:x}", turn + 1)
}

impl Send {
    /// Has a message sent to an address.
    async fn to(
        self,
        gateway: &Gateway,
        address: &str,
        group: &str,
        source: &str,
    ) -> Result<String, Status> {
        let (group_id, identifier) = (group.to_owned(), Some(email(address)));
        let client_context = device(source);
        let code_for = |purpose: v1::Purpose| v1::SendCodeRequest {
            group_id: group.to_owned(),
            identifier: Some(email(address)),
            purpose: purpose.into(),
            client_context: device(source),
            ..Default::default()
        };
        match self {
            Self::SignUpCode => gateway.ask_for_code(code_for(v1::Purpose::SignUp)).await,
            Self::SignInCode => gateway.ask_for_code(code_for(v1::Purpose::SignIn)).await,
            Self::Reset => {
                let mut request = v1::StartPasswordResetRequest {
                    group_id,
                    identifier,
                    ..Default::default()
                };
                request.client_context = client_context;
                gateway.ask_for_reset(request).await
            }
            Self::SignUp => {
                let request = v1::SignUpRequest {
                    group_id,
                    identifier,
                    password: countersign_tests::PASSWORD.into(),
                    client_context,
                    ..Default::default()
                };
                gateway.ask_to_sign_up(request).await
            }
        }
    }
}
