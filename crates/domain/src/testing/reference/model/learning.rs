//! Comparing an answer with what it must be, and learning from it what the
//! service makes up.

use super::super::answer::{Answer, Given, Tokens};
use super::super::call::NewFactor;
use super::Says;
use super::kept::{SentCode, Shows};
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
            (Says::MfaSession(mfa), Answer::MfaSession { id, codes }) => {
                self.mfa[*mfa].id.clone_from(id);
                self.learn_offered(*mfa, codes)
            }
            (Says::Verdict(verdict), Answer::Verdict(told)) => verdict == told,
            (Says::Sessions(sessions), Answer::Sessions(ids)) => {
                are_same(sessions.iter().map(|place| &self.sessions[*place].id), ids)
            }
            (Says::Ended(count), Answer::Ended(told)) => count == told,
            (
                Says::Enrollment {
                    enrollment: place,
                    factor,
                },
                Answer::Enrollment { id, given },
            ) => {
                let enrollment = &mut self.enrollments[*place];
                enrollment.id.clone_from(id);
                enrollment.given = Some(given.clone());
                self.learn_sent(*place, given);
                match (factor, given) {
                    (NewFactor::App, Given::App(_)) => true,
                    (NewFactor::Passkey, Given::Passkey(_)) => true,
                    (NewFactor::Address(address), Given::Code { to, .. }) => address == to,
                    _ => false,
                }
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
            (Says::CodeSent(None), Answer::CodeSent(None)) => true,
            (Says::CodeSent(Some(sent)), Answer::CodeSent(Some((to, code)))) => {
                let sent = &mut self.sent[*sent];
                sent.code.clone_from(code);
                sent.to.address == *to
            }
            (Says::Options(challenge), Answer::Options(options)) => {
                self.challenges[*challenge].options.clone_from(options);
                true
            }
            (
                Says::SteppedUp { access },
                Answer::SteppedUp {
                    session,
                    access: text,
                    methods,
                },
            ) => {
                self.access[*access].text.clone_from(text);
                let own = &self.sessions[self.access[*access].session];
                own.id == *session && own.methods == *methods
            }
            (
                Says::Changed { undo, told },
                Answer::Changed {
                    told: to,
                    undo: text,
                },
            ) => {
                self.undos[*undo].text.clone_from(text);
                are_same(told.iter(), to)
            }
            (
                Says::Identifiers {
                    addresses,
                    undoable,
                },
                Answer::Identifiers {
                    addresses: told,
                    undoable: count,
                },
            ) => undoable == count && are_same(addresses.iter(), told),
            _ => false,
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("it must be {says:?}, and is {answer:?}"))
        }
    }

    /// The code of an enrolment may be shown elsewhere, too, and is wrong there.
    fn learn_sent(&mut self, enrollment: usize, given: &Given) {
        let is_its = |sent: &&mut SentCode| sent.shows == Shows::Enrollment(enrollment);
        let sent = self.sent.iter_mut().find(is_its);
        if let (Some(sent), Given::Code { code, .. }) = (sent, given) {
            sent.code.clone_from(code);
        }
    }

    /// The addresses that codes are sent to must be those, and enrolled ones be named
    /// by their factors.
    fn learn_offered(&mut self, mfa: usize, codes: &[(String, u8)]) -> bool {
        let Some(offered) = &mut self.mfa[mfa].offered else {
            return codes.is_empty();
        };
        if !are_same(
            offered.iter().map(|offered| &offered.to.address),
            &codes
                .iter()
                .map(|(_, address)| *address)
                .collect::<Vec<_>>(),
        ) {
            return false;
        }
        for offered in offered.iter_mut() {
            let told = codes.iter().find(|(_, at)| *at == offered.to.address);
            offered.id = told.map(|(id, _)| id.clone()).unwrap_or_default();
        }
        offered.iter().all(|offered| match offered.to.factor {
            Some(factor) => self.factors[factor].id == offered.id,
            None => true,
        })
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
fn are_same<'a, T: Ord + 'a>(expected: impl Iterator<Item = &'a T>, told: &[T]) -> bool {
    let mut expected: Vec<_> = expected.collect();
    let mut told: Vec<_> = told.iter().collect();
    expected.sort();
    told.sort();
    expected == told
}
