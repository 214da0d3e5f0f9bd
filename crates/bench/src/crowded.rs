//! Databases with many rows of people who are not there: sessions after the
//! model of one that the server wrote, ten of each user, with ids as if they
//! had come in over thirty days of September 2026.

use crate::database::Connection;
use crate::failure::Failure;

const SESSIONS_OF_A_USER: u32 = 10;
const MILLIS_A_DAY: u64 = 86_400_000;
/// In days.
const MONTH: u32 = 30;

/// How a database says what others say differently.
struct Words {
    /// The numbers from 1 to `{count}`, as a table of a column `n`.
    numbers: &'static str,
    /// 16 bytes of a number, in the order of the numbers: the milliseconds of
    /// `{number}` of `{count}` in `{span}`, and a digest of it.
    id: &'static str,
    /// The table of a digest.
    bytes: &'static str,
    /// What makes the statistics.
    analyse: &'static str,
    /// The day three days ago, counted from 1970-01-01.
    ended: &'static str,
    /// What removes dead rows, so that no round pays for the one before.
    tidy: &'static str,
}

const POSTGRES: Words = Words {
    numbers: "generate_series(1, {count}) AS numbers (n)",
    id: "decode(lpad(to_hex(1788220800000 + ({number})::bigint * {span} / {count}), \
         12, '0') || substr(md5('{kind}' || ({number})), 1, 20), 'hex')",
    bytes: "decode(md5('{kind}' || ({number})), 'hex')",
    analyse: "VACUUM ANALYZE users, identifiers, credentials, sessions",
    ended: "floor(extract(epoch FROM now()) / 86400)::bigint - 3",
    tidy: "VACUUM sessions",
};

const MARIADB: Words = Words {
    numbers: "(SELECT seq AS n FROM seq_1_to_{count}) AS numbers",
    id: "UNHEX(CONCAT(LPAD(HEX(1788220800000 + ({number}) * {span} DIV {count}), \
         12, '0'), \
         SUBSTR(MD5(CONCAT('{kind}', {number})), 1, 20)))",
    bytes: "UNHEX(MD5(CONCAT('{kind}', {number})))",
    analyse: "ANALYZE TABLE users, identifiers, credentials, sessions",
    ended: "UNIX_TIMESTAMP() DIV 86400 - 3",
    tidy: "DO 0",
};

impl Words {
    fn of(connection: &Connection) -> &'static Self {
        match connection {
            Connection::Postgres(_) => &POSTGRES,
            Connection::MariaDb(_) => &MARIADB,
        }
    }

    fn numbers(&self, count: u32) -> String {
        self.numbers.replace("{count}", &count.to_string())
    }

    /// The id of the `number`th of `count` that come in over so many days.
    fn id(&self, kind: &str, number: &str, count: u32, days: u32) -> String {
        let span = u64::from(days) * MILLIS_A_DAY;
        expanded(self.id, kind, number)
            .replace("{span}", &span.to_string())
            .replace("{count}", &count.to_string())
    }

    fn bytes(&self, kind: &str, number: &str) -> String {
        expanded(self.bytes, kind, number)
    }
}

/// Adds users with their identifiers, credentials and this many sessions.
pub(crate) async fn fill(url: &str, sessions: u32) -> Result<(), Failure> {
    let users = sessions.div_ceil(SESSIONS_OF_A_USER);
    fill_users(url, users).await?;
    let mut connection = Connection::open(url).await?;
    let words = Words::of(&connection);
    let owner = words.id("user", &format!("(n - 1) % {users} + 1"), users, MONTH);
    let sessions = Sessions {
        kind: "session",
        owner: &owner,
        count: sessions,
        days: MONTH,
        expiry_day: "model.expiry_day",
    };
    connection.execute(&sessions.insert(words)).await?;
    connection.execute(words.analyse).await
}

/// Adds this many users with their identifiers and credentials.
pub(crate) async fn fill_users(url: &str, users: u32) -> Result<(), Failure> {
    let mut connection = Connection::open(url).await?;
    let words = Words::of(&connection);
    let numbers = words.numbers(users);
    let user = words.id("user", "n", users, MONTH);
    let statements = [
        format!(
            "INSERT INTO users (id, group_id, state, credential_version, created_at) \
             SELECT {user}, model.group_id, model.state, model.credential_version, \
                 model.created_at \
             FROM {numbers} CROSS JOIN (SELECT * FROM users LIMIT 1) AS model"
        ),
        format!(
            "INSERT INTO identifiers (group_id, kind, value, user_id) \
             SELECT model.group_id, model.kind, concat('crowd-', n, '@example.com'), {user} \
             FROM {numbers} CROSS JOIN (SELECT * FROM identifiers LIMIT 1) AS model"
        ),
        format!(
            "INSERT INTO credentials (user_id, hash, failures, updated_at) \
             SELECT {user}, model.hash, 0, model.updated_at \
             FROM {numbers} CROSS JOIN (SELECT * FROM credentials LIMIT 1) AS model"
        ),
    ];
    for statement in &statements {
        connection.execute(statement).await?;
    }
    connection.execute(words.analyse).await
}

/// Adds this many sessions that ended three days ago, of one user: the server's
/// own cleaning leaves them alone for a week. They were opened within a day, as
/// those are that nobody refreshed.
pub(crate) async fn end_sessions(url: &str, count: u32) -> Result<(), Failure> {
    let mut connection = Connection::open(url).await?;
    let words = Words::of(&connection);
    let ended = Sessions {
        kind: "ended",
        owner: "model.user_id",
        count,
        days: 1,
        expiry_day: words.ended,
    };
    connection.execute(words.tidy).await?;
    connection.execute(&ended.insert(words)).await
}

/// Sessions to be added.
struct Sessions<'a> {
    /// It tells their ids from others.
    kind: &'a str,
    /// The id of a session's user.
    owner: &'a str,
    count: u32,
    /// Within how many days they were opened.
    days: u32,
    expiry_day: &'a str,
}

impl Sessions<'_> {
    fn insert(&self, words: &Words) -> String {
        let Self {
            owner, expiry_day, ..
        } = self;
        let id = words.id(self.kind, "n", self.count, self.days);
        let (salt, numbers) = (words.bytes("salt", "n"), words.numbers(self.count));
        format!(
            "INSERT INTO sessions (id, user_id, group_id, client_id, audience, scopes, methods, \
                 ip_address, user_agent, salt, generation, parent, minted_at, access_expires_at, \
                 created_at, expires_at, ends_at, revoked_at, expiry_day) \
             SELECT {id}, {owner}, model.group_id, model.client_id, model.audience, model.scopes, \
                 model.methods, model.ip_address, model.user_agent, {salt}, 1, 0, model.minted_at, \
                 model.access_expires_at, model.created_at, model.expires_at, model.ends_at, \
                 NULL, {expiry_day} \
             FROM {numbers} CROSS JOIN (SELECT * FROM sessions LIMIT 1) AS model"
        )
    }
}

fn expanded(words: &str, kind: &str, number: &str) -> String {
    words.replace("{kind}", kind).replace("{number}", number)
}
