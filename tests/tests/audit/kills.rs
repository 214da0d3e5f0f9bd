//! The server is killed before the event reaches the database, before the commit does, and
//! after it: the change and its event are both there, or neither.

use countersign_tests::{Backend, ChangeStep, Failpoint, PASSWORD, World, email, on_every_backend};

on_every_backend!(a_change_and_its_event_stand_or_fall_together);

const STEPS: [ChangeStep; 3] = [
    ChangeStep::Statement,
    ChangeStep::Commit,
    ChangeStep::Committed,
];
const ROUNDS: usize = 2;

async fn a_change_and_its_event_stand_or_fall_together(backend: Backend) {
    let Some(failpoint) = Failpoint::new() else {
        return;
    };
    let world = World::on(backend).failpoint_at(0, &failpoint).start().await;
    if backend == Backend::Postgres {
        // What is encrypted cannot be looked at.
        let url = format!("{}?sslmode=disable", world.database_url());
        world.change_setting(0, "database.url", url);
    }
    let statement = match backend {
        Backend::MariaDb => "INSERT INTO `audit_events`",
        Backend::Postgres | Backend::Sqlite => "INSERT INTO \"audit_events\"",
    };
    let (mut kills, mut made) = (0, 0);
    for _ in 0..ROUNDS {
        for step in STEPS {
            for is_sign_in in [true, false] {
                let mina = world.sign_up().await;
                let tokens = mina.sign_in().await;
                // What a server has asked before it sends without its text.
                world.replica(0).restart().await;
                failpoint.set(step, statement, Some("COMMIT"));
                let gateway = world.gateway();
                let change = async {
                    match is_sign_in {
                        true => {
                            let signed_in = gateway.sign_in(email(&mina.email), PASSWORD);
                            signed_in.await.map(drop)
                        }
                        false => gateway.revoke(&tokens.access_token).await,
                    }
                };
                let outcome = tokio::select! {
                    outcome = change => Some(outcome),
                    () = failpoint.reached() => None,
                };
                assert!(outcome.is_none(), "{step:?}: {outcome:?}");
                world.replica(0).kill().await;
                let user = backend.bytes(&mina.user_id);
                let (changes, action) = match is_sign_in {
                    true => (format!("sessions WHERE user_id = {user}"), "session_opened"),
                    false => (
                        format!("sessions WHERE user_id = {user} AND revoked_at IS NOT NULL"),
                        "session_revoked",
                    ),
                };
                let changes = world.rows(&changes).await;
                let events = format!("audit_events WHERE user_id = {user} AND action = '{action}'");
                let events = world.rows(&events).await;
                assert_eq!(changes, events, "{backend}: {action} at {step:?}");
                made += changes - i64::from(is_sign_in);
                kills += 1;
                failpoint.clear();
                world.replica(0).start().await;
            }
        }
    }
    countersign_tests::say!(
        "audit on {backend}: {kills} kills, {made} changes made, each with its event, and no \
         event without one"
    );
    assert!(made > 0, "{backend}: something was committed");
}
