//! The store on MariaDB.

use sea_orm::DbBackend;
use tokio::sync::OnceCell;

use crate::server::{Server, server_tests};

static SERVER: Server = Server {
    name: "MariaDB",
    backend: DbBackend::MySql,
    variable: "COUNTERSIGN_TEST_MARIADB",
    default: "mysql://root@127.0.0.1:3306/test",
    // As hostile a default as there is: the tables must name their own.
    creation: "CHARACTER SET latin1 COLLATE latin1_swedish_ci",
    databases: "SELECT schema_name FROM information_schema.schemata",
    end_connections: "SELECT id FROM information_schema.processlist WHERE db = '{}'",
    emptying: &["DROP DATABASE {}; CREATE DATABASE {}"],
    pins_connections: false,
    is_there: OnceCell::const_new(),
    laws: OnceCell::const_new(),
    own: OnceCell::const_new(),
};

server_tests!(SERVER);
