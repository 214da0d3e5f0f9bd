//! An old table: of each kind of user as many as are tried.

use std::collections::BTreeMap;

use countersign_tests::{Backend, CHEAP_HASHES, World};

/// The columns of the table, as the server is told of them.
pub(crate) const COLUMNS: [(&str, &str); 4] = [
    ("legacy.email_column", "email"),
    ("legacy.password_column", "hashed_password"),
    ("legacy.active_column", "is_active"),
    ("legacy.banned_column", "banned"),
];

/// A kind of users of the old table.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    hash: Option<&'static str>,
    is_active: bool,
    banned: &'static str,
    /// Whether another row has the address, too.
    is_twice: bool,
    /// What the right password is answered.
    pub(crate) told: &'static str,
}

impl Kind {
    pub(crate) fn of(name: &'static str, hash: &'static str) -> Self {
        Self {
            name,
            hash: Some(hash),
            is_active: true,
            banned: "N",
            is_twice: false,
            told: "OK",
        }
    }

    fn refused(name: &'static str, told: &'static str) -> Self {
        let (_, hash) = CHEAP_HASHES[2];
        Self {
            told,
            ..Self::of(name, hash)
        }
    }

    /// Every format that is cheaper than a new hash, but for mere digests, and every
    /// other state of a row.
    pub(crate) fn cheap() -> Vec<Self> {
        let formats = CHEAP_HASHES[1..].iter();
        let mut kinds: Vec<_> = formats.map(|(name, hash)| Self::of(name, hash)).collect();
        kinds.extend([
            Self {
                banned: "Y",
                ..Self::refused("banned", "USER_SUSPENDED")
            },
            Self {
                is_active: false,
                ..Self::refused("withdrawn", "USER_WITHDRAWN")
            },
            Self {
                hash: None,
                ..Self::refused("no password", "SIGN_IN_REFUSED")
            },
            Self {
                hash: Some("hunter2"),
                ..Self::refused("damaged hash", "SIGN_IN_REFUSED")
            },
            Self {
                banned: "?",
                ..Self::refused("damaged state", "SIGN_IN_REFUSED")
            },
            Self {
                is_twice: true,
                ..Self::refused("two rows", "SIGN_IN_REFUSED")
            },
        ]);
        kinds
    }

    /// A mere digest, and what it is not to be told from.
    pub(crate) fn digests() -> Vec<Self> {
        let (name, hash) = CHEAP_HASHES[0];
        let mut kinds = Self::cheap();
        kinds.retain(|kind| ["bcrypt 6", "no password"].contains(&kind.name));
        kinds.push(Self::of(name, hash));
        kinds
    }
}

/// The users of the table, who are tried one after the other.
pub(crate) struct Table {
    pub(crate) kinds: Vec<Kind>,
    users: usize,
    used: BTreeMap<&'static str, usize>,
    known: String,
}

impl Table {
    /// Makes the table beside those of the service, fills it, and has it read.
    pub(crate) async fn fill(world: &World, kinds: Vec<Kind>, users: usize) -> Self {
        world
            .execute(
                "CREATE TABLE old_users (id integer PRIMARY KEY, email varchar(255), \
                 hashed_password varchar(255), is_active boolean, banned varchar(1))",
            )
            .await;
        // On what a lookup compares, as the manual says.
        let compared = match world.backend() {
            Backend::MariaDb => "email",
            Backend::Sqlite | Backend::Postgres => "LOWER(email)",
        };
        let index = format!("CREATE INDEX old_emails ON old_users ({compared})");
        world.execute(&index).await;
        let mut id = 0;
        for (number, kind) in kinds.iter().enumerate() {
            let mut rows = Vec::new();
            for user in 0..users {
                for _ in 0..1 + usize::from(kind.is_twice) {
                    id += 1;
                    let address = address(number, user);
                    let hash = kind.hash.map_or("NULL".into(), |hash| format!("'{hash}'"));
                    let (is_active, banned) = (kind.is_active, kind.banned);
                    rows.push(format!(
                        "({id}, '{address}', {hash}, {is_active}, '{banned}')"
                    ));
                }
            }
            let insert = format!("INSERT INTO old_users VALUES {}", rows.join(", "));
            world.execute(&insert).await;
        }
        let known = world.sign_up().await.email;
        world.change_setting(0, "legacy.url", world.database_url());
        world.change_setting(0, "legacy.table", "old_users");
        world.replica(0).restart().await;
        Self {
            kinds,
            users,
            used: BTreeMap::new(),
            known,
        }
    }

    /// One address of each kind, and those of somebody who is known here and of nobody.
    pub(crate) fn turn(&mut self, world: &World) -> Vec<(&'static str, String)> {
        let mut turn: Vec<_> = (0..self.kinds.len())
            .map(|number| (self.kinds[number].name, self.next(number)))
            .collect();
        turn.push(("known here", self.known.clone()));
        turn.push(("nobody", world.new_email()));
        turn
    }

    /// The address of the next user of a kind.
    pub(crate) fn next(&mut self, number: usize) -> String {
        let used = self.used.entry(self.kinds[number].name).or_default();
        *used += 1;
        assert!(*used <= self.users, "all were tried");
        address(number, *used - 1)
    }
}

fn address(kind: usize, user: usize) -> String {
    format!("user{user}@kind{kind}.example")
}
