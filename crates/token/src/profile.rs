//! Token profiles: tokens in the form that services verify already which were
//! built for another server, with that server's key.
//!
//! A profile has one key of one algorithm, and verifies nothing but its own tokens.

mod reading;
mod shape;
mod writing;

use crate::{SigningKey, jws};

pub use reading::{ProfileRejection, ProfileToken};
pub use shape::{ClaimSource, Constant, ProfileShape, ShapeError, TokenClass};
pub use writing::ProfileError;

/// The form of tokens, and the key that signs and verifies them.
#[derive(Debug)]
pub struct Profile {
    key: SigningKey,
    shape: ProfileShape,
    header_segment: String,
}

impl Profile {
    /// A profile of this key and shape.
    ///
    /// # Errors
    ///
    /// What is wrong with the shape.
    pub fn new(key: SigningKey, shape: ProfileShape) -> Result<Self, ShapeError> {
        shape.check()?;
        let header_segment = jws::profile_header_segment(
            key.algorithm(),
            shape.typ.as_deref(),
            shape.kid.as_deref(),
        );
        Ok(Self {
            key,
            shape,
            header_segment,
        })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The form.
    #[must_use]
    pub fn shape(&self) -> &ProfileShape {
        &self.shape
    }
}

#[cfg(test)]
mod tests;
