//! The application as one call reaches it: what all calls share, and where this one comes
//! from, which the audit log tells. It is handed on by hand; nothing is looked up in the
//! thread or the task.

use std::ops::Deref;
use std::sync::Arc;

use crate::application::{Collaborators, KnownGroups, Person, Ports, Settings};
use crate::model::{AuditAction, AuditEvent, MasterKey, Origin};
use crate::ports::Clock as _;
use crate::validation::{Keyring, RevocationFeed};

/// What a use-case works with: the collaborators that all calls share, and where this
/// call comes from.
#[derive(Clone)]
pub struct Application {
    collaborators: Arc<Collaborators>,
    origin: Origin,
}

impl Application {
    /// The application over these ports, for what the server does by itself.
    #[must_use]
    pub fn new(
        ports: Ports,
        master_key: &MasterKey,
        keyring: Arc<Keyring>,
        feed: Arc<RevocationFeed>,
        known_groups: Arc<KnownGroups>,
        settings: Settings,
    ) -> Self {
        let made = Collaborators::new(ports, master_key, keyring, feed, known_groups, settings);
        Self {
            collaborators: Arc::new(made),
            origin: Origin::server(),
        }
    }

    /// The same application, for a call that comes from there.
    #[must_use]
    pub fn called_from(&self, origin: Origin) -> Self {
        Self {
            collaborators: Arc::clone(&self.collaborators),
            origin,
        }
    }

    /// Where the call comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// An entry of the audit log about something that the call does now.
    pub(crate) fn event(&self, action: AuditAction) -> AuditEvent {
        let now = self.clock.now();
        AuditEvent::new(action, self.origin.clone(), now, &*self.random)
    }

    /// The same, about something that a person does in its session to itself.
    pub(crate) fn event_of(&self, action: AuditAction, person: &Person) -> AuditEvent {
        let event = self.event(action).on(&person.user).by_itself();
        event.with_session(person.session.id)
    }
}

impl Deref for Application {
    type Target = Collaborators;

    fn deref(&self) -> &Collaborators {
        &self.collaborators
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("origin", &self.origin)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
