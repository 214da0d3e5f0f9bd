//! A proof: what a passed verification yields, to be spent once.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::ports::Random;

/// A proof: `csp_` and 256 random bits. Never shown.
#[derive(Clone)]
pub struct Proof(Zeroizing<String>);

impl Proof {
    /// A new proof.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(&mut *bytes);
        Self(Zeroizing::new(format!(
            "csp_{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// A proof as it was presented.
    ///
    /// # Errors
    /// What a proof must be, if this is none.
    pub fn parse(text: String) -> Result<Self, &'static str> {
        let proof = Self(Zeroizing::new(text));
        if proof.0.len() != 47 || !proof.0.starts_with("csp_") {
            return Err("must be a proof from CheckCode");
        }
        Ok(proof)
    }

    /// The proof in the clear, to be handed out.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The name under which it is kept; the proof itself is not stored.
    #[must_use]
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.as_bytes()))
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}
