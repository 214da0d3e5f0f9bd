//! From a row to a user, or to why it is none. No value of the row is in a reason.

use countersign_domain::model::{
    Email, ExistingState, ExistingUser, Identifier, LeftOut, PasswordHash, Phone, Region,
    UnreadableUser, Username,
};
use countersign_domain::ports::ReadUser;

use crate::cell;
use crate::driver::Cell;
use crate::mapping::Mapping;
use crate::settings::Field;

/// Longer texts are no hashes, and longer names are cut.
const LONGEST_HASH: usize = 1024;
const LONGEST_NAME: usize = 200;

/// What the loose comparison of a lookup does not find.
const NOT_FOUND: &str =
    "is written so that no sign-in finds the row by it; import the user, or correct the row";

/// The cells of a row, by what they are read as.
struct Cells<'a> {
    mapping: &'a Mapping,
    row: &'a [Cell],
}

impl Mapping {
    /// Reads a row.
    pub(crate) fn read(&self, row: &[Cell], region: Region) -> ReadUser {
        let cells = Cells { mapping: self, row };
        let id = cells.text(Field::Id).ok().flatten();
        let read = cells.user(region);
        read.map_err(|reason| UnreadableUser {
            external_id: id.filter(|id| !id.is_empty()),
            reason,
        })
    }
}

impl Cells<'_> {
    fn user(&self, region: Region) -> Result<ExistingUser, String> {
        let external_id = self.text(Field::Id)?;
        let external_id = external_id
            .filter(|id| !id.trim().is_empty())
            .ok_or_else(|| self.rule(Field::Id, "must not be empty"))?;
        let (mut identifiers, mut left_out) = (Vec::new(), Vec::new());
        for field in [Field::Email, Field::Phone, Field::Username] {
            let Some(text) = self.text(field)?.filter(|text| !text.trim().is_empty()) else {
                continue;
            };
            match identifier(field, &text, region) {
                Ok(identifier) => {
                    if !is_found(&identifier, &text, region) {
                        left_out.push(self.left_out(field, NOT_FOUND));
                    }
                    identifiers.push(identifier);
                }
                Err(rule) => left_out.push(self.left_out(field, rule)),
            }
        }
        if identifiers.is_empty() {
            return Err(match left_out.first() {
                None => "it has no identifier".into(),
                Some(LeftOut { column, reason }) => format!("{column} {reason}"),
            });
        }
        let name = self.text(Field::Name)?.map(|name| shortened(name.trim()));
        Ok(ExistingUser {
            external_id,
            identifiers,
            name: name.filter(|name| !name.is_empty()),
            password: self.password()?,
            state: self.state()?,
            left_out,
        })
    }

    /// The hash. Nothing where there is none, or one that no password has: Django writes
    /// `!` and what follows for that.
    fn password(&self) -> Result<Option<PasswordHash>, String> {
        let Some(hash) = self.text(Field::Password)? else {
            return Ok(None);
        };
        let hash = hash.trim();
        if hash.is_empty() || hash.starts_with('!') {
            return Ok(None);
        }
        if hash.len() > LONGEST_HASH || hash.chars().any(char::is_control) {
            return Err(self.rule(Field::Password, "must be a hash of at most 1,024 bytes"));
        }
        Ok(Some(PasswordHash::new(hash.to_owned())))
    }

    fn state(&self) -> Result<ExistingState, String> {
        let since = match self.text(Field::WithdrawnAt)? {
            None => None,
            Some(text) => {
                let time = cell::time(&text);
                time.map_err(|rule| self.rule(Field::WithdrawnAt, rule))?
            }
        };
        let is_banned = match self.text(Field::Banned)? {
            None => false,
            Some(text) => self.truth(Field::Banned, &text)?,
        };
        let is_active = match self.mapping.column(Field::Active) {
            None => true,
            Some(_) => {
                let text = self.text(Field::Active)?.unwrap_or_default();
                self.truth(Field::Active, &text)?
            }
        };
        Ok(match (is_active, since) {
            (true, None) if is_banned => ExistingState::Suspended,
            (true, None) => ExistingState::Active,
            (false, _) | (true, Some(_)) => ExistingState::Withdrawn { since },
        })
    }

    fn truth(&self, field: Field, text: &str) -> Result<bool, String> {
        cell::truth(text).map_err(|rule| self.rule(field, rule))
    }

    /// A cell. Nothing where it is NULL, or where there is no such column.
    fn text(&self, field: Field) -> Result<Option<String>, String> {
        let columns = &self.mapping.columns;
        let Some(index) = columns.iter().position(|(of, _)| *of == field) else {
            return Ok(None);
        };
        match self.row.get(index) {
            Some(Ok(text)) => Ok(text.clone()),
            Some(Err(_)) | None => Err(self.rule(field, "must be a text in UTF-8")),
        }
    }

    fn rule(&self, field: Field, rule: &str) -> String {
        format!("{} {rule}", self.mapping.column(field).unwrap_or_default())
    }

    fn left_out(&self, field: Field, reason: &str) -> LeftOut {
        LeftOut {
            column: self.mapping.column(field).unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
        }
    }
}

fn identifier(field: Field, text: &str, region: Region) -> Result<Identifier, &'static str> {
    match field {
        Field::Phone => Phone::read_from_table(text, region).map(Identifier::Phone),
        Field::Username => Username::parse(text).map(Identifier::Username),
        _ => Email::parse(text).map(Identifier::Email),
    }
}

/// Whether a lookup of an identifier finds it where it is written like this.
fn is_found(identifier: &Identifier, text: &str, region: Region) -> bool {
    match identifier {
        Identifier::Phone(phone) => phone.spellings(region).contains(text),
        Identifier::Email(_) | Identifier::Username(_) => {
            text.to_ascii_lowercase() == identifier.as_str()
        }
    }
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST_NAME)].to_owned()
}
