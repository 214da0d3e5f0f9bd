//! The id of a user in another system.

/// An id from another system, as it is there: 1 to 255 characters, compared byte
/// for byte, without control characters and without spaces at its ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

impl ExternalId {
    /// Reads an id.
    ///
    /// # Errors
    /// What an id must look like, if this is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let length = text.chars().count();
        let is_fit = text.trim() == text && !text.chars().any(char::is_control);
        if length == 0 || length > 255 || !is_fit {
            return Err(
                "must be 1 to 255 characters, without control characters and without spaces at \
                 its ends",
            );
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
