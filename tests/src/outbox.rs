//! The rows of the outbox, and triggers of the database that hold messages up
//! in it: at the moment between two steps, a server can be killed.

use std::collections::BTreeSet;

use crate::backend::Backend;
use crate::world::World;

/// A step in a message's life that the database can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A replica claims it.
    Claim,
    /// It was sent, and its row is deleted.
    Settle,
}

impl Step {
    /// The statement to which it comes down, and the rows that it is about.
    fn trigger(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Claim => ("no_claim", "UPDATE", "NEW.state = 'sending'"),
            Self::Settle => ("no_settling", "DELETE", "OLD.state = 'sending'"),
        }
    }
}

impl World {
    /// Refuses a step of all messages from now on.
    pub async fn refuse(&self, step: Step) {
        let (name, event, condition) = step.trigger();
        let trigger = match self.backend() {
            Backend::Sqlite => format!(
                "CREATE TRIGGER {name} BEFORE {event} ON outbox WHEN {condition} \
                 BEGIN SELECT RAISE(ABORT, 'refused'); END"
            ),
            Backend::Postgres => format!(
                "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'refused'; END $$; \
                 CREATE TRIGGER {name} BEFORE {event} ON outbox FOR EACH ROW \
                 WHEN ({condition}) EXECUTE FUNCTION {name}()"
            ),
            Backend::MariaDb => format!(
                "CREATE TRIGGER {name} BEFORE {event} ON outbox FOR EACH ROW \
                 IF {condition} THEN SIGNAL SQLSTATE '45000'; END IF"
            ),
        };
        self.execute(&trigger).await;
    }

    /// Refuses a step no longer.
    pub async fn allow(&self, step: Step) {
        let (name, ..) = step.trigger();
        let drop = match self.backend() {
            Backend::Sqlite | Backend::MariaDb => format!("DROP TRIGGER {name}"),
            Backend::Postgres => format!("DROP FUNCTION {name}() CASCADE"),
        };
        self.execute(&drop).await;
    }

    /// The ids of all messages in the outbox, in hexadecimal digits.
    pub async fn outbox_ids(&self) -> BTreeSet<String> {
        let query = format!("SELECT {} FROM outbox", self.backend().hex("id"));
        self.texts(&query).await.into_iter().collect()
    }
}
