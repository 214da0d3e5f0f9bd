//! The store on PostgreSQL.

use sea_orm::DbBackend;
use tokio::sync::OnceCell;

use crate::server::{Server, server_tests};
use crate::{batches, damage, damaged_accounts, outages};

static SERVER: Server = Server {
    name: "PostgreSQL",
    backend: DbBackend::Postgres,
    variable: "COUNTERSIGN_TEST_POSTGRES",
    default: "postgres://root@127.0.0.1:5432/test",
    creation: "",
    databases: "SELECT datname::text FROM pg_database",
    end_connections: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = '{}' AND pid <> pg_backend_pid()",
    emptying: &["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"],
    pins_connections: true,
    is_there: OnceCell::const_new(),
    laws: OnceCell::const_new(),
    own: OnceCell::const_new(),
};

server_tests!(SERVER);

/// A server cannot be demoted under its sessions, but new sessions can be made
/// read-only, and then writable again: the old ones stay as they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_moved_is_found() {
    if let Some(url) = SERVER.new_database("moved").await {
        let (_, name) = url.rsplit_once('/').expect("a URL with a database");
        let setting = "default_transaction_read_only";
        let refuse = format!("ALTER DATABASE {name} SET {setting} = on");
        let accept = format!("ALTER DATABASE {name} RESET {setting}");
        outages::a_primary_that_moved(&SERVER, &url, &refuse, &accept).await;
    }
}

#[tokio::test]
async fn batches_do_not_wait_for_a_busy_pool() {
    if let Some(url) = SERVER.new_database("busy").await {
        batches::a_busy_pool(&url).await;
    }
}

#[tokio::test]
async fn damaged_revocations_are_left_out() {
    if let Some(url) = SERVER.new_database("revocations").await {
        let insertion = "INSERT INTO revocations VALUES ('\\x0102'::bytea, 5, 9999999999999)";
        damage::damaged_revocations(&url, insertion).await;
    }
}

/// MariaDB's column has a fixed length: there such an id cannot be.
#[tokio::test]
async fn damaged_ids_keep_nobody_from_being_erased() {
    if let Some(url) = SERVER.new_database("ids").await {
        damaged_accounts::damaged_ids_of_due_users(&url).await;
    }
}
