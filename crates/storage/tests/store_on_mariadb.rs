//! The store on MariaDB keeps the laws, and survives what a server does.

mod database_support;
mod support;

use countersign_domain::testing::store_laws::StoreSubject;
use database_support::Server;
use sea_orm::DbBackend;
use tokio::sync::OnceCell;

static SERVER: Server = Server {
    name: "MariaDB",
    backend: DbBackend::MySql,
    variable: "COUNTERSIGN_TEST_MARIADB",
    default: "mysql://root@127.0.0.1:3306/test",
    // As hostile a default as there is: the tables must name their own.
    creation: "CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    databases: "SELECT schema_name FROM information_schema.schemata",
    end_connections: "SELECT id FROM information_schema.processlist WHERE db = '{}'",
    laws: OnceCell::const_new(),
};

async fn set_up() -> Option<StoreSubject> {
    SERVER.law().await
}

countersign_domain::store_laws!(set_up);

#[tokio::test]
async fn pending_migrations_are_told() {
    if let Some(url) = SERVER.new_database("pending").await {
        database_support::pending_before_and_after(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_may_migrate_at_once() {
    if let Some(url) = SERVER.new_database("migrations").await {
        database_support::migrations_at_once(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_server_ends_all_connections_one_call_fails_at_most() {
    if let Some(url) = SERVER.new_database("recovery").await {
        database_support::recovery(&SERVER, &url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_network_is_noticed_and_its_end_too() {
    if let Some(url) = SERVER.new_database("dead").await {
        database_support::a_dead_network(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_give_up_leave_no_connection_behind() {
    if let Some(url) = SERVER.new_database("given_up").await {
        database_support::callers_who_give_up(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_begin_catches_no_later_write() {
    if let Some(url) = SERVER.new_database("abandoned").await {
        database_support::an_abandoned_begin(&url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_locked_does_not_hold_up_the_others() {
    if let Some(url) = SERVER.new_database("locked").await {
        database_support::a_locked_session(&url).await;
    }
}
