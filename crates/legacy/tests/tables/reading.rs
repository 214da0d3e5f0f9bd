//! What is read of tables, by a database user who may only read.

use countersign_domain::model::{
    Email, ExistingState, ExistingUser, Identifier, Phone, Region, Timestamp, Username,
};
use countersign_domain::ports::{ExistingUsers as _, ExistingUsersError, Holder};
use countersign_legacy::{Columns, SqlUsers};

use crate::database::{Backend, Database};

pub(crate) const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo";

pub(crate) fn email(text: &str) -> Identifier {
    Identifier::Email(Email::parse(text).expect("an address"))
}

fn phone(text: &str) -> Identifier {
    Identifier::Phone(Phone::parse(text, Region::KOREA).expect("a number"))
}

fn username(text: &str) -> Identifier {
    Identifier::Username(Username::parse(text).expect("a name"))
}

fn some(name: &str) -> Option<String> {
    Some(name.into())
}

pub(crate) fn django() -> Columns {
    Columns {
        id: "id".into(),
        email: some("email"),
        username: some("username"),
        password: some("password"),
        name: some("first_name"),
        active: some("is_active"),
        ..Columns::default()
    }
}

fn sqlalchemy() -> Columns {
    Columns {
        id: "id".into(),
        email: some("email"),
        phone: some("phone"),
        name: some("nickname"),
        password: some("hashed_password"),
        banned: some("is_banned"),
        withdrawn_at: some("withdrawn_at"),
        ..Columns::default()
    }
}

/// The table of `django.contrib.auth`, with `rows` of it.
pub(crate) async fn make_django(database: &Database, rows: &[&str]) {
    let (id, truth) = match database.backend {
        Backend::Postgres => ("serial PRIMARY KEY", "boolean"),
        Backend::MariaDb => ("integer AUTO_INCREMENT PRIMARY KEY", "bool"),
        Backend::Sqlite => ("integer PRIMARY KEY AUTOINCREMENT", "bool"),
    };
    let create = format!(
        "CREATE TABLE auth_user (id {id}, password varchar(128) NOT NULL, \
         username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL, \
         email varchar(254) NOT NULL, is_active {truth} NOT NULL)"
    );
    database.run(&create).await;
    for row in rows {
        let insert = format!(
            "INSERT INTO auth_user (username, email, password, first_name, is_active) VALUES {row}"
        );
        database.run(&insert.replace("HASH", HASH)).await;
    }
}

async fn found(users: &SqlUsers, identifier: &Identifier) -> ExistingUser {
    match users.holder(identifier).await {
        Ok(Holder::User(user)) => *user,
        other => panic!("{identifier:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_table_of_django_is_read() {
    for backend in Backend::ALL {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        make_django(
            &database,
            &[
                "('mina', 'Mina@Example.COM', 'HASH', 'Mina', true)",
                "('jun', 'jun@example.com', '!unusable', '', true)",
                "('gone', 'gone@example.com', 'HASH', 'Gone', false)",
                "('han@example.com', 'han@example.com', 'HASH', 'Han', true)",
            ],
        )
        .await;
        let before = database
            .text("SELECT CAST(COUNT(*) AS CHAR(9)) FROM auth_user")
            .await;
        let users = database.users("auth_user", django());
        let mina = found(&users, &email("mina@example.com")).await;
        assert_eq!(mina.external_id, "1", "{backend:?}");
        assert_eq!(
            mina.identifiers,
            [email("mina@example.com"), username("mina")]
        );
        assert_eq!(mina.name.as_deref(), Some("Mina"));
        assert_eq!(
            mina.password
                .as_ref()
                .map(countersign_domain::model::PasswordHash::expose),
            Some(HASH)
        );
        assert_eq!(mina.state, ExistingState::Active);
        assert_eq!(found(&users, &username("MINA")).await, mina);
        let jun = found(&users, &email("jun@example.com")).await;
        assert_eq!((jun.password, jun.name), (None, None));
        let gone = found(&users, &email("gone@example.com")).await;
        assert_eq!(gone.state, ExistingState::Withdrawn { since: None });
        // What is no user name here is left out, and the address is kept.
        let han = found(&users, &email("han@example.com")).await;
        assert_eq!(han.identifiers, [email("han@example.com")]);
        assert_eq!(han.left_out.len(), 1);
        let nobody = users.holder(&email("nobody@example.com")).await;
        assert_eq!(nobody, Ok(Holder::Nobody));
        let no_column = users.holder(&phone("010-1234-5678")).await;
        assert_eq!(no_column, Ok(Holder::Nobody));
        let by_id = users.by_external_id("1").await.expect("an answer");
        assert_eq!(by_id, Some(Ok(mina)));
        for id in ["99", "1; DROP TABLE auth_user", "01", "x", ""] {
            assert_eq!(users.by_external_id(id).await, Ok(None), "{id}");
        }
        let after = database
            .text("SELECT CAST(COUNT(*) AS CHAR(9)) FROM auth_user")
            .await;
        assert_eq!(before, after);
        database.drop_it().await;
    }
}

#[tokio::test]
async fn a_table_of_sqlalchemy_is_read_with_uuids_times_and_phone_numbers() {
    for backend in Backend::ALL {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        let (table, columns) = match backend {
            Backend::Postgres => (
                "shop.users",
                "id uuid PRIMARY KEY, is_banned boolean, withdrawn_at timestamptz",
            ),
            Backend::MariaDb => (
                "users",
                "id char(36) PRIMARY KEY, is_banned tinyint(1), withdrawn_at datetime(6)",
            ),
            Backend::Sqlite => (
                "users",
                "id char(36) PRIMARY KEY, is_banned integer, withdrawn_at datetime",
            ),
        };
        database
            .run(&format!(
                "CREATE TABLE {table} ({columns}, email varchar(255), phone varchar(32), \
                 nickname varchar(50), hashed_password text)"
            ))
            .await;
        let truth = |banned: bool| match (backend, banned) {
            (Backend::Postgres, banned) => banned.to_string(),
            (_, banned) => u8::from(banned).to_string(),
        };
        let (yes, no) = (truth(true), truth(false));
        let ids: Vec<_> = (1..=6)
            .map(|n| format!("0190b5a2-0000-7000-8000-00000000000{n}"))
            .collect();
        for (id, rest) in ids.iter().zip([
            format!("{no}, NULL, 'mina@example.com', '010-1234-5678', '미나', 'HASH'"),
            format!("{yes}, NULL, NULL, '01022223333', NULL, 'HASH'"),
            format!("{no}, '2026-11-25 12:00:00', 'gone@example.com', '+821033334444', '', 'HASH'"),
            "NULL, NULL, '', '82 10-4444-5555', '', 'HASH'".to_string(),
            format!("{no}, NULL, 'nobody at all', NULL, '', 'HASH'"),
            format!(
                "{no}, NULL, 'long@example.com', NULL, '', '{}'",
                "x".repeat(3_000)
            ),
        ]) {
            let sql = format!(
                "INSERT INTO {table} (id, is_banned, withdrawn_at, email, phone, nickname, \
                 hashed_password) VALUES ('{id}', {rest})"
            );
            database.run(&sql.replace("HASH", HASH)).await;
        }
        let users = database.users(table, sqlalchemy());
        let mina = found(&users, &phone("+82 10 1234 5678")).await;
        assert_eq!(mina.external_id, ids[0], "{backend:?}");
        assert_eq!(mina.name.as_deref(), Some("미나"));
        assert_eq!(found(&users, &email("MINA@example.com")).await, mina);
        let banned = found(&users, &phone("010 2222 3333")).await;
        assert_eq!(banned.state, ExistingState::Suspended);
        let gone = found(&users, &phone("01033334444")).await;
        let since = Some(Timestamp::from_seconds(1_795_608_000));
        assert_eq!(gone.state, ExistingState::Withdrawn { since });
        let by_id = users.by_external_id(&ids[2]).await.expect("an answer");
        assert_eq!(by_id, Some(Ok(gone)));
        // Pages have every row once, in the order of ids, whatever is wrong with some.
        let mut after = None;
        let (mut read, mut unreadable) = (Vec::new(), Vec::new());
        loop {
            let page = users.page(after.as_deref(), 2).await.expect("a page");
            assert!(page.rows.len() <= 2);
            for row in page.rows {
                match row {
                    Ok(user) => read.push(user.external_id),
                    Err(row) => unreadable.push((row.external_id, row.reason)),
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(read, ids[..4].to_vec(), "{backend:?}");
        let damaged: Vec<_> = unreadable.iter().filter_map(|(id, _)| id.clone()).collect();
        assert_eq!(damaged, ids[4..].to_vec());
        // One that is read, and whose way of writing no lookup thinks of, is named.
        let odd = users.by_external_id(&ids[3]).await.expect("an answer");
        let left_out = odd.expect("a row").expect("a user").left_out;
        assert!(
            left_out[0].reason.contains("no sign-in finds"),
            "{left_out:?}"
        );
        for (_, reason) in &unreadable {
            assert!(reason.contains("must be"), "{reason}");
            assert!(
                !reason.contains("nobody at all") && !reason.contains("xxx"),
                "{reason}"
            );
        }
        // One that cannot be read is held all the same.
        let held = users.holder(&email("long@example.com")).await;
        assert_eq!(held, Ok(Holder::Unusable));
        println!(
            "{backend:?}: {} of 6 rows read, {} refused",
            read.len(),
            damaged.len()
        );
        database.drop_it().await;
    }
}

#[tokio::test]
async fn what_two_rows_have_is_found_in_neither() {
    for backend in Backend::ALL {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        make_django(
            &database,
            &[
                "('first', 'Same@example.com', 'HASH', '', true)",
                "('second', 'same@EXAMPLE.com', 'HASH', '', false)",
                "('third', 'other@example.com', 'HASH', '', true)",
            ],
        )
        .await;
        let users = database.users("auth_user", django());
        let same = users.holder(&email("same@example.com")).await;
        assert_eq!(same, Ok(Holder::Unusable), "{backend:?}");
        assert_eq!(found(&users, &username("first")).await.external_id, "1");
        assert_eq!(
            found(&users, &email("other@example.com")).await.external_id,
            "3"
        );
        database.drop_it().await;
    }
}

#[tokio::test]
async fn names_are_quoted_and_never_run() {
    for backend in Backend::ALL {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        let quote = match backend {
            Backend::MariaDb => "`",
            _ => "\"",
        };
        let table = format!("we{quote}{quote}ird; DROP TABLE \\");
        database
            .run(&format!(
                "CREATE TABLE {quote}{table}{quote} ({quote}or der{quote} integer PRIMARY KEY, \
                 {quote}select{quote} varchar(99))"
            ))
            .await;
        let insert = format!("INSERT INTO {quote}{table}{quote} VALUES (7, 'mina@example.com')");
        database.run(&insert).await;
        let columns = Columns {
            id: "or der".into(),
            email: some("select"),
            ..Columns::default()
        };
        let users = database.users(&format!("we{quote}ird; DROP TABLE \\"), columns);
        let mina = found(&users, &email("mina@example.com")).await;
        assert_eq!(
            (mina.external_id.as_str(), mina.password),
            ("7", None),
            "{backend:?}"
        );
        database.drop_it().await;
    }
}

#[tokio::test]
async fn what_does_not_fit_the_table_is_named() {
    for backend in Backend::ALL {
        let Some(database) = Database::new(backend).await else {
            continue;
        };
        make_django(&database, &[]).await;
        for (table, columns, said) in [
            ("nowhere", django(), "nowhere"),
            (
                "auth_user",
                Columns {
                    phone: some("phone_number"),
                    ..django()
                },
                "phone_number",
            ),
            (
                "auth_user",
                Columns {
                    email: some("is_active"),
                    ..django()
                },
                "is_active",
            ),
        ] {
            let users = database.users(table, columns);
            match users.holder(&email("mina@example.com")).await {
                Err(ExistingUsersError::Mapping(reason)) => {
                    assert!(reason.contains(said), "{backend:?}: {reason}");
                }
                other => panic!("{backend:?}, {said}: {other:?}"),
            }
        }
        database.drop_it().await;
    }
}
