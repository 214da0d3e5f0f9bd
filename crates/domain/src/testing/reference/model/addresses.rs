//! Changes of addresses, and undoing them.

use super::super::call::Call;
use super::super::step::{At, Pick};
use super::kept::Undo;
use super::state::{Charged, Factor, FactorKind, Kind, Model, UNDO_TIME, place};
use super::{Asked, Says};
use crate::model::Purpose;

impl Model {
    /// Whoever is signed in may have a code sent to any address; the proof is for that
    /// person alone.
    pub(super) fn send_change_code(
        &mut self,
        token: Pick,
        address: u8,
        is_link: bool,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let user = self.sessions[self.access[token].session].user;
        let group = self.users[user].group;
        let purpose = Purpose::ChangeIdentifier;
        let own = (!is_link).then(|| (100_000 + self.verifications.len()).to_string());
        let call = Call::SendCode {
            group,
            address,
            purpose,
            code: own.clone(),
            token: Some(self.access[token].text.clone()),
        };
        if let Err(reason) = self.fresh_person(token) {
            return Some(Asked::refused(call, reason));
        }
        let kind = if is_link {
            Kind::Link(purpose)
        } else {
            Kind::Code(purpose)
        };
        let verification = self.keep(group, address, kind, own);
        self.verifications[verification].holder = Some(self.proven(user));
        let says = Says::Sent {
            verification,
            is_link,
            is_sent: true,
        };
        Some(Asked { call, says })
    }

    /// Adds an address that was proved, or removes one, or both at once.
    pub(super) fn change_addresses(
        &mut self,
        token: Pick,
        proof: Option<Pick>,
        removed: Option<At>,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let own = self.access[token].session;
        let user = self.sessions[own].user;
        let proof = match proof {
            Some(proof) => Some(place(&self.proofs, proof)?),
            None => None,
        };
        let removed = match removed {
            Some(at) => Some(self.address_at(user, at)?),
            None => None,
        };
        let text = self.access[token].text.clone();
        let call = match (proof.map(|proof| self.proofs[proof].text.clone()), removed) {
            (Some(proof), None) => Call::AddIdentifier { token: text, proof },
            (Some(proof), Some(replaced)) => Call::ChangeIdentifier {
                token: text,
                replaced,
                proof,
            },
            (None, removed) => Call::RemoveIdentifier {
                token: text,
                address: removed?,
            },
        };
        if let Err(reason) = self.fresh_person(token) {
            return Some(Asked::refused(call, reason));
        }
        let is_theirs = |proof: usize| {
            self.is_proof(proof, Purpose::ChangeIdentifier)
                && self.proofs[proof].holder == Some(self.proven(user))
        };
        if !proof.is_none_or(is_theirs) {
            return Some(Asked::refused(call, "PROOF_INVALID"));
        }
        let charged = Charged::IdentifierChanges(user);
        if !self.charge(charged.clone()) {
            return Some(Asked::refused(call, "TOO_MANY_ATTEMPTS"));
        }
        let added = proof.map(|proof| self.proofs[proof].address);
        if let Err(reason) = self.may_change(user, added, removed) {
            self.give_back(&charged);
            return Some(Asked::refused(call, reason));
        }
        if let Some(proof) = proof {
            self.proofs[proof].is_spent = true;
        }
        let says = self.changed(own, added, removed);
        Some(Asked { call, says })
    }

    fn may_change(
        &self,
        user: usize,
        added: Option<u8>,
        removed: Option<u8>,
    ) -> Result<(), &'static str> {
        let before = &self.users[user].addresses;
        if removed.is_some_and(|removed| !before.contains(&removed)) {
            return Err("IDENTIFIER_NOT_FOUND");
        }
        let Some(added) = added else {
            return match before.len() {
                1 => Err("LAST_IDENTIFIER"),
                _ => Ok(()),
            };
        };
        let group = self.users[user].group;
        let is_taken = self.holder(group, added).is_some();
        match is_taken || self.is_held(group, added, Some(user)) {
            true => Err("IDENTIFIER_TAKEN"),
            false => Ok(()),
        }
    }

    /// With an address go the factor that it is, and all that was proved before.
    fn changed(&mut self, own: usize, added: Option<u8>, removed: Option<u8>) -> Says {
        let user = self.sessions[own].user;
        let before = self.users[user].addresses.clone();
        if let Some(removed) = removed {
            self.users[user].addresses.retain(|at| *at != removed);
            self.users[user].version += 1;
            self.remove_factors_at(user, removed);
        }
        self.users[user].addresses.extend(added);
        self.undos.push(Undo {
            text: String::new(),
            user,
            before: before.clone(),
            removed,
            authenticated_at: self.sessions[own].authenticated_at,
            expires_at: self.now.0.plus(UNDO_TIME),
            is_gone: false,
        });
        let undo = self.undos.len() - 1;
        Says::Changed { undo, told: before }
    }

    /// All changes that can be undone are. Nothing is left to whoever made them: no
    /// session, no password, no device, no factor of the time since, or of as long
    /// before the sign-in for it.
    pub(super) fn undo(&mut self, which: Pick, other_group: bool) -> Option<Asked> {
        let which = place(&self.undos, which)?;
        let user = self.undos[which].user;
        let call = Call::UndoIdentifierChange {
            group: self.users[user].group ^ u8::from(other_group),
            undo: self.undos[which].text.clone(),
        };
        let can_be = self.undoable(user);
        let oldest = can_be.first().copied().filter(|_| can_be.contains(&which));
        // A suspension keeps nobody from it, and stays.
        let Some(oldest) = oldest.filter(|_| !other_group) else {
            return Some(Asked::refused(call, "UNDO_NOT_FOUND"));
        };
        for undo in can_be {
            self.undos[undo].is_gone = true;
        }
        let since = self.undos[oldest].authenticated_at.minus(UNDO_TIME);
        let before = self.undos[oldest].before.clone();
        let there = std::mem::replace(&mut self.users[user].addresses, before.clone());
        for taken in there.into_iter().filter(|at| !before.contains(at)) {
            self.remove_factors_at(user, taken);
        }
        let is_new = |factor: &Factor| factor.user == user && factor.created_at >= since;
        for factor in self.factors.iter_mut().filter(|factor| is_new(factor)) {
            factor.is_removed = true;
        }
        self.void_codes_without_factor(user);
        self.users[user].password = None;
        self.users[user].version += 1;
        self.forget_devices(user);
        self.end_all(user, None);
        Some(Asked {
            call,
            says: Says::Done,
        })
    }

    pub(super) fn list_identifiers(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::ListIdentifiers {
            token: self.access[token].text.clone(),
        };
        let says = match self.person(token) {
            Err(reason) => Says::Refused(reason),
            Ok(own) => {
                let user = self.sessions[own].user;
                Says::Identifiers {
                    addresses: self.users[user].addresses.clone(),
                    undoable: self.undoable(user).len(),
                }
            }
        };
        Some(Asked { call, says })
    }

    /// Whether an address was given up by somebody else, who may have it back.
    pub(super) fn is_held(&self, group: u8, address: u8, besides: Option<usize>) -> bool {
        let holds = |undo: &Undo| {
            undo.removed == Some(address)
                && self.users[undo.user].group == group
                && Some(undo.user) != besides
                && self.can_be_undone(undo)
        };
        self.undos.iter().any(holds)
    }

    /// An address of the user, or any.
    pub(super) fn address_at(&self, user: usize, at: At) -> Option<u8> {
        match at {
            At::Any(address) => Some(address),
            At::Own(pick) => {
                let addresses = &self.users[user].addresses;
                Some(addresses[place(addresses, pick)?])
            }
        }
    }

    /// The changes of a user that can be undone, oldest first.
    fn undoable(&self, user: usize) -> Vec<usize> {
        let is_theirs = |place: &usize| {
            let undo = &self.undos[*place];
            undo.user == user && self.can_be_undone(undo)
        };
        (0..self.undos.len()).filter(is_theirs).collect()
    }

    fn can_be_undone(&self, undo: &Undo) -> bool {
        !undo.is_gone && self.now.0 < undo.expires_at
    }

    fn remove_factors_at(&mut self, user: usize, address: u8) {
        let is_there =
            |factor: &Factor| factor.user == user && factor.kind == FactorKind::Address(address);
        for factor in self.factors.iter_mut().filter(|factor| is_there(factor)) {
            factor.is_removed = true;
        }
        self.void_codes_without_factor(user);
    }
}
