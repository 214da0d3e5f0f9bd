//! Service accounts as lists for people, and as JSON for programs.

use std::io::{self, Write};

use countersign_proto::v1::{
    ServiceAccount, ServiceAccountCredential, ServiceAccountCredentialKind as Kind,
};
use serde::Serialize;

use super::table;
use super::words::{dashed, instant, joined, some};

/// A service account, as it is listed.
#[derive(Serialize)]
pub(super) struct Row {
    service_account_id: String,
    group_id: String,
    display_name: Option<String>,
    description: Option<String>,
    disabled: bool,
    roles: Vec<String>,
    scopes: Vec<String>,
    audiences: Vec<String>,
    credentials: Vec<CredentialRow>,
    created_at: Option<String>,
    updated_at: Option<String>,
    etag: String,
}

/// A secret or a key, as it is listed.
#[derive(Serialize)]
pub(super) struct CredentialRow {
    pub(super) credential_id: String,
    kind: &'static str,
    key_id: Option<String>,
    algorithm: Option<String>,
    created_at: Option<String>,
    expires_at: Option<String>,
}

/// A secret that was made.
#[derive(Serialize)]
pub(super) struct SecretRow {
    pub(super) secret: String,
    pub(super) credential: CredentialRow,
}

impl From<ServiceAccount> for Row {
    fn from(account: ServiceAccount) -> Self {
        let credentials = account.credentials.into_iter();
        Self {
            service_account_id: account.service_account_id,
            group_id: account.group_id,
            display_name: some(account.display_name),
            description: some(account.description),
            disabled: account.disabled,
            roles: account.roles,
            scopes: account.scopes,
            audiences: account.audiences,
            credentials: credentials.map(CredentialRow::from).collect(),
            created_at: instant(account.create_time),
            updated_at: instant(account.update_time),
            etag: account.etag,
        }
    }
}

impl From<ServiceAccountCredential> for CredentialRow {
    fn from(credential: ServiceAccountCredential) -> Self {
        let kind = match credential.kind() {
            Kind::Unspecified => "damaged",
            Kind::Secret => "secret",
            Kind::Key => "key",
        };
        Self {
            credential_id: credential.credential_id,
            kind,
            key_id: some(credential.key_id),
            algorithm: some(credential.algorithm),
            created_at: instant(credential.create_time),
            expires_at: instant(credential.expire_time),
        }
    }
}

impl Row {
    /// The columns of a list.
    pub(super) const HEADER: [&str; 6] = [
        "SERVICE ACCOUNT",
        "GROUP",
        "STATE",
        "NAME",
        "CREDENTIALS",
        "CREATED",
    ];

    /// The account as a line of a list.
    pub(super) fn cells(&self) -> [String; 6] {
        [
            self.service_account_id.clone(),
            self.group_id.clone(),
            self.state().to_owned(),
            dashed(self.display_name.as_ref()),
            self.credentials.len().to_string(),
            self.created_at.clone().unwrap_or_default(),
        ]
    }

    fn state(&self) -> &'static str {
        match self.disabled {
            true => "disabled",
            false => "active",
        }
    }

    fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        // A line each, whatever the description has.
        let description = self.description.as_ref();
        let description = description.map(|text| text.replace('\n', " "));
        vec![
            ("SERVICE ACCOUNT", Some(self.service_account_id.clone())),
            ("GROUP", Some(self.group_id.clone())),
            ("STATE", Some(self.state().to_owned())),
            ("NAME", self.display_name.clone()),
            ("DESCRIPTION", description),
            ("ROLES", joined(&self.roles)),
            ("SCOPES", joined(&self.scopes)),
            ("AUDIENCES", joined(&self.audiences)),
            ("CREATED", self.created_at.clone()),
            ("CHANGED", self.updated_at.clone()),
            ("ETAG", Some(self.etag.clone())),
        ]
    }
}

impl CredentialRow {
    fn cells(&self) -> [String; 6] {
        [
            self.credential_id.clone(),
            self.kind.to_owned(),
            dashed(self.algorithm.as_ref()),
            dashed(self.key_id.as_ref()),
            self.created_at.clone().unwrap_or_default(),
            dashed(self.expires_at.as_ref()),
        ]
    }

    /// What it has, by name.
    pub(super) fn fields(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("CREDENTIAL", Some(self.credential_id.clone())),
            ("KIND", Some(self.kind.to_owned())),
            ("ALGORITHM", self.algorithm.clone()),
            ("KEY ID", self.key_id.clone()),
            ("CREATED", self.created_at.clone()),
            ("EXPIRES", self.expires_at.clone()),
        ]
    }
}

/// Shows one service account, and then what it proves itself with.
pub(super) fn write_one(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    table::write_fields(out, &row.fields())?;
    if row.credentials.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let cells: Vec<_> = row.credentials.iter().map(CredentialRow::cells).collect();
    let header = [
        "CREDENTIAL",
        "KIND",
        "ALGORITHM",
        "KEY ID",
        "CREATED",
        "EXPIRES",
    ];
    table::write(out, header, &cells)
}
