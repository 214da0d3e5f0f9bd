//! Codes, links, proofs, and the sign-ups that they complete.

use super::super::call::{Call, Which};
use super::super::step::Pick;
use super::state::{
    CODE_TTL, Kind, Model, PROOF_TTL, Proof, TRIES, User, Verification, WRONG, place,
};
use super::{Asked, Says};
use crate::model::Purpose;

impl Model {
    /// It reserves nothing, and the code goes to nobody if the address has an
    /// account.
    pub(super) fn sign_up(
        &mut self,
        group: u8,
        address: u8,
        username: Option<u8>,
        password: u8,
    ) -> Asked {
        let call = Call::SignUp {
            group,
            address,
            username,
            password: Some(password),
            proof: None,
        };
        if self.named(group, username).is_some() {
            return Asked::refused(call, "USERNAME_TAKEN");
        }
        let is_sent = self.holder(group, address).is_none();
        let verification = self.keep(group, address, Kind::SignUp { username, password }, None);
        let says = Says::Pending {
            verification,
            is_sent,
        };
        Asked { call, says }
    }

    pub(super) fn confirm_sign_up(&mut self, which: Pick, is_right: bool) -> Option<Asked> {
        let which = place(&self.verifications, which)?;
        let (id, code) = (
            self.verifications[which].id.clone(),
            self.guess(which, is_right),
        );
        let call = Call::ConfirmSignUp {
            id,
            code: code.clone(),
        };
        let (group, address) = (
            self.verifications[which].group,
            self.verifications[which].address,
        );
        let Kind::SignUp { username, password } = self.verifications[which].kind else {
            return Some(Asked::refused(call, "VERIFICATION_NOT_FOUND"));
        };
        if let Err(reason) = self.try_code(which, &code) {
            return Some(Asked::refused(call, reason));
        }
        let says = self.add_user(group, address, username, Some(password));
        Some(Asked { call, says })
    }

    /// The code is the caller's own; a link is sent, but to nobody whom its purpose
    /// is not for.
    pub(super) fn send(
        &mut self,
        group: u8,
        address: u8,
        purpose: Purpose,
        is_link: bool,
    ) -> Asked {
        let own = (!is_link).then(|| (100_000 + self.verifications.len()).to_string());
        let call = Call::SendCode {
            group,
            address,
            purpose,
            code: own.clone(),
            token: None,
        };
        let kind = if is_link {
            Kind::Link(purpose)
        } else {
            Kind::Code(purpose)
        };
        let verification = self.keep(group, address, kind, own);
        let holder = match purpose {
            // Who is suspended hears so once it has proved the address.
            Purpose::SignIn => self.holder(group, address),
            _ => self.unless_suspended(self.holder(group, address)),
        };
        let holder = holder.map(|user| self.proven(user));
        if purpose != Purpose::SignUp {
            self.verifications[verification].holder = holder;
        }
        let says = Says::Sent {
            verification,
            is_link,
            is_sent: purpose == Purpose::SignUp || holder.is_some(),
        };
        Asked { call, says }
    }

    pub(super) fn check_code(
        &mut self,
        which: Pick,
        is_right: bool,
        by_address: bool,
    ) -> Option<Asked> {
        let which = place(&self.verifications, which)?;
        let code = self.guess(which, is_right);
        let verification = &self.verifications[which];
        let (group, address) = (verification.group, verification.address);
        let (named, found) = match (by_address, verification.purpose()) {
            (true, Some(purpose)) => {
                let named = Which::Latest {
                    group,
                    address,
                    purpose,
                };
                (named, self.latest(group, address, verification.kind))
            }
            _ => (Which::Id(verification.id.clone()), Some(which)),
        };
        let call = Call::CheckCode {
            which: named,
            code: code.clone(),
        };
        let is_code = |place: &usize| matches!(self.verifications[*place].kind, Kind::Code(_));
        let Some(found) = found.filter(is_code) else {
            return Some(Asked::refused(call, "VERIFICATION_NOT_FOUND"));
        };
        let says = match self.try_code(found, &code) {
            Ok(()) => self.prove(found),
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    pub(super) fn check_link(&mut self, which: Pick) -> Option<Asked> {
        let which = place(&self.verifications, which)?;
        let verification = &self.verifications[which];
        if !matches!(verification.kind, Kind::Link(_)) {
            return None;
        }
        // Nobody has the tokens of others.
        let token = verification.secret.clone()?;
        let call = Call::CheckLink { token };
        if verification.is_gone || self.now.0 >= verification.expires_at {
            return Some(Asked::refused(call, "VERIFICATION_NOT_FOUND"));
        }
        self.verifications[which].is_gone = true;
        let says = self.prove(which);
        Some(Asked { call, says })
    }

    pub(super) fn cancel(&mut self, which: Pick) -> Option<Asked> {
        let which = place(&self.verifications, which)?;
        let verification = &mut self.verifications[which];
        verification.is_gone = true;
        let id = verification.id.clone();
        Some(Asked {
            call: Call::CancelVerification { id },
            says: Says::Done,
        })
    }

    /// A proof is for its own group and address alone, and is not spent by a
    /// sign-up that does not come about.
    pub(super) fn sign_up_proven(
        &mut self,
        proof: Pick,
        (other_group, other_address): (bool, bool),
        username: Option<u8>,
        password: Option<u8>,
    ) -> Option<Asked> {
        let proof = place(&self.proofs, proof)?;
        let proved = &self.proofs[proof];
        let group = proved.group ^ u8::from(other_group);
        let address = proved.address ^ u8::from(other_address);
        let call = Call::SignUp {
            group,
            address,
            username,
            password,
            proof: Some(proved.text.clone()),
        };
        if other_group || other_address || !self.is_proof(proof, Purpose::SignUp) {
            return Some(Asked::refused(call, "PROOF_INVALID"));
        }
        let says = self.add_user(group, address, username, password);
        self.proofs[proof].is_spent = matches!(says, Says::User(_));
        Some(Asked { call, says })
    }

    /// Whether a proof is good for a purpose.
    pub(super) fn is_proof(&self, proof: usize, purpose: Purpose) -> bool {
        let proof = &self.proofs[proof];
        !proof.is_spent && self.now.0 < proof.expires_at && proof.purpose == purpose
    }

    fn add_user(
        &mut self,
        group: u8,
        address: u8,
        username: Option<u8>,
        password: Option<u8>,
    ) -> Says {
        if self.holder(group, address).is_some() || self.is_held(group, address, None) {
            return Says::Refused("IDENTIFIER_TAKEN");
        }
        if self.named(group, username).is_some() {
            return Says::Refused("USERNAME_TAKEN");
        }
        self.users.push(User {
            id: String::new(),
            group,
            addresses: vec![address],
            username,
            password,
            version: 0,
            is_suspended: false,
        });
        Says::User(self.users.len() - 1)
    }

    /// Keeps a new verification in the place of the one before it.
    pub(super) fn keep(
        &mut self,
        group: u8,
        address: u8,
        kind: Kind,
        secret: Option<String>,
    ) -> usize {
        if let Some(before) = self.latest(group, address, kind) {
            self.verifications[before].is_gone = true;
        }
        self.verifications.push(Verification {
            id: String::new(),
            group,
            address,
            kind,
            holder: None,
            secret,
            wrong: 0,
            expires_at: self.now.0.plus(CODE_TTL),
            is_gone: false,
        });
        self.verifications.len() - 1
    }

    /// The latest one of an address for the same purpose.
    fn latest(&self, group: u8, address: u8, kind: Kind) -> Option<usize> {
        let is_it = |verification: &Verification| {
            (verification.group, verification.address) == (group, address)
                && verification.purpose() == kind.purpose()
        };
        self.verifications.iter().rposition(is_it)
    }

    /// What is typed for a verification.
    fn guess(&self, which: usize, is_right: bool) -> String {
        let secret = self.verifications[which].secret.clone();
        let code = secret.filter(|_| is_right && self.verifications[which].is_typed());
        code.unwrap_or_else(|| WRONG.into())
    }

    /// Compares a code, which is gone if it is right, or at the fifth wrong one.
    fn try_code(&mut self, which: usize, code: &str) -> Result<(), &'static str> {
        let verification = &mut self.verifications[which];
        if verification.is_gone || self.now.0 >= verification.expires_at {
            return Err("VERIFICATION_NOT_FOUND");
        }
        let is_right = verification.secret.as_deref() == Some(code);
        verification.wrong += u32::from(!is_right);
        verification.is_gone = is_right || verification.wrong == TRIES;
        if is_right { Ok(()) } else { Err("CODE_WRONG") }
    }

    fn prove(&mut self, which: usize) -> Says {
        let verification = &self.verifications[which];
        let purpose = verification.purpose();
        self.proofs.push(Proof {
            text: String::new(),
            group: verification.group,
            address: verification.address,
            purpose: purpose.expect("a sign-up leaves no proof"),
            holder: verification.holder,
            expires_at: self.now.0.plus(PROOF_TTL),
            is_spent: false,
        });
        Says::Proof(self.proofs.len() - 1)
    }
}

impl Kind {
    fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Code(purpose) | Self::Link(purpose) => Some(purpose),
            Self::SignUp { .. } => None,
        }
    }
}

impl Verification {
    fn purpose(&self) -> Option<Purpose> {
        self.kind.purpose()
    }

    /// Whether its secret is a code.
    fn is_typed(&self) -> bool {
        !matches!(self.kind, Kind::Link(_))
    }
}
