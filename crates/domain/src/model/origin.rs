//! Where a call or a command comes from, as far as the audit log tells it.

use std::net::IpAddr;

/// Where a call or a command comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who acts.
    pub actor: AuditActor,
    /// The address at the other end of the connection, if there is one.
    pub peer: Option<IpAddr>,
    /// The id of the request, by which the logs tell of it too.
    pub request_id: Option<String>,
}

/// Who acts. The person for whom a caller acts is told beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditActor {
    /// The caller of this name.
    Caller(String),
    /// An operator at the command line of a machine that has the database's URL.
    CommandLine,
    /// The server by itself: a job, or its start.
    Server,
}

impl Origin {
    /// The longest id of a request in bytes.
    pub const MAX_REQUEST_ID_BYTES: usize = 64;

    /// A command that opens the database itself.
    #[must_use]
    pub const fn command_line() -> Self {
        Self {
            actor: AuditActor::CommandLine,
            peer: None,
            request_id: None,
        }
    }

    /// What the server does by itself.
    #[must_use]
    pub const fn server() -> Self {
        Self {
            actor: AuditActor::Server,
            peer: None,
            request_id: None,
        }
    }
}

impl AuditActor {
    /// The name of its kind, as it is stored.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Caller(_) => "caller",
            Self::CommandLine => "command_line",
            Self::Server => "server",
        }
    }

    /// The name of the caller, if it is one.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        match self {
            Self::Caller(name) => Some(name),
            Self::CommandLine | Self::Server => None,
        }
    }

    /// An actor as it is stored.
    #[must_use]
    pub fn from_stored(kind: &str, caller: Option<&str>) -> Option<Self> {
        match (kind, caller) {
            ("caller", Some(name)) => Some(Self::Caller(name.to_owned())),
            ("command_line", None) => Some(Self::CommandLine),
            ("server", None) => Some(Self::Server),
            _ => None,
        }
    }
}
