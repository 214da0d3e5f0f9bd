//! Guarantee 4 at the steps of a change: the server is killed before the statement
//! reaches the database, before the commit does, and after the commit, before the
//! reply. What was committed is there afterwards, what was not is not, and who asks
//! again is served.

use std::collections::BTreeMap;

use countersign_proto::v1;
use countersign_tests::{
    Backend, ChangeStep, Failpoint, Gateway, PASSWORD, Person, World, email, generation,
    on_every_backend, reason,
};
use tonic::Status;

on_every_backend!(a_kill_at_any_step_leaves_all_or_nothing);

const STEPS: [ChangeStep; 3] = [
    ChangeStep::Statement,
    ChangeStep::Commit,
    ChangeStep::Committed,
];
const CHANGES: [Change; 3] = [Change::SignIn, Change::Refresh, Change::Revoke];
const ROUNDS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    SignIn,
    Refresh,
    Revoke,
}

/// Somebody with a session, who makes a change.
struct Subject {
    mina: Person,
    tokens: v1::Tokens,
}

/// What was found after the kills.
#[derive(Default)]
struct Findings {
    kills: usize,
    lost: usize,
    double_spent: usize,
    accepted: usize,
    /// Of each step, how many changes were there afterwards.
    made: BTreeMap<ChangeStep, usize>,
}

async fn a_kill_at_any_step_leaves_all_or_nothing(backend: Backend) {
    let Some(failpoint) = Failpoint::new() else {
        return;
    };
    let world = World::on(backend)
        .failpoint_at(0, &failpoint)
        .set("tokens.refresh_grace", "5m")
        .start()
        .await;
    if backend == Backend::Postgres {
        // What is encrypted cannot be looked at.
        let url = format!("{}?sslmode=disable", world.database_url());
        world.change_setting(0, "database.url", url);
    }
    let mut findings = Findings::default();
    for _ in 0..ROUNDS {
        for change in CHANGES {
            for step in STEPS {
                let mina = world.sign_up().await;
                let tokens = mina.sign_in().await;
                let subject = Subject { mina, tokens };
                let statement = change.statement(backend);
                // What a server has asked before it sends without its text.
                world.replica(0).restart().await;
                failpoint.set(step, &statement, change.commit());
                let outcome = tokio::select! {
                    outcome = change.ask(&subject, world.gateway()) => Some(outcome),
                    () = failpoint.reached() => None,
                };
                assert!(outcome.is_none(), "{change:?} at {step:?}: {outcome:?}");
                world.replica(0).kill().await;
                let was_made = change.was_made(&subject, &world).await;
                failpoint.clear();
                world.replica(0).start().await;
                change
                    .check(&subject, &world.gateway(), &mut findings)
                    .await;
                findings.kills += 1;
                *findings.made.entry(step).or_default() += usize::from(was_made);
                // SQLite has one log, to which other changes are written as well.
                if backend != Backend::Sqlite || step != ChangeStep::Committed {
                    let is_committed = step == ChangeStep::Committed;
                    assert_eq!(was_made, is_committed, "{backend}: {change:?} at {step:?}");
                }
            }
        }
    }
    countersign_tests::say!(
        "guarantee 4 on {backend}: {} kills, changes made of {} at each step {:?}: lost {}, \
         double-spent {}, revoked but accepted {}",
        findings.kills,
        ROUNDS * CHANGES.len(),
        findings.made,
        findings.lost,
        findings.double_spent,
        findings.accepted,
    );
    let wrong = (findings.lost, findings.double_spent, findings.accepted);
    assert_eq!(wrong, (0, 0, 0), "{backend}");
    assert!(
        findings.made[&ChangeStep::Committed] > 0,
        "{backend}: something was committed"
    );
}

impl Change {
    /// What its statement has in it.
    fn statement(self, backend: Backend) -> String {
        let quote = match backend {
            Backend::MariaDb => '`',
            Backend::Postgres | Backend::Sqlite => '"',
        };
        match (self, backend) {
            (Self::SignIn, _) => format!("INSERT INTO {quote}sessions{quote}"),
            (Self::Refresh, Backend::Postgres) => "UPDATE sessions SET generation".into(),
            (Self::Refresh | Self::Revoke, _) => format!("UPDATE {quote}sessions{quote}"),
        }
    }

    /// A refresh is a statement that commits by itself: it is prepared, then run.
    fn commit(self) -> Option<&'static str> {
        match self {
            Self::Refresh => None,
            Self::SignIn | Self::Revoke => Some("COMMIT"),
        }
    }

    async fn ask(self, subject: &Subject, gateway: Gateway) -> Result<(), Status> {
        let Subject { mina, tokens } = subject;
        match self {
            Self::SignIn => {
                let signed_in = gateway.sign_in(email(&mina.email), PASSWORD);
                signed_in.await.map(drop)
            }
            Self::Refresh => gateway.refresh(&tokens.refresh_token).await.map(drop),
            Self::Revoke => gateway.revoke(&tokens.access_token).await,
        }
    }

    /// Whether the change is in the database.
    async fn was_made(self, subject: &Subject, world: &World) -> bool {
        let Subject { mina, tokens } = subject;
        let id = |id: &str| world.backend().bytes(id);
        let (session, user) = (id(&tokens.session_id), id(&mina.user_id));
        let generation = generation(&tokens.refresh_token);
        let (rows, of) = match self {
            Self::SignIn => (2, format!("user_id = {user}")),
            Self::Refresh => (1, format!("id = {session} AND generation > {generation}")),
            Self::Revoke => (1, format!("id = {session} AND revoked_at IS NOT NULL")),
        };
        world.rows(&format!("sessions WHERE {of}")).await == rows
    }

    /// Asks again, as somebody who has heard nothing, and holds the service to what
    /// it had told.
    async fn check(self, subject: &Subject, gateway: &Gateway, findings: &mut Findings) {
        let Subject { mina, tokens } = subject;
        if self == Self::Revoke {
            findings.lost += usize::from(gateway.revoke(&tokens.access_token).await.is_err());
            let judged = gateway.judge(&tokens.access_token).await;
            let refreshed = gateway.refresh(&tokens.refresh_token).await;
            let is_ended = judged == "REVOKED" && reason(&refreshed) == "SESSION_ENDED";
            findings.accepted += usize::from(!is_ended);
            return;
        }
        let signed_in = mina.at(gateway).try_password(PASSWORD).await;
        let judged = gateway.judge(&tokens.access_token).await;
        findings.lost += usize::from(signed_in.is_err() || judged != "VALID");
        let once = gateway.refresh(&tokens.refresh_token).await;
        let twice = gateway.refresh(&tokens.refresh_token).await;
        let (Ok(once), Ok(twice)) = (once, twice) else {
            findings.lost += 1;
            return;
        };
        findings.double_spent += usize::from(once.refresh_token != twice.refresh_token);
        findings.lost += usize::from(gateway.refresh(&once.refresh_token).await.is_err());
    }
}
