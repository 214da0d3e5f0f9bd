//! The users in a table of an SQL database.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::application::SeldomLog;
use countersign_domain::model::{ExistingUser, Identifier, Region};
use countersign_domain::ports::{
    Clock, ExistingPage, ExistingUsers, ExistingUsersError, Holder, ReadUser,
};
use metrics::counter;
use sea_orm::sea_query::SelectStatement;
use tokio::sync::OnceCell;

use crate::breaker::Breaker;
use crate::connection::{Connections, Question};
use crate::driver::{Cell, Endpoint, Kind};
use crate::error::{mapping, unavailable};
use crate::limits::{LOOKUP_LIMIT, PAGE_LIMIT};
use crate::mapping::Mapping;
use crate::settings::{Field, LegacySettings, SettingsError, TableName};
use crate::statements::MOST_HOLDERS;

const LOOKUPS: &str = "countersign_legacy_lookups_total";

/// The users in a table of an SQL database.
pub struct SqlUsers {
    connections: Connections,
    place: String,
    kind: Kind,
    table: TableName,
    columns: Vec<(Field, String)>,
    region: Region,
    mapping: OnceCell<Mapping>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    unusable: SeldomLog,
}

impl SqlUsers {
    /// The users of the settings. Nothing is connected to before it is asked.
    ///
    /// # Errors
    /// What is wrong with the settings by themselves.
    pub fn new(settings: &LegacySettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let endpoint = Endpoint::of(settings)?;
        // They are there from now on, so that the first of each is a rise.
        for outcome in ["found", "nobody", "unusable", "unavailable", "not_asked"] {
            counter!(LOOKUPS, "outcome" => outcome).absolute(0);
        }
        Ok(Self {
            place: endpoint.place(),
            kind: endpoint.kind(),
            connections: Connections::new(endpoint),
            table: settings.table_name()?,
            columns: settings.columns.named()?,
            region: settings.region,
            mapping: OnceCell::new(),
            breaker: Breaker::default(),
            clock,
            unusable: SeldomLog::default(),
        })
    }

    /// Whether settings are good by themselves.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_settings(settings: &LegacySettings) -> Result<(), SettingsError> {
        Endpoint::of(settings)?;
        settings.table_name()?;
        settings.columns.named().map(drop)
    }

    /// The database, for people, without a password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether the database answers, and the table is as the settings say.
    ///
    /// # Errors
    /// If it does not, or it is not.
    pub async fn check(&self) -> Result<(), ExistingUsersError> {
        self.mapping().await.map(drop)
    }

    async fn mapping(&self) -> Result<&Mapping, ExistingUsersError> {
        let look = || {
            let (table, columns) = (self.table.clone(), self.columns.clone());
            Mapping::look(&self.connections, self.kind, table, columns)
        };
        self.mapping.get_or_try_init(look).await
    }

    async fn rows(
        &self,
        limit: Duration,
        statement: &SelectStatement,
    ) -> Result<Vec<Vec<Cell>>, ExistingUsersError> {
        self.connections.ask(limit, Question::Rows(statement)).await
    }

    async fn ask_for_holder(&self, identifier: &Identifier) -> Result<Holder, ExistingUsersError> {
        let mapping = self.mapping().await?;
        let Some(statement) = mapping.holders(identifier, self.region) else {
            return Ok(Holder::Nobody);
        };
        let rows = self.rows(LOOKUP_LIMIT, &statement).await?;
        if u64::try_from(rows.len()).is_ok_and(|rows| rows >= MOST_HOLDERS) {
            self.tell_of_unusable(&[], "too many rows may hold it");
            return Ok(Holder::Unusable);
        }
        // The comparison of the database is looser than that of identifiers.
        let read = rows.iter().map(|row| mapping.read(row, self.region));
        let mut holders: Vec<ReadUser> = read
            .filter(|row| {
                let holds = |user: &_| holds(user, identifier);
                row.as_ref().map_or(true, holds)
            })
            .collect();
        Ok(match (holders.pop(), holders.is_empty()) {
            (None, _) => Holder::Nobody,
            (Some(Ok(user)), true) => Holder::User(Box::new(user)),
            (Some(Err(unreadable)), true) => {
                self.tell_of_unusable(&[Err(unreadable.clone())], &unreadable.reason);
                Holder::Unusable
            }
            (Some(last), false) => {
                holders.push(last);
                self.tell_of_unusable(&holders, "several rows have the same identifier");
                Holder::Unusable
            }
        })
    }

    /// Names rows that cannot be adopted, which whoever asks for them can repeat.
    fn tell_of_unusable(&self, rows: &[ReadUser], reason: &str) {
        if let Some(left_out) = self.unusable.may_write(self.clock.monotonic()) {
            let ids: Vec<_> = rows.iter().filter_map(external_id).collect();
            tracing::warn!(
                rows = ids.join(", "),
                reason,
                left_out,
                "rows of the existing database cannot be adopted; see: countersign legacy check"
            );
        }
    }

    fn count(&self, answer: &Result<Holder, ExistingUsersError>) {
        let outcome = match answer {
            Ok(Holder::User(_)) => "found",
            Ok(Holder::Nobody) => "nobody",
            Ok(Holder::Unusable) => "unusable",
            Err(_) => "unavailable",
        };
        counter!(LOOKUPS, "outcome" => outcome).increment(1);
        match answer {
            Ok(_) => {
                if self.breaker.succeeded() {
                    tracing::info!("{} answers again", self.place);
                }
            }
            Err(reason) => {
                if self.breaker.failed(self.clock.monotonic()) {
                    tracing::error!(
                        %reason,
                        "{} does not answer: who is not known here cannot sign in",
                        self.place
                    );
                }
            }
        }
    }
}

#[async_trait]
impl ExistingUsers for SqlUsers {
    async fn holder(&self, identifier: &Identifier) -> Result<Holder, ExistingUsersError> {
        if !self.breaker.admits(self.clock.monotonic()) {
            counter!(LOOKUPS, "outcome" => "not_asked").increment(1);
            return Err(unavailable("it did not answer a moment ago"));
        }
        let answer = self.ask_for_holder(identifier).await;
        self.count(&answer);
        answer
    }

    async fn by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<ReadUser>, ExistingUsersError> {
        let mapping = self.mapping().await?;
        let Some(statement) = mapping.by_id(external_id) else {
            return Ok(None);
        };
        let rows = self.rows(LOOKUP_LIMIT, &statement).await?;
        let row = rows.first().map(|row| mapping.read(row, self.region));
        Ok(row.filter(|row| self::external_id(row) == Some(external_id)))
    }

    async fn page(
        &self,
        after: Option<&str>,
        size: u32,
    ) -> Result<ExistingPage, ExistingUsersError> {
        let table = self.mapping().await?;
        let statement = table.page(after, size);
        let statement = statement.ok_or_else(|| mapping("it is no id of the table"))?;
        let rows = self.rows(PAGE_LIMIT, &statement).await?;
        let rows: Vec<_> = rows
            .iter()
            .map(|row| table.read(row, self.region))
            .collect();
        let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows == size);
        let next = rows.last().filter(|_| is_full).and_then(external_id);
        Ok(ExistingPage {
            next: next.map(str::to_owned),
            rows,
        })
    }
}

fn holds(user: &ExistingUser, identifier: &Identifier) -> bool {
    user.identifiers.contains(identifier)
}

fn external_id(row: &ReadUser) -> Option<&str> {
    match row {
        Ok(user) => Some(&user.external_id),
        Err(unreadable) => unreadable.external_id.as_deref(),
    }
}
