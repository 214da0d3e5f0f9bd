//! How well a person was authenticated: the values of `acr`.

use crate::AccessClaims;

/// An authentication context class reference (OpenID Connect Core, section 2), by
/// the authenticator assurance levels of NIST SP 800-63B. The greater one has all
/// that the smaller one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// `aal1`: by one factor.
    Aal1,
    /// `aal2`: by two factors.
    Aal2,
}

impl Acr {
    /// What the methods of an `amr` (RFC 8176) amount to.
    #[must_use]
    pub fn of_methods<S: AsRef<str>>(methods: &[S]) -> Self {
        let is_multi_factor = methods.iter().any(|method| method.as_ref() == "mfa");
        if is_multi_factor {
            Self::Aal2
        } else {
            Self::Aal1
        }
    }

    /// Reads a value of `acr` or `acr_values`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "aal1" => Some(Self::Aal1),
            "aal2" => Some(Self::Aal2),
            _ => None,
        }
    }

    /// The value in `acr`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }
}

impl AccessClaims {
    /// How well the person was authenticated. Earlier releases wrote no `acr`: there
    /// it follows from `amr`. A value that is not known here vouches for one factor.
    #[must_use]
    pub fn authentication(&self) -> Acr {
        match &self.acr {
            Some(acr) => Acr::parse(acr).unwrap_or(Acr::Aal1),
            None => Acr::of_methods(&self.amr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::claims;

    fn with(acr: Option<&str>, amr: &[&str]) -> AccessClaims {
        AccessClaims {
            acr: acr.map(Into::into),
            amr: amr.iter().map(|method| (*method).to_owned()).collect(),
            ..claims()
        }
    }

    #[test]
    fn what_a_token_says_counts_and_else_its_methods() {
        assert_eq!(with(Some("aal2"), &["pwd"]).authentication(), Acr::Aal2);
        assert_eq!(with(Some("aal1"), &["mfa"]).authentication(), Acr::Aal1);
        assert_eq!(with(None, &["pwd", "mfa"]).authentication(), Acr::Aal2);
        assert_eq!(with(None, &["pwd", "otp"]).authentication(), Acr::Aal1);
        assert_eq!(with(None, &[]).authentication(), Acr::Aal1);
    }

    #[test]
    fn an_unknown_value_vouches_for_one_factor() {
        for unknown in ["aal3", "AAL2", "aal2 ", "2", "urn:mfa"] {
            let claims = with(Some(unknown), &["pwd", "mfa"]);
            assert_eq!(claims.authentication(), Acr::Aal1, "{unknown}");
        }
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        for acr in [Acr::Aal1, Acr::Aal2] {
            assert_eq!(Acr::parse(acr.as_str()), Some(acr));
        }
        assert!(Acr::Aal1 < Acr::Aal2);
    }
}
