//! Whether a token is good: every check but the audience and revocation, in
//! order of cost, the claims believed only once the signature has been.

use std::time::Duration;

use crate::jws::{Compact, Header};
use crate::{AccessClaims, KeySet, Rejection, Validity};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// Verifies access tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    leeway: i64,
}

impl Verifier {
    /// Trusts tokens whose `iss` is `issuer`, byte for byte, and forgives
    /// clocks that differ by up to `leeway`, in whole seconds.
    pub fn new(issuer: impl Into<String>, leeway: Duration) -> Self {
        Self {
            issuer: issuer.into(),
            leeway: i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX),
        }
    }

    /// Checks everything about a token that does not depend on who asks: its
    /// size and form, `typ`, key, algorithm, signature, claims, issuer and
    /// times. `now` is in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] of the first check that fails.
    pub fn verify(&self, keys: &KeySet, token: &str, now: i64) -> Result<AccessClaims, Rejection> {
        let claims = Self::genuine(keys, token)?;
        if claims.iss != self.issuer {
            return Err(Rejection::WrongIssuer);
        }
        self.check_times(claims.validity(), now)?;
        Ok(claims)
    }

    /// Checks that one of the keys signed the token: all that
    /// [`verify`](Self::verify) checks but the issuer and the times. For revoking
    /// (RFC 7009): whoever shows a token of ours may end its session, however
    /// old it is and whatever the issuer was called then. Never enough to let
    /// anybody in.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] of the first check that fails; never
    /// [`Rejection::WrongIssuer`], [`Rejection::Expired`] or
    /// [`Rejection::NotYetValid`].
    pub fn genuine(keys: &KeySet, token: &str) -> Result<AccessClaims, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        let compact = Compact::split(token)?;
        let header = Header::read(&compact.header)?;
        if !header.is_access_token() {
            return Err(Rejection::WrongType);
        }
        let key = header
            .kid()
            .and_then(|kid| keys.get(kid))
            .ok_or(Rejection::UnknownKey)?;
        if !header.has_algorithm(key.algorithm()) {
            return Err(Rejection::WrongAlgorithm);
        }
        if !key.verifies(compact.signing_input, &compact.signature) {
            return Err(Rejection::BadSignature);
        }
        AccessClaims::read(&compact.payload)
    }

    /// Checks the times alone, for claims that were verified before. Two
    /// comparisons.
    ///
    /// # Errors
    ///
    /// [`Rejection::Expired`] from `exp` plus the leeway on,
    /// [`Rejection::NotYetValid`] until `nbf` and `iat` less the leeway.
    pub fn check_times(&self, validity: Validity, now: i64) -> Result<(), Rejection> {
        if validity.ends <= now.saturating_sub(self.leeway) {
            return Err(Rejection::Expired);
        }
        if validity.starts > now.saturating_add(self.leeway) {
            return Err(Rejection::NotYetValid);
        }
        Ok(())
    }

    /// Whether the person was authenticated at most `max_age` before `now_millis`,
    /// by claims that were verified. `auth_time` has whole seconds: the fraction that
    /// it lacks counts as age. A time ahead, by more than the leeway, is one of a
    /// clock that was set back since, and tells no age.
    #[must_use]
    pub fn is_authenticated_within(
        &self,
        claims: &AccessClaims,
        max_age: Duration,
        now_millis: i64,
    ) -> bool {
        let leeway = self.leeway.saturating_mul(1_000);
        let age = now_millis.saturating_sub(claims.auth_time.saturating_mul(1_000));
        age >= -leeway && u128::from(age.max(0).unsigned_abs()) <= max_age.as_millis()
    }

    /// Checks that the token is meant for `audience`.
    ///
    /// # Errors
    ///
    /// [`Rejection::WrongAudience`] if it is not.
    pub fn check_audience(claims: &AccessClaims, audience: &str) -> Result<(), Rejection> {
        if claims.accepts_audience(audience) {
            Ok(())
        } else {
            Err(Rejection::WrongAudience)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(iat: i64, nbf: Option<i64>, exp: i64) -> AccessClaims {
        AccessClaims {
            iat,
            nbf,
            exp,
            ..crate::claims::tests::claims()
        }
    }

    fn verifier(leeway: u64) -> Verifier {
        Verifier::new("https://id.example", Duration::from_secs(leeway))
    }

    #[test]
    fn a_token_is_good_until_the_second_before_it_expires() {
        let claims = claims(1_000, None, 1_900);
        assert_eq!(verifier(0).check_times(claims.validity(), 1_899), Ok(()));
        assert_eq!(
            verifier(0).check_times(claims.validity(), 1_900),
            Err(Rejection::Expired)
        );
        assert_eq!(verifier(5).check_times(claims.validity(), 1_904), Ok(()));
        assert_eq!(
            verifier(5).check_times(claims.validity(), 1_905),
            Err(Rejection::Expired)
        );
    }

    #[test]
    fn a_token_from_the_future_is_not_valid_yet() {
        let issued = claims(1_000, None, 1_900);
        assert_eq!(verifier(0).check_times(issued.validity(), 1_000), Ok(()));
        assert_eq!(
            verifier(0).check_times(issued.validity(), 999),
            Err(Rejection::NotYetValid)
        );
        assert_eq!(verifier(5).check_times(issued.validity(), 995), Ok(()));
        assert_eq!(
            verifier(5).check_times(issued.validity(), 994),
            Err(Rejection::NotYetValid)
        );

        let postponed = claims(1_000, Some(1_500), 1_900);
        assert_eq!(
            verifier(0).check_times(postponed.validity(), 1_499),
            Err(Rejection::NotYetValid)
        );
        assert_eq!(verifier(0).check_times(postponed.validity(), 1_500), Ok(()));
        let backdated = claims(1_000, Some(500), 1_900);
        assert_eq!(
            verifier(0).check_times(backdated.validity(), 999),
            Err(Rejection::NotYetValid)
        );
    }

    #[test]
    fn an_authentication_is_young_enough_up_to_its_age() {
        let claims = AccessClaims {
            auth_time: 1_000,
            ..claims(1_000, None, 1_900)
        };
        let is_within = |leeway, max_age, now_millis| {
            let max_age = Duration::from_secs(max_age);
            verifier(leeway).is_authenticated_within(&claims, max_age, now_millis)
        };
        assert!(is_within(0, 60, 1_000_000));
        assert!(is_within(0, 60, 1_060_000));
        assert!(!is_within(0, 60, 1_060_001));
        assert!(!is_within(0, 60, 999_999));
        assert!(is_within(5, 60, 995_000));
        assert!(!is_within(5, 60, 994_999));
        assert!(
            !is_within(5, 60, 1_060_001),
            "the leeway makes nothing younger"
        );
        for now in [i64::MIN, i64::MAX] {
            assert!(!is_within(5, 60, now));
        }
    }

    #[test]
    fn absurd_clocks_and_leeways_do_not_overflow() {
        let claims = claims(1_000, Some(1_000), 1_900);
        for leeway in [0, 5, u64::MAX] {
            for now in [i64::MIN, -1, 0, i64::MAX] {
                let result = verifier(leeway).check_times(claims.validity(), now);
                assert!(leeway == u64::MAX || result.is_err());
            }
        }
    }

    #[test]
    fn the_audience_must_be_one_of_those_named() {
        let claims = claims(1_000, None, 1_900);
        assert_eq!(Verifier::check_audience(&claims, "api"), Ok(()));
        assert_eq!(
            Verifier::check_audience(&claims, "other"),
            Err(Rejection::WrongAudience)
        );
    }
}
