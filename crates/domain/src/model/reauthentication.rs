//! Authenticating a person again in a session that goes on: what it changes of the
//! session.

use std::time::Duration;

use crate::model::{AuthenticationMethod, Lifetimes, MfaFactor, Session, Timestamp};

/// What a person has shown in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The password.
    Password,
    /// A code of an authenticator app or in a mail, or a recovery code.
    OneTimeCode,
    /// A code in a text message.
    TextMessage,
    /// A passkey, and whether it has verified the person.
    Passkey {
        /// Whether it has.
        is_user_verified: bool,
    },
}

/// A change of a session by a new authentication. Its generations stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reauthentication {
    /// When the person was authenticated. Another time than before.
    pub at: Timestamp,
    /// How the person was authenticated in the session then.
    pub methods: Vec<AuthenticationMethod>,
    /// When the last of its access tokens expires then, unless that is later
    /// already.
    pub access_expires_at: Timestamp,
}

impl Shown {
    /// What a code of this factor is.
    #[must_use]
    pub fn code_of(factor: MfaFactor) -> Self {
        match factor {
            MfaFactor::Sms => Self::TextMessage,
            _ => Self::OneTimeCode,
        }
    }

    /// How a person is authenticated who was so by `before`, and has shown this.
    ///
    /// Two factors are two of different kinds: something that the person has, with the password, with
    /// what a provider of sign-ins has asked for, or in a passkey that has verified the person. The
    /// password alone renews no second factor that was shown before.
    #[must_use]
    pub fn methods_after(self, before: &[AuthenticationMethod]) -> Vec<AuthenticationMethod> {
        use AuthenticationMethod::{
            Federated, MultiFactor, OneTimeCode, Password, ProofOfPossession, TextMessage,
            UserPresence,
        };
        let has = |method| before.contains(&method);
        let has_first = has(Password) || has(Federated) || has(MultiFactor);
        let (shown, is_multi_factor): (&[_], bool) = match self {
            Self::Password if has(MultiFactor) => return vec![Password],
            Self::Password => (&[Password], false),
            Self::OneTimeCode => (&[OneTimeCode], has_first),
            Self::TextMessage => (&[TextMessage], has_first),
            Self::Passkey { is_user_verified } => (
                &[ProofOfPossession, UserPresence],
                is_user_verified || has_first,
            ),
        };
        let mut methods = before.to_vec();
        methods.retain(|method| *method != MultiFactor);
        for method in shown {
            if !methods.contains(method) {
                methods.push(*method);
            }
        }
        if is_multi_factor {
            methods.push(MultiFactor);
        }
        methods
    }
}

impl Session {
    /// What changes if the person shows this at `now`.
    #[must_use]
    pub fn reauthenticate(
        &self,
        shown: Shown,
        now: Timestamp,
        lifetimes: Lifetimes,
    ) -> Reauthentication {
        // A refresh that is under way knows by it that the session has changed. It
        // must not lie ahead.
        let at = match now == self.authenticated_at {
            true => now.minus(Duration::from_millis(1)),
            false => now,
        };
        Reauthentication {
            at,
            methods: shown.methods_after(&self.methods),
            access_expires_at: lifetimes.last_access_expiry(now, self.expires_at),
        }
    }

    /// The session after a new authentication.
    #[must_use]
    pub fn reauthenticated(mut self, change: &Reauthentication) -> Self {
        self.authenticated_at = change.at;
        self.methods.clone_from(&change.methods);
        self.access_expires_at = self.access_expires_at.max(change.access_expires_at);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use crate::model::AuthenticationMethod::{
        self, MultiFactor, OneTimeCode, Password, ProofOfPossession, UserPresence,
    };

    const VERIFIED: Shown = Shown::Passkey {
        is_user_verified: true,
    };
    const PRESENT: Shown = Shown::Passkey {
        is_user_verified: false,
    };

    fn is_multi_factor(before: &[AuthenticationMethod], shown: Shown) -> bool {
        shown.methods_after(before).contains(&MultiFactor)
    }

    #[test]
    fn what_was_shown_is_added_once() {
        let after = Shown::OneTimeCode.methods_after(&[Password]);
        assert_eq!(after, [Password, OneTimeCode, MultiFactor]);
        assert_eq!(Shown::OneTimeCode.methods_after(&after), after);
        let all = PRESENT.methods_after(&after);
        let expected = [
            Password,
            OneTimeCode,
            ProofOfPossession,
            UserPresence,
            MultiFactor,
        ];
        assert_eq!(all, expected);
        assert_eq!(Shown::Password.methods_after(&[Password]), [Password]);
    }

    #[test]
    fn two_things_that_a_person_has_are_one_factor() {
        for shown in [Shown::OneTimeCode, Shown::TextMessage, PRESENT] {
            assert!(!is_multi_factor(&[], shown));
            assert!(!is_multi_factor(&[OneTimeCode], shown));
            assert!(!is_multi_factor(&[ProofOfPossession, UserPresence], shown));
            assert!(is_multi_factor(&[Password], shown));
        }
        assert!(is_multi_factor(&[], VERIFIED));
        assert!(is_multi_factor(&[OneTimeCode], VERIFIED));
    }

    #[test]
    fn a_password_never_makes_or_renews_two_factors() {
        let before: [&[AuthenticationMethod]; 4] = [
            &[OneTimeCode],
            &[ProofOfPossession, UserPresence],
            &[Password, OneTimeCode, MultiFactor],
            &[ProofOfPossession, UserPresence, MultiFactor],
        ];
        for before in before {
            assert!(!is_multi_factor(before, Shown::Password), "{before:?}");
        }
    }
}
