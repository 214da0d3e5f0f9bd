//! Sessions and their tokens.

use std::time::Duration;

use super::super::call::{Call, Required};
use super::super::step::Pick;
use super::state::{
    ACCESS_TTL, Access, FRESH, GRACE, IDLE_TTL, LEEWAY_SECONDS, Model, Refresh, SESSION_TTL,
    Session, place,
};
use super::{Asked, Says};
use crate::model::Timestamp;

impl Model {
    /// How many access tokens there are.
    pub(in super::super) fn tokens(&self) -> usize {
        self.access.len()
    }

    /// Opens a session. The places of its access and its refresh token.
    pub(super) fn open(
        &mut self,
        user: usize,
        client: u8,
        methods: Vec<&'static str>,
    ) -> (usize, usize) {
        let now = self.now.0;
        let expires_at = now.plus(IDLE_TTL);
        self.sessions.push(Session {
            id: String::new(),
            user,
            client,
            methods,
            generation: 1,
            parent: 0,
            minted_at: now,
            access_expires_at: now.plus(ACCESS_TTL).plus(GRACE).min(expires_at),
            authenticated_at: now,
            expires_at,
            ends_at: now.plus(SESSION_TTL),
            is_ended: false,
        });
        let session = self.sessions.len() - 1;
        (self.new_access(session), self.new_refresh(session))
    }

    /// A token is spent once: its successor is given again for a while, and a new
    /// one later if that was never used. Whatever is older ends the session.
    pub(super) fn refresh(&mut self, token: Pick, other_client: bool) -> Option<Asked> {
        let token = place(&self.refresh, token)?;
        let Refresh {
            session,
            generation,
            ..
        } = self.refresh[token];
        let now = self.now.0;
        let is_suspended = self.users[self.sessions[session].user].is_suspended;
        let known = &mut self.sessions[session];
        let call = Call::RefreshTokens {
            token: self.refresh[token].text.clone(),
            client: known.client ^ u8::from(other_client),
        };
        if other_client {
            return Some(Asked::refused(call, "REFRESH_TOKEN_INVALID"));
        }
        if known.is_ended || is_suspended {
            return Some(Asked::refused(call, "SESSION_ENDED"));
        }
        if now >= known.expires_at {
            return Some(Asked::refused(call, "REFRESH_TOKEN_INVALID"));
        }
        let is_newest = generation == known.generation;
        if !is_newest && generation != known.parent {
            known.is_ended = true;
            return Some(Asked::refused(call, "REFRESH_TOKEN_REUSED"));
        }
        let refresh = if !is_newest && now.since(known.minted_at) <= GRACE {
            self.newest_of(session)
        } else {
            known.parent = generation;
            known.generation += 1;
            known.minted_at = now;
            known.expires_at = now.plus(IDLE_TTL).min(known.ends_at);
            let last = now.plus(ACCESS_TTL).plus(GRACE).min(known.expires_at);
            known.access_expires_at = known.access_expires_at.max(last);
            self.new_refresh(session)
        };
        let says = Says::Tokens {
            access: self.new_access(session),
            refresh,
            is_known: false,
            device: None,
        };
        Some(Asked { call, says })
    }

    /// What is asked of the authentication is judged last, by what the token says.
    pub(super) fn validate(
        &mut self,
        token: Pick,
        max_age: Option<u64>,
        is_aal2: bool,
    ) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let access = &self.access[token];
        let max_age = max_age.map(Duration::from_secs);
        let call = Call::ValidateToken {
            token: access.text.clone(),
            required: Required { max_age, is_aal2 },
        };
        let since = self
            .now
            .0
            .since(Timestamp::from_seconds(access.authenticated_at));
        let is_old = max_age.is_some_and(|max_age| since > max_age);
        let verdict = if self.is_expired(access) {
            "EXPIRED"
        } else if self.sessions[access.session].is_ended {
            "REVOKED"
        } else if is_old || (is_aal2 && !access.is_aal2) {
            "INSUFFICIENT"
        } else {
            "VALID"
        };
        let says = Says::Verdict(verdict);
        Some(Asked { call, says })
    }

    /// However old it is.
    pub(super) fn revoke_access(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let Access { session, .. } = self.access[token];
        let token = self.access[token].text.clone();
        self.end(session);
        Some(Asked {
            call: Call::RevokeToken { token },
            says: Says::Done,
        })
    }

    pub(super) fn revoke_refresh(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.refresh, token)?;
        let Refresh { session, .. } = self.refresh[token];
        let token = self.refresh[token].text.clone();
        self.end(session);
        Some(Asked {
            call: Call::RevokeToken { token },
            says: Says::Done,
        })
    }

    pub(super) fn list_sessions(&mut self, token: Pick) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::ListSessions {
            token: self.access[token].text.clone(),
        };
        let says = match self.person(token) {
            Ok(session) => Says::Sessions(self.live_of(self.sessions[session].user)),
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    pub(super) fn end_session(&mut self, token: Pick, session: Pick) -> Option<Asked> {
        let (token, ended) = (place(&self.access, token)?, place(&self.sessions, session)?);
        let call = Call::RevokeSession {
            token: self.access[token].text.clone(),
            session: self.sessions[ended].id.clone(),
        };
        let says = match self.person(token) {
            Ok(own) if self.sessions[own].user == self.sessions[ended].user => {
                self.end(ended);
                Says::Done
            }
            Ok(_) => Says::Refused("SESSION_NOT_FOUND"),
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    /// No device is known afterwards, and nothing that was begun before is worth
    /// anything.
    pub(super) fn end_all_sessions(&mut self, token: Pick, keep: bool) -> Option<Asked> {
        let token = place(&self.access, token)?;
        let call = Call::RevokeUserSessions {
            token: self.access[token].text.clone(),
            keep,
        };
        let says = match self.person(token) {
            Ok(own) => {
                let user = self.sessions[own].user;
                self.users[user].version += 1;
                self.forget_devices(user);
                Says::Ended(self.end_all(user, keep.then_some(own)))
            }
            Err(reason) => Says::Refused(reason),
        };
        Some(Asked { call, says })
    }

    /// The session of the person who shows an access token.
    pub(super) fn person(&self, token: usize) -> Result<usize, &'static str> {
        let access = &self.access[token];
        let is_good = !self.is_expired(access) && self.is_live(access.session);
        is_good
            .then_some(access.session)
            .ok_or("ACCESS_TOKEN_INVALID")
    }

    /// The same, of one who was authenticated just now, and by a second factor if one
    /// had been enrolled.
    pub(super) fn fresh_person(&self, token: usize) -> Result<usize, &'static str> {
        let own = self.person(token)?;
        let session = &self.sessions[own];
        if self.now.0.since(session.authenticated_at) > FRESH {
            return Err("AUTHENTICATION_TOO_OLD");
        }
        let factors = self.factors_of(session.user);
        let had_one = factors
            .iter()
            .any(|place| self.factors[*place].enrolled_by != (own, session.authenticated_at));
        if had_one && !session.methods.contains(&"mfa") {
            return Err("SECOND_FACTOR_REQUIRED");
        }
        Ok(own)
    }

    /// Ends all sessions of a user, but one. How many.
    pub(super) fn end_all(&mut self, user: usize, kept: Option<usize>) -> u32 {
        let live = self.live_of(user);
        let ended: Vec<_> = live
            .into_iter()
            .filter(|place| Some(*place) != kept)
            .collect();
        for session in &ended {
            self.end(*session);
        }
        u32::try_from(ended.len()).unwrap_or(u32::MAX)
    }

    fn end(&mut self, session: usize) {
        self.sessions[session].is_ended |= self.is_live(session);
    }

    fn is_live(&self, session: usize) -> bool {
        let session = &self.sessions[session];
        !session.is_ended && self.now.0 < session.expires_at
    }

    fn live_of(&self, user: usize) -> Vec<usize> {
        let is_theirs = |place: &usize| self.sessions[*place].user == user && self.is_live(*place);
        (0..self.sessions.len()).filter(is_theirs).collect()
    }

    fn is_expired(&self, access: &Access) -> bool {
        access.expires_at <= self.now.0.as_seconds() - LEEWAY_SECONDS
    }

    pub(super) fn new_access(&mut self, session: usize) -> usize {
        let now = self.now.0;
        let Session {
            access_expires_at: last,
            authenticated_at,
            ref methods,
            ..
        } = self.sessions[session];
        let is_aal2 = methods.contains(&"mfa");
        self.access.push(Access {
            text: String::new(),
            session,
            expires_at: now
                .plus(ACCESS_TTL)
                .min(last)
                .as_seconds()
                .max(now.as_seconds() + 1),
            authenticated_at: authenticated_at.as_seconds(),
            is_aal2,
        });
        self.access.len() - 1
    }

    fn new_refresh(&mut self, session: usize) -> usize {
        self.refresh.push(Refresh {
            text: String::new(),
            session,
            generation: self.sessions[session].generation,
        });
        self.refresh.len() - 1
    }

    fn newest_of(&self, session: usize) -> usize {
        let newest = self.sessions[session].generation;
        let is_it = |refresh: &Refresh| (refresh.session, refresh.generation) == (session, newest);
        self.refresh.iter().position(is_it).expect("it was given")
    }
}
