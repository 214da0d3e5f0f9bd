//! One damaged record in Redis, of a code, a link, a proof, an enrolment or an MFA
//! session: whoever uses it is told that it could not be told, never no and never
//! yes. Others of its kind are as they were.

use std::collections::BTreeSet;

use countersign_proto::v1;
use countersign_tests::{
    Backend, LINK_PREFIX, Person, RedisServer, Tally, World, at_the_beginning_of_a_step, email,
    on_a_backend, present_step, reason, token_of,
};
use deadpool_redis::redis::{Client, cmd};
use tonic::Status;

use crate::world;

const CODE: &str = "246802";

#[derive(Debug, Clone, Copy)]
enum Kind {
    Code,
    Link,
    Proof,
    Enrollment,
    /// An MFA session that keeps a code, and one that asks for a factor.
    MfaSession,
    Asked,
}

/// What is used of a record.
enum Held {
    Code(String),
    Link(String),
    Proof(String),
    Enrollment {
        tokens: v1::Tokens,
        id: String,
        code: String,
    },
    MfaSession {
        id: String,
        code: String,
    },
}

#[test]
fn a_damaged_record_harms_no_other() {
    on_a_backend(Backend::Postgres, damage);
}

async fn damage(backend: Backend) {
    let Some(redis) = RedisServer::start().await else {
        countersign_tests::say!("skipped: there is no redis-server");
        return;
    };
    let world = world(backend)
        .redis(redis.url())
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .start()
        .await;
    let (mut of_damaged, mut beside, mut wrong) = (Tally::default(), Tally::default(), Vec::new());
    for kind in [
        Kind::Code,
        Kind::Link,
        Kind::Proof,
        Kind::Enrollment,
        Kind::MfaSession,
        Kind::Asked,
    ] {
        let [victim, other] = [world.sign_up().await, world.sign_up().await];
        let before = long_keys(&redis).await;
        let held = hold(&world, &victim, kind).await;
        let damaged = damage_new(&redis, &before).await;
        assert!(damaged >= 1, "{kind:?}: a record is damaged");
        let whole = hold(&world, &other, kind).await;
        let outcome = reason(&use_up(&victim, held).await);
        if outcome != "INTERNAL" {
            wrong.push(format!("{kind:?}: {outcome}"));
        }
        of_damaged.add(&outcome);
        beside.add(&reason(&use_up(&other, whole).await));
        beside.add(&reason(&victim.gateway.validate("garbage").await));
    }
    countersign_tests::say!(
        "guarantee 24 on {backend} with Redis, damaged records: of their owners: {of_damaged}; \
         records beside them refused {} of {} ({beside})",
        beside.total() - beside.count("OK"),
        beside.total()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    beside.assert_only(&["OK"]);
}

async fn hold(world: &World, mina: &Person, kind: Kind) -> Held {
    let gateway = &mina.gateway;
    let to = email(&mina.email);
    match kind {
        Kind::Code => {
            let sent = gateway.send_code(to, v1::Purpose::SignIn, CODE).await;
            Held::Code(sent.expect("a code is sent"))
        }
        Kind::Link => {
            let sent = gateway.send_link(to, v1::Purpose::SignIn).await;
            sent.expect("a link is sent");
            Held::Link(token_of(&world.read_link(&mina.email).await).to_owned())
        }
        Kind::Proof => {
            let proved = gateway.prove(to, v1::Purpose::SignIn).await;
            Held::Proof(proved.expect("a proof"))
        }
        Kind::Enrollment => {
            let tokens = mina.sign_in().await;
            at_the_beginning_of_a_step().await;
            let begun = mina.begin_enrollment(&tokens, "app").await;
            let begun = begun.expect("an enrolment");
            let app = countersign_tests::Authenticator::holding(&begun.secret);
            Held::Enrollment {
                tokens,
                id: begun.enrollment_id,
                code: app.code_of_step(present_step()),
            }
        }
        Kind::MfaSession => {
            let created = gateway.create_mfa(to, CODE).await;
            Held::MfaSession {
                id: created.expect("an MFA session"),
                code: CODE.into(),
            }
        }
        Kind::Asked => {
            let enrolled = mina.enroll(&mina.sign_in().await).await;
            let asked = mina.begin_sign_in().await.expect("a question");
            Held::MfaSession {
                id: asked.mfa_session_id,
                code: enrolled.recovery_codes[0].clone(),
            }
        }
    }
}

/// To a session or a factor.
async fn use_up(mina: &Person, held: Held) -> Result<(), Status> {
    let gateway = &mina.gateway;
    let proof = match held {
        Held::Code(id) => gateway.check_code(&id, CODE).await?,
        Held::Link(token) => gateway.check_link(&token).await?,
        Held::Proof(proof) => proof,
        Held::Enrollment { tokens, id, code } => {
            let confirmed = mina.confirm_enrollment(&tokens, &id, &code).await;
            return confirmed.map(drop);
        }
        Held::MfaSession { id, code } => return mina.answer(&id, &code).await.map(drop),
    };
    gateway.sign_in_proven(&proof).await.map(drop)
}

/// The keys of values that are long enough to be records.
async fn long_keys(redis: &RedisServer) -> BTreeSet<Vec<u8>> {
    let contents = redis.contents().await.into_iter();
    let records = contents.filter(|entry| {
        let longest = entry.values.iter().map(Vec::len).max();
        entry.values.len() == 1 && longest > Some(150)
    });
    records.map(|entry| entry.key).collect()
}

/// Flips a bit in the last byte of each new record, which is sealed. How many.
async fn damage_new(redis: &RedisServer, before: &BTreeSet<Vec<u8>>) -> usize {
    let after = long_keys(redis).await;
    let client = Client::open(redis.url()).expect("a URL");
    let connection = client.get_multiplexed_async_connection().await;
    let mut connection = connection.expect("Redis answers");
    let mut damaged = 0;
    for key in after.difference(before) {
        let last: Vec<u8> = cmd("GETRANGE")
            .arg(key)
            .arg(-1)
            .arg(-1)
            .query_async(&mut connection)
            .await
            .expect("its last byte");
        let length: usize = cmd("STRLEN")
            .arg(key)
            .query_async(&mut connection)
            .await
            .expect("its length");
        let flipped = [last[0] ^ 1];
        let _: usize = cmd("SETRANGE")
            .arg(key)
            .arg(length - 1)
            .arg(&flipped[..])
            .query_async(&mut connection)
            .await
            .expect("it is damaged");
        damaged += 1;
    }
    damaged
}
