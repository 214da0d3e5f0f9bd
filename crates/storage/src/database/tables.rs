//! The names of the tables and their columns, in the order in which rows are
//! written and read.

use sea_orm::sea_query::{Expr, Iden};

/// A column of one of the tables, or the table itself.
pub(super) trait Column: Iden + Copy + Send + Sync + 'static {
    /// The table.
    const TABLE: Self;
    /// All columns.
    const ALL: &'static [Self];

    /// The column, named with its table.
    fn col(self) -> Expr {
        Expr::col((Self::TABLE, self))
    }

    /// All columns, named with their table.
    fn all() -> impl Iterator<Item = (Self, Self)> {
        Self::ALL.iter().map(|column| (Self::TABLE, *column))
    }
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident = $table:literal { $($column:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(super) enum $name {
            Table,
            $($column,)*
        }

        impl Iden for $name {
            fn unquoted(&self) -> &str {
                match self {
                    Self::Table => $table,
                    $(Self::$column => $text,)*
                }
            }
        }

        impl Column for $name {
            const TABLE: Self = Self::Table;
            const ALL: &'static [Self] = &[$(Self::$column,)*];
        }
    };
}

table! {
    /// People's accounts.
    Users = "users" {
        Id = "id",
        GroupId = "group_id",
        State = "state",
        CreatedAt = "created_at",
    }
}

table! {
    /// What people type to say who they are. `verified_at` is NULL until a code
    /// came back.
    Identifiers = "identifiers" {
        GroupId = "group_id",
        Kind = "kind",
        Value = "value",
        UserId = "user_id",
        VerifiedAt = "verified_at",
    }
}

table! {
    /// Passwords.
    Credentials = "credentials" {
        UserId = "user_id",
        Hash = "hash",
        Failures = "failures",
        UpdatedAt = "updated_at",
    }
}

table! {
    /// Sign-ins. `over_day` is the day, counted from 1970-01-01, on which the
    /// session ended or expires.
    Sessions = "sessions" {
        Id = "id",
        UserId = "user_id",
        GroupId = "group_id",
        ClientId = "client_id",
        Audience = "audience",
        Scopes = "scopes",
        Methods = "methods",
        IpAddress = "ip_address",
        UserAgent = "user_agent",
        Salt = "salt",
        Generation = "generation",
        Parent = "parent",
        MintedAt = "minted_at",
        CreatedAt = "created_at",
        ExpiresAt = "expires_at",
        EndsAt = "ends_at",
        RevokedAt = "revoked_at",
        OverDay = "over_day",
    }
}

table! {
    /// The revocation feed.
    Revocations = "revocations" {
        SessionId = "session_id",
        RevokedAt = "revoked_at",
        ExpiresAt = "expires_at",
    }
}

table! {
    /// Signing keys. `slot` is the state of a key of which there is one, and
    /// NULL when it is retired.
    SigningKeys = "signing_keys" {
        Kid = "kid",
        Algorithm = "algorithm",
        State = "state",
        Slot = "slot",
        Sealed = "sealed",
        CreatedAt = "created_at",
        ExpiresAt = "expires_at",
    }
}

table! {
    /// The programs that may call.
    Callers = "callers" {
        Name = "name",
        Roles = "roles",
        KeyHash = "key_hash",
        CreatedAt = "created_at",
    }
}
