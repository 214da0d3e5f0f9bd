//! The people: one whose things others try to get at, those others, and tokens that are
//! good no more.

use std::time::Duration;

use countersign_proto::v1::{self, CallerRole};
use countersign_tests::{
    Backend, Gateway, PASSWORD, PATIENCE, World, by_secret, eventually, reason,
};

use crate::callers::Callers;
use crate::owner::Owner;
use crate::table::Object;

pub(crate) const SOUTH: &str = "south";
/// The id of a user, a session or a factor that there never was.
pub(crate) const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const VICTIMS_PASSWORD: &str = "four otters under the old bridge";
/// The shortest life that an access token may have.
const SHORT: Duration = Duration::from_secs(10);

/// The server, its callers and its people.
pub(crate) struct Cast {
    pub(crate) callers: Callers,
    /// Whose things others try to get at. At the end all of them must be there still.
    pub(crate) victim: Owner,
    /// Somebody else in the same group.
    pub(crate) neighbour: Owner,
    /// Somebody in another group.
    pub(crate) foreigner: Owner,
    /// Of the victim: a token whose time is over.
    expired: String,
    /// Of the victim: a token that was revoked.
    revoked: String,
    /// Of somebody who is suspended.
    suspended: String,
    /// Of a service account.
    service_account: String,
}

/// Who asks, and about whose things.
pub(crate) struct Asking {
    pub(crate) owner: Owner,
    pub(crate) token: String,
}

impl Cast {
    pub(crate) async fn gather(backend: Backend) -> Self {
        let callers = Callers::make(backend).await;
        let (world, gateway) = (&callers.world, callers.of(CallerRole::Gateway));
        let operator = callers.of(CallerRole::Operator);
        let made = operator.make_group(SOUTH, v1::GroupPolicy::default());
        made.await.expect("a group");
        let victim = Owner::in_group(world, gateway, "default", VICTIMS_PASSWORD).await;
        let expired = briefly(operator, &victim).await;
        let revoked = victim.sign_in().await.access_token;
        gateway.revoke(&revoked).await.expect("revoked");
        let suspended = Owner::new(world, gateway).await;
        let id = &suspended.person.user_id;
        operator.suspend(id, "").await.expect("suspended");
        let cast = Self {
            neighbour: Owner::new(world, gateway).await,
            foreigner: Owner::in_group(world, gateway, SOUTH, PASSWORD).await,
            service_account: token_of_service_account(operator, gateway).await,
            victim,
            expired,
            revoked,
            suspended: suspended.access_token(),
            callers,
        };
        // Before there is a second factor, which no other session would have shown.
        cast.victim.app().await;
        cast.victim.address_factor(cast.world()).await;
        let gateway = cast.gateway();
        let is_over = || async { (gateway.judge(&cast.expired).await == "EXPIRED").then_some(()) };
        eventually("the token has expired", PATIENCE, is_over).await;
        cast
    }

    pub(crate) fn world(&self) -> &World {
        &self.callers.world
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        self.callers.of(CallerRole::Gateway)
    }

    pub(crate) fn operator(&self) -> &Gateway {
        self.callers.of(CallerRole::Operator)
    }

    /// Somebody who has just come.
    pub(crate) async fn newcomer(&self) -> Owner {
        Owner::new(self.world(), self.gateway()).await
    }

    /// Who asks about a thing, and by which token.
    pub(crate) async fn asking(&self, object: Object) -> Asking {
        let of_victim = |token: String| Asking {
            owner: self.victim.clone(),
            token,
        };
        let of = |owner: Owner| Asking {
            token: owner.access_token(),
            owner,
        };
        match object {
            Object::Own | Object::Ended | Object::ById => of(self.newcomer().await),
            Object::OfOtherCaller => {
                of(Owner::new(self.world(), &self.callers.other_gateway).await)
            }
            Object::Absent | Object::AbsentById | Object::AbsentGroup => of(self.neighbour.clone()),
            Object::OfSameGroup | Object::OfSameGroupById => {
                of_victim(self.neighbour.access_token())
            }
            Object::OfOtherGroup => of_victim(self.foreigner.access_token()),
            Object::NoToken => of_victim(String::new()),
            Object::RefreshToken => of_victim(self.victim.tokens.refresh_token.clone()),
            Object::ExpiredToken => of_victim(self.expired.clone()),
            Object::RevokedToken => of_victim(self.revoked.clone()),
            Object::TokenOfSuspended => of_victim(self.suspended.clone()),
            Object::TokenOfServiceAccount => of_victim(self.service_account.clone()),
        }
    }

    /// Asserts that the victim has all that it had, and that nobody is shown more than
    /// what is his own.
    pub(crate) async fn is_unharmed(&self) {
        let Owner { person, tokens, .. } = &self.victim;
        assert_eq!(self.gateway().judge(&tokens.access_token).await, "VALID");
        let factors = person.factors(tokens).await.expect("factors");
        assert_eq!(
            (factors.factors.len(), factors.remaining_recovery_codes),
            (2, 10)
        );
        let addresses = person.identifiers(tokens).await.expect("addresses");
        assert_eq!(addresses.identifiers.len(), 1, "no address came or went");
        let sessions = person.sessions(tokens).await.expect("sessions");
        // Two of its own: the one whose token has expired lives on.
        assert_eq!(sessions.len(), 2, "no session was opened or ended");
        let profile = person.gateway.profile(tokens).await.expect("a profile");
        assert_eq!(profile.profile.unwrap_or_default().name, "");
        let by_password = person.try_password(VICTIMS_PASSWORD).await;
        assert!(
            by_password.is_err_and(|status| status.message().contains("second factor")),
            "the password is the same"
        );
        let refreshed = person.gateway.refresh(&tokens.refresh_token).await;
        assert_eq!(reason(&refreshed), "OK");

        let Owner { person, tokens, .. } = &self.neighbour;
        let shown = format!(
            "{:?} {:?} {:?} {:?}",
            person.factors(tokens).await.expect("factors"),
            person.identifiers(tokens).await.expect("addresses"),
            person.sessions(tokens).await.expect("sessions"),
            person.gateway.profile(tokens).await.expect("a profile"),
        );
        for owner in [&self.victim, &self.foreigner] {
            for own in [&owner.person.user_id, &owner.tokens.session_id] {
                assert!(!shown.contains(own), "{own} in {shown}");
            }
        }
    }
}

async fn token_of_service_account(operator: &Gateway, gateway: &Gateway) -> String {
    let account = operator.make_service_account("default", &[], &[]).await;
    let (secret, _) = operator.new_secret(&account).await;
    let token = gateway.sign_in_service_account(&account, by_secret(&secret), &[]);
    token.await.expect("a token").access_token
}

/// A token of a session while tokens of the group live for a short time.
async fn briefly(operator: &Gateway, owner: &Owner) -> String {
    let policy = |ttl: Option<Duration>| v1::GroupPolicy {
        access_token_ttl: ttl.map(|ttl| prost_types::Duration {
            seconds: i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX),
            nanos: 0,
        }),
        ..Default::default()
    };
    let shortened = operator.change_policy(owner.group, policy(Some(SHORT)));
    shortened.await.expect("changed");
    let token = owner.sign_in().await.access_token;
    let restored = operator.change_policy(owner.group, policy(None));
    restored.await.expect("changed back");
    token
}
