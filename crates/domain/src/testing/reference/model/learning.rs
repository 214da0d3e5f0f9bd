//! Comparing an answer with what it must be, and learning from it what the
//! service makes up.

use super::super::call::{Answer, Tokens};
use super::Says;
use super::state::{Model, Recovery};

impl Model {
    /// Notes what an answer tells, if it is the right one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in super::super) fn learn(&mut self, says: &Says, answer: &Answer) -> Result<(), String> {
        let is_right = match (says, answer) {
            (Says::Refused(reason), Answer::Refused(told)) => reason == told,
            (Says::Done, Answer::Done) => true,
            (Says::User(user), Answer::User(id)) => {
                let is_new = self.users.iter().all(|user| user.id != *id);
                self.users[*user].id.clone_from(id);
                is_new
            }
            (
                Says::Pending {
                    verification,
                    is_sent,
                },
                Answer::Pending { id, code },
            ) => {
                let verification = &mut self.verifications[*verification];
                verification.id.clone_from(id);
                verification.secret.clone_from(code);
                code.is_some() == *is_sent
            }
            (
                Says::Sent {
                    verification,
                    is_link,
                    is_sent,
                },
                Answer::Sent { id, link },
            ) => {
                let verification = &mut self.verifications[*verification];
                verification.id.clone_from(id);
                if *is_link {
                    verification.secret.clone_from(link);
                }
                link.is_some() == (*is_link && *is_sent)
            }
            (Says::Proof(proof), Answer::Proof(text)) => {
                self.proofs[*proof].text.clone_from(text);
                true
            }
            (
                Says::Tokens {
                    access,
                    refresh,
                    is_known,
                    device,
                },
                Answer::Tokens(tokens),
            ) => {
                tokens.is_known == *is_known
                    && self.learn_device(*device, tokens)
                    && self.learn_tokens(*access, *refresh, tokens)
            }
            (Says::MfaSession(mfa), Answer::MfaSession(id)) => {
                self.mfa[*mfa].id.clone_from(id);
                true
            }
            (Says::Verdict(verdict), Answer::Verdict(told)) => verdict == told,
            (Says::Sessions(sessions), Answer::Sessions(ids)) => {
                are_same(sessions.iter().map(|place| &self.sessions[*place].id), ids)
            }
            (Says::Ended(count), Answer::Ended(told)) => count == told,
            (Says::Enrollment(place), Answer::Enrollment { id, secret }) => {
                let enrollment = &mut self.enrollments[*place];
                enrollment.id.clone_from(id);
                enrollment.secret.clone_from(secret);
                true
            }
            (Says::Factor { factor, has_codes }, Answer::Factor { id, recovery }) => {
                self.factors[*factor].id.clone_from(id);
                let user = self.factors[*factor].user;
                self.learn_codes(user, recovery);
                recovery.len() == if *has_codes { 10 } else { 0 }
            }
            (
                Says::Factors {
                    factors,
                    recovery_left,
                },
                Answer::Factors {
                    ids,
                    recovery_left: left,
                },
            ) => {
                left == recovery_left
                    && are_same(factors.iter().map(|place| &self.factors[*place].id), ids)
            }
            (Says::RecoveryCodes { user }, Answer::RecoveryCodes(codes)) => {
                self.learn_codes(*user, codes);
                codes.len() == 10
            }
            _ => false,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("it must be {says:?}, and is {answer:?}"))
        }
    }

    fn learn_device(&mut self, device: Option<usize>, tokens: &Tokens) -> bool {
        match (device, &tokens.device) {
            (None, None) => true,
            (Some(device), Some(token)) => {
                let is_new = self.devices.iter().all(|device| device.token != *token);
                self.devices[device].token.clone_from(token);
                is_new
            }
            _ => false,
        }
    }

    fn learn_tokens(&mut self, access: usize, refresh: usize, tokens: &Tokens) -> bool {
        let place = self.access[access].session;
        self.access[access].text.clone_from(&tokens.access);
        let session = &mut self.sessions[place];
        if session.id.is_empty() {
            session.id.clone_from(&tokens.session);
        }
        let known = self.refresh[refresh].text.clone();
        let is_successor = match known.as_str() {
            // A new one is like none before.
            "" => self
                .refresh
                .iter()
                .all(|refresh| refresh.text != tokens.refresh),
            // The same one again.
            known => known == tokens.refresh,
        };
        self.refresh[refresh].text.clone_from(&tokens.refresh);
        let session = &self.sessions[place];
        is_successor
            && session.id == tokens.session
            && self.users[session.user].id == tokens.user
            && session.methods == tokens.methods
    }

    fn learn_codes(&mut self, user: usize, codes: &[String]) {
        self.recovery.extend(codes.iter().map(|text| Recovery {
            text: text.clone(),
            user,
            is_good: true,
        }));
    }
}

/// Whether these are the ids, in any order.
fn are_same<'a>(expected: impl Iterator<Item = &'a String>, told: &[String]) -> bool {
    let mut expected: Vec<_> = expected.collect();
    let mut told: Vec<_> = told.iter().collect();
    expected.sort();
    told.sort();
    expected == told
}
