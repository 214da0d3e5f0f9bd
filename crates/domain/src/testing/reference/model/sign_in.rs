//! Signing in with a password or a proof, and the devices that get to be known
//! by it.

use super::super::call::{Call, Grant, Who};
use super::super::step::{self, Pick};
use super::kept::{Offered, Proven};
use super::state::{
    ASKED_TTL, Answering, Claim, DEVICE_TTL, Device, Mfa, Model, REMEMBERED, place,
};
use super::{Asked, Says};
use crate::model::Purpose;

/// How many user names there are, of which one is nobody's.
const USERNAMES: u8 = 3;

/// Who is let in, how, and where.
pub(super) struct Entry {
    pub(super) user: usize,
    pub(super) client: u8,
    pub(super) methods: Vec<&'static str>,
    pub(super) claim: Claim,
    pub(super) remember: bool,
}

impl Model {
    pub(super) fn sign_in(
        &mut self,
        group: u8,
        address: u8,
        by_username: bool,
        password: Option<u8>,
        client: u8,
        device: step::Device,
    ) -> Asked {
        let username = address % USERNAMES;
        let (who, user) = match by_username {
            true => (Who::Username(username), self.named(group, Some(username))),
            false => (Who::Address(address), self.holder(group, address)),
        };
        let known = user.and_then(|user| self.users[user].password);
        let password = password.or(known).unwrap_or(0);
        let (device, claim) = self.claim(device);
        let grant = Grant::Password { who, password };
        let call = Call::IssueTokens {
            group,
            grant,
            client,
            device,
        };
        let Some(user) = user.filter(|_| known == Some(password)) else {
            return Asked::refused(call, "SIGN_IN_REFUSED");
        };
        if self.users[user].is_suspended {
            return Asked::refused(call, "USER_SUSPENDED");
        }
        let says = self.let_in_or_ask(user, client, ("pwd", None), claim);
        Asked { call, says }
    }

    /// Whatever comes of it, the proof is spent; but not by another group.
    pub(super) fn sign_in_proven(
        &mut self,
        proof: Pick,
        other_group: bool,
        client: u8,
        device: step::Device,
    ) -> Option<Asked> {
        let proof = place(&self.proofs, proof)?;
        let (device, claim) = self.claim(device);
        let call = Call::IssueTokens {
            group: self.proofs[proof].group ^ u8::from(other_group),
            grant: Grant::Proof(self.proofs[proof].text.clone()),
            client,
            device,
        };
        if other_group || !self.is_proof(proof, Purpose::SignIn) {
            return Some(Asked::refused(call, "PROOF_INVALID"));
        }
        self.proofs[proof].is_spent = true;
        let says = match self.proofs[proof].holder {
            None => Says::Refused("SIGN_IN_REFUSED"),
            Some(holder) if !self.is_current(holder) => Says::Refused("PROOF_INVALID"),
            Some(holder) if self.users[holder.user].is_suspended => Says::Refused("USER_SUSPENDED"),
            Some(holder) => {
                let shown = ("otp", Some(self.proofs[proof].address));
                self.let_in_or_ask(holder.user, client, shown, claim)
            }
        };
        Some(Asked { call, says })
    }

    /// Somebody who has a second factor is asked for it, but on a device where it
    /// was shown a while ago.
    fn let_in_or_ask(
        &mut self,
        user: usize,
        client: u8,
        (shown, proved): (&'static str, Option<u8>),
        claim: Claim,
    ) -> Says {
        let proven = self.proven(user);
        let is_remembered = |place: usize| {
            let shown_at = self.devices[place].shown_at;
            shown_at.is_some_and(|at| self.now.0 < at.plus(REMEMBERED))
        };
        let known = self.known_device(claim, proven);
        let is_remembered = known.is_some_and(is_remembered);
        if self.factors_of(user).is_empty() || is_remembered {
            return self.let_in(Entry {
                user,
                client,
                methods: vec![shown],
                claim,
                remember: false,
            });
        }
        self.see(known);
        self.mfa.push(Mfa {
            id: String::new(),
            group: self.users[user].group,
            client,
            user: Some(proven),
            answering: Answering::User(user),
            shown: vec![shown],
            proved,
            offered: Some(
                self.offered(user, proved)
                    .into_iter()
                    .map(Offered::new)
                    .collect(),
            ),
            code: None,
            claim,
            wrong: 0,
            expires_at: self.now.0.plus(ASKED_TTL),
            is_gone: false,
        });
        Says::MfaSession(self.mfa.len() - 1)
    }

    /// Opens a session. A device that is told of is known from then on.
    pub(super) fn let_in(&mut self, entry: Entry) -> Says {
        let Entry {
            user,
            client,
            methods,
            claim,
            remember,
        } = entry;
        let proven = self.proven(user);
        let known = self.known_device(claim, proven);
        self.see(known);
        let shown_at = remember.then_some(self.now.0);
        let device = match (claim, known) {
            (Claim::Untold, _) => None,
            (_, Some(known)) => {
                let device = &mut self.devices[known];
                device.shown_at = shown_at.or(device.shown_at);
                None
            }
            (_, None) => {
                self.devices.push(Device {
                    token: String::new(),
                    user: Some(proven),
                    shown_at,
                    expires_at: self.now.0.plus(DEVICE_TTL),
                });
                Some(self.devices.len() - 1)
            }
        };
        let (access, refresh) = self.open(user, client, methods);
        Says::Tokens {
            access,
            refresh,
            is_known: claim != Claim::Untold,
            device,
        }
    }

    /// The device that is claimed, if it is one of the user's as it is.
    pub(super) fn known_device(&self, claim: Claim, proven: Proven) -> Option<usize> {
        let Claim::Device(place) = claim else {
            return None;
        };
        let device = &self.devices[place];
        let is_known = device.user == Some(proven) && self.now.0 < device.expires_at;
        is_known.then_some(place)
    }

    pub(super) fn forget_devices(&mut self, user: usize) {
        for device in &mut self.devices {
            device.user = device.user.filter(|proven| proven.user != user);
        }
    }

    fn see(&mut self, known: Option<usize>) {
        if let Some(known) = known {
            self.devices[known].expires_at = self.now.0.plus(DEVICE_TTL);
        }
    }

    pub(super) fn claim(&self, device: step::Device) -> (Option<String>, Claim) {
        match device {
            step::Device::Untold => (None, Claim::Untold),
            step::Device::Unknown => (Some(String::new()), Claim::Unknown),
            step::Device::Token(pick) => match place(&self.devices, pick) {
                Some(place) => (
                    Some(self.devices[place].token.clone()),
                    Claim::Device(place),
                ),
                None => (Some(String::new()), Claim::Unknown),
            },
        }
    }
}
