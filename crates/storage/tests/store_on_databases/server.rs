//! Databases of the tests' own on a server, and what every server must bear.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_domain::testing::store_laws::{StoreSubject, Tenancy};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use tokio::sync::{Mutex, OnceCell};

use crate::rows::{connect, open, run_sql};
use crate::{schema, support};

const PREFIX: &str = "countersign_test_";
/// How many migrations are interrupted.
const INTERRUPTIONS: u64 = 16;

/// A kind of server.
pub(crate) struct Server {
    pub name: &'static str,
    pub backend: DbBackend,
    /// The variable that tells its URL, and the URL without it.
    pub variable: &'static str,
    pub default: &'static str,
    /// What follows `CREATE DATABASE name`.
    pub creation: &'static str,
    /// Asks for the names of all databases.
    pub databases: &'static str,
    /// Ends all connections to the database `{}` but this one.
    pub end_connections: &'static str,
    /// Deletes all tables of the database `{}`.
    pub emptying: &'static [&'static str],
    /// Whether batches have connections of their own.
    pub pins_connections: bool,
    /// Whether the server can be used; found out once.
    pub is_there: OnceCell<bool>,
    /// The database of all laws that can share one.
    pub laws: OnceCell<String>,
    /// The database of those that cannot, who take turns.
    pub own: OnceCell<(String, Arc<Mutex<()>>)>,
}

impl Server {
    /// A store for a law.
    pub(crate) async fn law(&self, tenancy: Tenancy) -> Option<StoreSubject> {
        if !self.is_there().await {
            return None;
        }
        match tenancy {
            Tenancy::Shared => {
                let url = self.laws.get_or_init(|| self.migrated()).await;
                let store = connect(url, 8).await;
                Some(StoreSubject::new(Arc::new(store), ()))
            }
            Tenancy::Own => {
                let make = async || (self.migrated().await, Arc::default());
                let (url, turn) = self.own.get_or_init(make).await;
                let turn = Arc::clone(turn).lock_owned().await;
                for table in ["signing_keys", "outbox", "revocations", "users"] {
                    run_sql(url, &format!("DELETE FROM {table}")).await;
                }
                let store = connect(url, 8).await;
                Some(StoreSubject::new(Arc::new(store), turn))
            }
        }
    }

    /// The URL of a new database with tables.
    async fn migrated(&self) -> String {
        let url = self.create("laws").await;
        open(&url, 1).await.close().await;
        url
    }

    /// The URL of a new, empty database. `None` if there is no server and the
    /// tests may do without.
    pub(crate) async fn new_database(&self, label: &str) -> Option<String> {
        if self.is_there().await {
            Some(self.create(label).await)
        } else {
            None
        }
    }

    /// Runs SQL on the server, in a database that is nobody's.
    pub(crate) async fn run_sql(&self, sql: &str) {
        run_sql(&self.url(), sql).await;
    }

    fn url(&self) -> String {
        support::service_url(self.variable, self.default)
    }

    async fn is_there(&self) -> bool {
        let find_out = async || match sea_orm::Database::connect(self.url()).await {
            Ok(admin) => {
                self.drop_leftovers(&admin).await;
                admin.close().await.expect("closed");
                true
            }
            Err(error) => {
                let (name, url) = (self.name, self.url());
                assert!(!support::services_required(), "{name}: {error}");
                support::skip(&format!("{name} is not reachable at {url}: {error}"));
                false
            }
        };
        *self.is_there.get_or_init(find_out).await
    }

    async fn create(&self, label: &str) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{label}_{number}", std::process::id());
        let create = format!("CREATE DATABASE {name} {}", self.creation);
        self.run_sql(&create).await;
        let url = self.url();
        let (server, _) = url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{name}")
    }

    /// Drops what earlier runs left behind, as far as their processes are gone.
    async fn drop_leftovers(&self, admin: &DatabaseConnection) {
        let list = Statement::from_string(self.backend, self.databases);
        for row in admin.query_all_raw(list).await.expect("a list") {
            let name: String = row.try_get_by_index(0).expect("a name");
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let process = rest.split('_').next().unwrap_or_default();
            let can_tell = Path::new("/proc/self").exists();
            if can_tell && !Path::new("/proc").join(process).exists() {
                // Another test may be faster.
                admin
                    .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}"))
                    .await
                    .ok();
            }
        }
    }

    /// Has the server end all connections to a database.
    pub(crate) async fn end_connections(&self, url: &str) {
        let (_, name) = url.rsplit_once('/').expect("a URL with a database");
        let admin = sea_orm::Database::connect(self.url())
            .await
            .expect("the server");
        let end = self.end_connections.replace("{}", name);
        let end = Statement::from_string(self.backend, end);
        for row in admin.query_all_raw(end).await.expect("ended") {
            // MySQL only tells whom to end.
            if let Ok(id) = row.try_get_by_index::<i64>(0) {
                let kill = format!("KILL {id}");
                admin.execute_unprepared(&kill).await.expect("killed");
            }
        }
        admin.close().await.expect("closed");
    }

    /// Starts are interrupted at many moments, each in an empty database.
    pub(crate) async fn interrupted_migrations(&self) {
        if !self.is_there().await {
            return;
        }
        let url = self.create("interrupted").await;
        let (_, name) = url.rsplit_once('/').expect("a URL with a database");
        let mut interrupted = 0;
        for moment in 0..INTERRUPTIONS {
            for sql in self.emptying {
                run_sql(&url, &sql.replace("{}", name)).await;
            }
            let after = Duration::from_millis(2 + 4 * moment);
            interrupted += u64::from(schema::an_interrupted_migration(&url, after).await);
        }
        assert!(interrupted > 0, "none was interrupted");
    }
}

/// The tests that every server has to pass.
macro_rules! server_tests {
    ($server:ident) => {
        async fn set_up(
            tenancy: countersign_domain::testing::store_laws::Tenancy,
        ) -> Option<countersign_domain::testing::store_laws::StoreSubject> {
            $server.law(tenancy).await
        }

        countersign_domain::store_laws!(set_up);

        $crate::server::server_tests! { $server =>
            pending_migrations_are_told: schema::pending_before_and_after,
            several_servers_may_migrate_at_once: schema::migrations_at_once,
            newer_tables_may_be_compatible: schema::newer_tables,
            a_migration_may_be_made_twice: schema::a_migration_made_twice,
            sessions_of_the_release_before_are_read: schema::sessions_of_the_release_before,
            users_of_the_release_before_are_read: schema::users_of_the_release_before,
            a_dead_network_is_noticed_and_its_end_too: outages::a_dead_network,
            swallowed_connections_are_replaced_in_seconds: outages::connections_swallowed,
            callers_who_give_up_leave_no_connection_behind: outages::callers_who_give_up,
            an_unanswered_message_may_be_queued: outages::unanswered_messages,
            an_abandoned_begin_catches_no_later_write: outages::an_abandoned_begin,
            a_session_that_is_locked_does_not_hold_up_the_others: batches::a_locked_session,
            a_lock_is_not_waited_for_for_ever: batches::a_lock_that_is_held_for_long,
            one_connection_is_enough: batches::one_connection,
            a_refused_rotation_fails_alone: batches::a_refused_rotation,
            damaged_signing_keys_are_left_out: damage::damaged_signing_keys,
            damaged_callers_are_left_out: damage::damaged_callers,
            damaged_sessions_fail_alone: damage::damaged_sessions,
            damaged_sessions_are_in_no_list: damaged_accounts::damaged_sessions_in_lists,
            times_that_cannot_be_told_damage_their_row: damaged_accounts::times_that_cannot_be_told,
            damaged_failures_lock_until_a_reset: damaged_accounts::damaged_failures,
            damaged_numbers_keep_no_device_out: damaged_accounts::damaged_numbers_of_devices,
            damaged_messages_are_in_nobodys_way: damage::damaged_messages,
            damaged_audit_events_are_left_out: audit_log::damaged_events,
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn when_the_server_ends_all_connections_one_call_fails_at_most() {
            if let Some(url) = $server.new_database("recovery").await {
                $crate::outages::recovery(&$server, &url).await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn batches_survive_lost_connections() {
            if let Some(url) = $server.new_database("batches").await {
                $crate::outages::batches_after_lost_connections(&$server, &url)
                    .await;
            }
        }

        #[tokio::test]
        async fn an_interrupted_migration_is_repeated() {
            $server.interrupted_migrations().await;
        }

        #[tokio::test]
        async fn a_backup_is_left_to_the_servers_tools() {
            if let Some(url) = $server.new_database("backup").await {
                let store = $crate::rows::connect(&url, 1).await;
                let refused = store.backup(std::path::Path::new("/nowhere/backup")).await;
                let text = refused.expect_err("a refusal").to_string();
                assert!(text.contains("dump"), "{text}");
            }
        }

        #[tokio::test]
        #[ignore = "it writes a million rows: a minute"]
        async fn a_million_users_are_listed() {
            if let Some(url) = $server.new_database("million").await {
                $crate::many_users::listed(&url).await;
            }
        }

        #[tokio::test]
        #[ignore = "it writes a million rows: a minute"]
        async fn a_million_audit_events_are_listed() {
            if let Some(url) = $server.new_database("million_events").await {
                $crate::audit_log::a_million_events(&url).await;
            }
        }

        #[tokio::test]
        async fn the_time_is_that_of_today() {
            if let Some(url) = $server.new_database("time").await {
                $crate::rows::assert_time_is_that_of_today(&url).await;
            }
        }
    };
    ($server:ident => $($name:ident: $room:ident::$test:ident,)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                if let Some(url) = $server.new_database(stringify!($test)).await {
                    $crate::$room::$test(&url).await;
                }
            }
        )+
    };
}

pub(crate) use server_tests;
