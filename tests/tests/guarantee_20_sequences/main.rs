//! Guarantee 20: no step can be skipped. Random sequences of calls are answered by
//! real servers, on real databases, as the reference model says. Many more of them
//! are played against the use-cases, where time goes on, too: see the suite of the
//! same name of the domain.

mod addresses;
mod keys;
mod second_factors;
mod server;
mod texts;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_domain::testing::reference::{self, Failure, Shape, Tally, play, sequence};
use countersign_proto::Idempotency;
use countersign_tests::{
    Backend, Gateway, LINK_PREFIX, PATIENCE, UNDO_LINK, World, eventually, on_a_backend, reason,
};

use crate::server::Server;

const SHAPE: Shape = Shape {
    steps: 30,
    has_time: false,
    has_callers: true,
    has_untold_codes: false,
};
/// Sequences that are played at once, each with people of its own.
const AT_ONCE: usize = 4;
/// Sequences in CI, and in the longer form.
const FEW: u64 = 60;
const MANY: u64 = 500;

/// RPCs that no sequence asks, and why: none of them changes anything.
const OTHERS: [(&str, &str); 15] = [
    ("Check", "asks ValidateToken, for a proxy"),
    ("GetGroup", "reads, for operators"),
    ("ListGroups", "reads, for operators"),
    ("GetProfile", "reads what the person wrote"),
    ("GetServiceAccount", "reads, for operators"),
    ("ListServiceAccounts", "reads, for operators"),
    ("GetSession", "reads one of those that ListSessions has"),
    ("GetUser", "reads, for operators"),
    ("GetVerification", "reads, and spends nothing"),
    ("ListAuditEvents", "reads, for operators"),
    ("ListFederatedIdentities", "reads what is linked"),
    ("ListProviders", "reads what everybody may know"),
    ("ListSigningKeys", "reads what everybody may know"),
    ("ListUsers", "reads, for operators"),
    ("ValidateTokens", "asks ValidateToken several times"),
];

/// RPCs that change something, and that the model does not know yet: what operators do
/// to users, groups and service accounts, a person to its profile, and what needs a
/// provider. The suites `users`, `groups`, `service_accounts` and `who_may_call` and the
/// domain's own tests ask them.
const NOT_YET: [&str; 20] = [
    "AddServiceAccountKey",
    "BeginFederatedSignIn",
    "CreateGroup",
    "CreateServiceAccount",
    "CreateServiceAccountSecret",
    "CreateUser",
    "DeleteGroup",
    "DeleteServiceAccount",
    "DeleteUser",
    "ImportUsers",
    "LinkFederatedIdentity",
    "ReceiveProviderNotification",
    "RemoveServiceAccountCredential",
    "UnlinkFederatedIdentity",
    "UpdateGroup",
    "UpdateProfile",
    "UpdateServiceAccount",
    "UpdateUser",
    "WithdrawProfile",
    "WithdrawUser",
];

#[test]
fn every_rpc_is_in_the_sequences_or_named() {
    let asked = reference::RPCS.into_iter().chain(NOT_YET);
    let known: BTreeSet<_> = asked.chain(OTHERS.map(|(name, _)| name)).collect();
    let all: BTreeSet<_> = countersign_proto::RPCS.iter().map(|rpc| rpc.name).collect();
    assert_eq!(known, all);
    assert_eq!(
        known.len(),
        reference::RPCS.len() + OTHERS.len() + NOT_YET.len()
    );
    for rpc in countersign_proto::RPCS {
        let is_other = OTHERS.iter().any(|(name, _)| *name == rpc.name);
        let changes = rpc.idempotency != Idempotency::NoSideEffects;
        assert!(!(is_other && changes), "{} may change something", rpc.name);
    }
}

#[test]
fn on_sqlite() {
    on_a_backend(Backend::Sqlite, |backend| judge(backend, FEW));
}

#[test]
fn on_postgresql() {
    on_a_backend(Backend::Postgres, |backend| judge(backend, FEW));
}

#[test]
#[ignore = "it takes some minutes"]
fn five_hundred_on_sqlite() {
    on_a_backend(Backend::Sqlite, |backend| judge(backend, MANY));
}

#[test]
#[ignore = "it takes some minutes"]
fn five_hundred_on_postgresql() {
    on_a_backend(Backend::Postgres, |backend| judge(backend, MANY));
}

#[test]
#[ignore = "it takes some minutes"]
fn five_hundred_on_mariadb() {
    on_a_backend(Backend::MariaDb, |backend| judge(backend, MANY));
}

async fn judge(backend: Backend, count: u64) {
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .set("verification.wrong_codes_per_address", 1_000)
        .set("verification.abuse", "record")
        .set("mfa.remember_device", "1d")
        .set("identifiers.undo_link", UNDO_LINK)
        .set("passkeys.rp_id", "example.com")
        .set("passkeys.origins", vec![keys::ORIGIN])
        .start()
        .await;
    world.make_groups(&[&texts::group(1)]).await;
    let callers = [caller(&world, "shop").await, caller(&world, "kiosk").await];
    let (world, callers) = (Arc::new(world), Arc::new(callers));
    let next = Arc::new(AtomicU64::new(0));
    let mut playing = Vec::new();
    for _ in 0..AT_ONCE {
        let (world, callers, next) = (world.clone(), callers.clone(), next.clone());
        playing.push(tokio::spawn(async move {
            let mut tally = Tally::default();
            let mut failed = None;
            while failed.is_none() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= count {
                    break;
                }
                let mut server = Server::new(&world, &callers, seed);
                let played = play(&sequence(seed, SHAPE), &mut server, &mut tally).await;
                failed = played.err().map(|failure| (seed, failure));
            }
            (tally, failed)
        }));
    }
    let (mut tally, mut failures) = (Tally::default(), Vec::<(u64, Failure)>::new());
    for player in playing {
        let (own, failed) = player.await.expect("it plays to its end");
        tally.add_all(&own);
        failures.extend(failed);
    }
    countersign_tests::say!(
        "guarantee 20 on {backend}, {} replica(s): sequences {count}, answers {}, otherwise than \
         the model says {}{tally}",
        world.replicas().len(),
        tally.total(),
        failures.len()
    );
    if let Some((seed, failure)) = failures.first() {
        panic!("{backend}, seed {seed}: {failure}");
    }
    for (rpc, answer) in [
        ("IssueTokens", "MFA_SESSION"),
        ("ValidateMfaSession", "OK"),
        ("ValidateMfaSession", "SECOND_FACTOR_WRONG"),
        ("RefreshTokens", "REFRESH_TOKEN_REUSED"),
        ("ValidateToken", "REVOKED"),
        ("ConfirmEnrollment", "OK"),
        ("ResetPassword", "OK"),
        ("CheckCode of a link", "OK"),
        ("StepUpSession", "OK"),
        ("ValidateToken", "INSUFFICIENT"),
        ("SendMfaCode", "OK"),
        ("ChangeIdentifier", "OK"),
        ("RemoveIdentifier", "OK"),
        ("UndoIdentifierChange", "OK"),
    ] {
        assert!(
            tally.count(rpc, answer) > 0,
            "{rpc} was never answered {answer}"
        );
    }
}

/// A caller that every replica knows, and tells from who has no key: a gateway to
/// each of them.
async fn caller(world: &World, name: &str) -> Vec<Gateway> {
    let key = world
        .new_key(name, &["service", "gateway", "operator"])
        .await;
    let mut gateways = Vec::new();
    for stranger in world.gateways_of_replicas() {
        let gateway = stranger.clone().with_key(&key);
        let is_known = || async {
            let is_closed = reason(&stranger.validate("garbage").await) == "CALLER_UNKNOWN";
            let is_open = reason(&gateway.validate("garbage").await) == "OK";
            (is_closed && is_open).then_some(())
        };
        eventually("the caller is known", PATIENCE, is_known).await;
        gateways.push(gateway);
    }
    gateways
}
