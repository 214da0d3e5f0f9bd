//! SessionService's messages, each made the command that it asks for.

use countersign_domain::model::{PageSize, PageToken, Role, SessionId};
use countersign_domain::use_cases::{
    Actor, GetSession, ListSessions, RevokeSession, RevokeUserSessions,
};
use countersign_domain::{Error, Fields, Refusal};
use countersign_proto::v1;

use crate::grpc::call::Call;
use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

impl TryFrom<Asked<'_, v1::ListSessionsRequest>> for ListSessions {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::ListSessionsRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let actor = actor(&mut fields, message.person, call)?;
        let size = fields.take("page_size", PageSize::parse(message.page_size));
        let after = fields.take("page_token", PageToken::parse(&message.page_token));
        fields.finish(|| {
            Some(Self {
                actor: actor?,
                size: size?,
                after: after?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::GetSessionRequest>> for GetSession {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetSessionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let (actor, session_id) = one_session(message.person, &message.session_id, call)?;
        Ok(Self { actor, session_id })
    }
}

impl TryFrom<Asked<'_, v1::RevokeSessionRequest>> for RevokeSession {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RevokeSessionRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let (actor, session_id) = one_session(message.person, &message.session_id, call)?;
        Ok(Self { actor, session_id })
    }
}

impl TryFrom<Asked<'_, v1::RevokeUserSessionsRequest>> for RevokeUserSessions {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::RevokeUserSessionsRequest>) -> Result<Self, Error> {
        let Asked { message, call, .. } = asked;
        let mut fields = Fields::new();
        let keep_current = message.keep_current;
        let actor = actor(&mut fields, message.person, call)?;
        if keep_current && matches!(actor, Some(Actor::User(_))) {
            fields.refuse(
                "keep_current",
                "must be false with person.user_id: there is no current session",
            );
        }
        fields.finish(|| {
            Some(Self {
                actor: actor?,
                keep_current,
            })
        })
    }
}

/// A session, and the person that the call acts for.
fn one_session(
    person: Option<v1::Person>,
    session_id: &str,
    call: &Call,
) -> Result<(Actor, SessionId), Error> {
    let mut fields = Fields::new();
    let actor = actor(&mut fields, person, call)?;
    let session_id = fields.take("session_id", session_id.parse());
    fields.finish(|| Some((actor?, session_id?)))
}

/// The person that the call acts for. A user id without a token is taken from
/// operators alone.
fn actor(
    fields: &mut Fields,
    person: Option<v1::Person>,
    call: &Call,
) -> Result<Option<Actor>, Error> {
    use v1::person::By;
    let require = |role| match call.caller.has(role) {
        true => Ok(()),
        false => Err(Refusal::CallerNotPermitted(role)),
    };
    match person.and_then(|person| person.by) {
        Some(By::AccessToken(token)) => {
            require(Role::Gateway)?;
            Ok(convert::required(fields, "person.access_token", token).map(Actor::Person))
        }
        Some(By::UserId(id)) => {
            require(Role::Operator)?;
            Ok(fields.take("person.user_id", id.parse()).map(Actor::User))
        }
        None => {
            fields.refuse(
                "person",
                "must have an access_token, or a user_id from an operator",
            );
            Ok(None)
        }
    }
}
